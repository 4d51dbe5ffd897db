//! Every environment variable, with its default and one line of help. `docs/configuration.md` says more.

/// One environment variable.
pub struct Variable {
    pub name: &'static str,
    /// The default. `None`: leaving it unset has a meaning of its own.
    pub default: Option<&'static str>,
    /// One line for `--help`.
    pub help: &'static str,
}

const fn variable(name: &'static str, default: Option<&'static str>, help: &'static str) -> Variable {
    Variable { name, default, help }
}

/// All variables, in the order of `--help`.
pub const VARIABLES: &[Variable] = &[
    variable(
        "HUBBUB_ADDR",
        Some("127.0.0.1:3000"),
        "IP address and port to listen on",
    ),
    variable(
        "HUBBUB_URL",
        None,
        "the public address, such as https://chat.example.org; other host names are refused",
    ),
    variable(
        "HUBBUB_DATA_DIR",
        Some("./data"),
        "folder of the database and the session key",
    ),
    variable("HUBBUB_SITE_DIR", Some("target/site"), "folder of the built site"),
    variable(
        "HUBBUB_DATABASE_URL",
        None,
        "a PostgreSQL database that keeps everything, such as postgres://user:password@host/hubbub; unset: the data folder",
    ),
    variable(
        "HUBBUB_REDIS_URL",
        None,
        "a Redis through which replicas that share a database tell each other, such as redis://127.0.0.1:6379; unset: one process",
    ),
    variable(
        "HUBBUB_SESSION_KEY",
        None,
        "signs session cookies, 32 characters or more; unset: made once, kept in the data folder",
    ),
    variable(
        "HUBBUB_ORIGINS",
        Some(""),
        "other origins whose pages may connect, separated by commas",
    ),
    variable(
        "HUBBUB_TRUSTED_PROXIES",
        Some(""),
        "trusted proxies, whose X-Forwarded-For is used: addresses or networks, separated by commas",
    ),
    variable(
        "HUBBUB_LOG",
        Some("info"),
        "level or filter, such as debug or info,server=debug",
    ),
    variable(
        "HUBBUB_LIMITS",
        Some("on"),
        "off disables rate limits and caps per address, for load tests",
    ),
    variable(
        "HUBBUB_MESSAGE_CHARS",
        Some("8000"),
        "characters of one message, 1 to 8000",
    ),
    variable(
        "HUBBUB_FRAME_BYTES",
        Some("65536"),
        "bytes of one command, 1024 to 131072",
    ),
    variable(
        "HUBBUB_ROOMS_PER_CONNECTION",
        Some("50"),
        "rooms that one connection may be in",
    ),
    variable(
        "HUBBUB_COMMANDS_PER_SECOND",
        Some("100"),
        "commands per second that one connection may sustain",
    ),
    variable(
        "HUBBUB_COMMAND_BURST",
        Some("1200"),
        "commands that one connection may send at once",
    ),
    variable(
        "HUBBUB_ADDRESS_COMMANDS_PER_SECOND",
        Some("1000"),
        "commands per second that one IP address may sustain",
    ),
    variable(
        "HUBBUB_ADDRESS_COMMAND_BURST",
        Some("10000"),
        "commands that one IP address may send at once",
    ),
    variable(
        "HUBBUB_CONNECTIONS_PER_ADDRESS",
        Some("1000"),
        "TCP connections of one IP address at a time",
    ),
    variable(
        "HUBBUB_SIGN_INS_PER_ADDRESS",
        Some("300"),
        "people from one IP address that may sign in at once, and again over half an hour",
    ),
    variable(
        "HUBBUB_NEW_ROOMS_PER_ADDRESS",
        Some("10"),
        "rooms that one IP address may create within five minutes",
    ),
    variable(
        "HUBBUB_JOINS_PER_SECOND",
        Some("1000"),
        "joins per second that the process starts; others are told when to try again",
    ),
    variable(
        "HUBBUB_PING_INTERVAL",
        Some("25"),
        "seconds between pings of a connection, 1 to 300",
    ),
    variable(
        "HUBBUB_PING_TIMEOUT",
        Some("20"),
        "seconds that a client has to answer a ping, 1 to 300",
    ),
];
