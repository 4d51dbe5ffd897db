//! The scripts that run inside Redis: each is one step that is done whole or not at all.

use std::sync::LazyLock;

use ::redis::Cmd;

/// One script. Redis knows it by its hash once it has seen its text.
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
    /// A room is created.
    CREATE, "create.lua"
}
script! {
    /// Messages are stored.
    APPEND, "append.lua"
}
script! {
    /// A stretch of a log is read.
    READ, "read.lua"
}
script! {
    /// A session is given to a person.
    ACCOUNT, "account.lua"
}
script! {
    /// A session is used.
    PROLONG, "prolong.lua"
}
script! {
    /// A connection is here.
    ENTER, "presence.lua", "enter.lua"
}
script! {
    /// A connection is gone.
    LEAVE, "presence.lua", "leave.lua"
}
script! {
    /// All connections of a replica, anew.
    SETTLE, "presence.lua", "settle.lua"
}
script! {
    /// A replica lives, and asks where a room stands.
    RENEW, "presence.lua", "renew.lua"
}
script! {
    /// Who is here.
    ROSTER, "presence.lua", "roster.lua"
}

script! {
    /// A replica has people in these rooms.
    OCCUPY, "occupy.lua"
}

/// One run of a script, with what it is about.
pub struct Run {
    script: &'static Script,
    keys: Vec<String>,
    args: Vec<Vec<u8>>,
}

impl Run {
    /// Of these keys, which all lie in one slot.
    pub fn new(script: &'static Script, keys: Vec<String>) -> Self {
        Self {
            script,
            keys,
            args: Vec::new(),
        }
    }

    /// With a further argument.
    pub fn arg(mut self, arg: impl Into<Vec<u8>>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// With a number as a further argument.
    pub fn number(self, number: u64) -> Self {
        self.arg(number.to_string())
    }

    /// Where it runs.
    pub fn key(&self) -> &str {
        self.keys.first().map_or("", String::as_str)
    }

    /// The command that runs it: by the script's hash, or with its whole text for a Redis that does not know it.
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
