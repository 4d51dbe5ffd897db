//! One component per file.

mod composer;
mod connection;
mod conversation;
mod create_room;
mod list;
mod message;
mod message_text;
mod messages;
mod people;
mod pill;
mod problem_note;
mod reactive;
mod room_cards;
mod row;
mod session;
mod sign_in;
mod theme_switch;
mod top_bar;

pub use composer::Composer;
pub use connection::Connection;
pub use conversation::Conversation;
pub use create_room::CreateRoom;
pub use list::list;
pub use message::Message;
pub use message_text::MessageText;
pub use messages::Messages;
pub use people::People;
pub use pill::Pill;
pub use problem_note::ProblemNote;
pub use reactive::{effect, reactive};
pub use room_cards::RoomCards;
pub use row::RowView;
pub use session::Session;
pub use sign_in::SignIn;
pub use theme_switch::ThemeSwitch;
pub use top_bar::TopBar;
