//! The command line: `hubbub` serves, and its commands look after what it keeps.

use std::path::PathBuf;

use clap::{Arg, ArgMatches, Command, value_parser};

/// Writes a backup.
pub const BACKUP: &str = "backup";
/// The backup's file.
pub const FILE: &str = "FILE";
/// Moves a chat from a data folder to PostgreSQL.
pub const COPY: &str = "copy";
/// The data folder.
pub const FROM: &str = "from";
/// The database's URL.
pub const TO: &str = "to";

/// The command line, with this text at the end of its help.
pub fn hubbub(variables: String) -> Command {
    let backup = Command::new(BACKUP)
        .about("Write a consistent copy of the data folder's database to a new file; the server may run")
        .arg(file(FILE, "the file to create").required(true));
    let from = file(FROM, "the data folder of a stopped server");
    let to = Arg::new(TO)
        .help("an empty PostgreSQL database [default: HUBBUB_DATABASE_URL, so that no list of processes shows the password]");
    let copy = Command::new(COPY)
        .about("Copy everything from a data folder to an empty PostgreSQL database; can be run again after an interruption")
        .arg(from.long(FROM).value_name("DIR").required(true))
        .arg(to.long(TO).value_name("URL"));
    Command::new("hubbub")
        .about("A self-hosted, real-time chat server. Without a command, it serves")
        .version(env!("CARGO_PKG_VERSION"))
        .after_help(variables)
        .disable_help_subcommand(true)
        .subcommands([backup, copy])
}

fn file(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).help(help).value_parser(value_parser!(PathBuf))
}

/// A required path.
pub fn path(asked: &ArgMatches, name: &str) -> PathBuf {
    asked.get_one::<PathBuf>(name).cloned().unwrap_or_default()
}

/// A text, if it is given.
pub fn text(asked: &ArgMatches, name: &str) -> Option<String> {
    asked.get_one::<String>(name).cloned()
}

/// What is wrong with the command line, in one line: the first paragraph of the library's message.
pub fn line(error: &clap::Error) -> String {
    let text = error.to_string();
    let paragraph = text.lines().map(str::trim).take_while(|line| !line.is_empty());
    let line = paragraph.collect::<Vec<_>>().join(" ");
    line.trim_start_matches("error: ").to_owned()
}
