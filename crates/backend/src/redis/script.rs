//! The scripts that run inside Redis. Each is atomic.

use std::sync::LazyLock;

use ::redis::Cmd;

/// A script. Redis knows it by its hash once it has seen its text.
pub struct Script {
    text: &'static str,
    hash: LazyLock<String>,
}

macro_rules! script {
    ($(#[$doc:meta])* $name:ident, $($file:literal),+) => {
        $(#[$doc])*
        pub static $name: Script = Script {
            text: concat!($(include_str!(concat!("scripts/", $file))),+),
            hash: LazyLock::new(|| {
                let text = concat!($(include_str!(concat!("scripts/", $file))),+);
                ::redis::Script::new(text).get_hash().to_owned()
            }),
        };
    };
}

script! {
    /// Adds a connection to a room.
    ENTER, "presence.lua", "enter.lua"
}
script! {
    /// Removes a connection from a room.
    LEAVE, "presence.lua", "leave.lua"
}
script! {
    /// Replaces all connections of a replica in a room.
    SETTLE, "presence.lua", "settle.lua"
}
script! {
    /// Prolongs a replica's lease, and reads its digest and the version of the room's presence.
    RENEW, "presence.lua", "renew.lua"
}
script! {
    /// Reads a roster.
    ROSTER, "presence.lua", "roster.lua"
}
script! {
    /// Counts the people in many rooms.
    COUNTS, "counts.lua"
}
script! {
    /// Records that a replica has people in these rooms.
    OCCUPY, "occupy.lua"
}

/// One run of a script, with its keys and arguments.
pub struct Run {
    script: &'static Script,
    keys: Vec<String>,
    args: Vec<Vec<u8>>,
}

impl Run {
    /// A run with these keys, which must be in one slot.
    pub fn new(script: &'static Script, keys: Vec<String>) -> Self {
        Self {
            script,
            keys,
            args: Vec::new(),
        }
    }

    /// Adds an argument.
    pub fn arg(mut self, arg: impl Into<Vec<u8>>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Adds a number as an argument.
    pub fn number(self, number: u64) -> Self {
        self.arg(number.to_string())
    }

    /// The key whose slot decides where the script runs.
    pub fn key(&self) -> &str {
        self.keys.first().map_or("", String::as_str)
    }

    /// The command that runs the script: by its hash, or with its text for a Redis that does not know it.
    pub fn command(&self, known: bool) -> Cmd {
        let mut command = if known {
            let mut command = ::redis::cmd("EVALSHA");
            command.arg(self.script.hash.as_str());
            command
        } else {
            let mut command = ::redis::cmd("EVAL");
            command.arg(self.script.text);
            command
        };
        command.arg(self.keys.len()).arg(&self.keys).arg(&self.args);
        command
    }
}
