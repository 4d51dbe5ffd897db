//! One page per file.

mod front;
mod not_found;
mod room;
mod trouble;

pub use front::Front;
pub use not_found::NotFound;
pub use room::Room;
pub use trouble::Trouble;
