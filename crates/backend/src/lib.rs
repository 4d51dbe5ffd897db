//! The ports of the chat on real storage.
