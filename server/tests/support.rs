//! What the tests of the binary share.

pub mod memory;
pub mod raw;
pub mod running;
