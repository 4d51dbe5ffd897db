//! Shared by the tests of the binary.

pub mod memory;
pub mod raw;
pub mod running;
