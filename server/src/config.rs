//! Configuration: environment variables, all read and checked once, through a function.

mod commands;
mod invalid;
mod limits;
mod variables;

pub use invalid::Invalid;
pub use limits::Limits;

use std::net::SocketAddr;
use std::path::PathBuf;

use tracing_subscriber::EnvFilter;
use variables::VARIABLES;

use crate::origins::{Origin, Origins};
use crate::proxies::Proxies;

/// What the command line and the environment ask for.
pub enum Invocation {
    /// Serve with this configuration.
    Serve(Box<Config>),
    /// Write a backup to this file.
    Backup(Box<Config>, PathBuf),
    /// Copy the chat in this data folder to the configured database.
    Copy(Box<Config>, PathBuf),
    /// Print this and exit: help or version.
    Print(String),
}

/// The whole configuration, validated.
#[derive(Debug)]
pub struct Config {
    pub addr: SocketAddr,
    /// The public address. Absent: the server does not know its name.
    pub url: Option<Origin>,
    pub data_dir: PathBuf,
    /// The PostgreSQL database that keeps everything. Absent: the data folder does.
    pub database_url: Option<String>,
    /// The Redis through which replicas tell each other. Absent: one process.
    pub redis_url: Option<String>,
    pub site_dir: PathBuf,
    /// The key that signs session cookies. Absent: one is created once and kept in the data folder.
    pub session_key: Option<String>,
    /// Origins other than the server's own that may open Socket.IO connections and post forms.
    pub origins: Origins,
    /// Proxies whose `X-Forwarded-For` is trusted.
    pub proxies: Proxies,
    /// How much one client may do.
    pub limits: Limits,
    pub log: EnvFilter,
}

impl Config {
    /// Handles `--help` and `--version`; otherwise parses the variables.
    pub fn from_command_line(
        args: impl Iterator<Item = String>,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Invocation, Box<dyn std::error::Error>> {
        match commands::hubbub(help()).try_get_matches_from(args) {
            Ok(asked) => {
                let mut config = Box::new(Self::parse(variable)?);
                Ok(match asked.subcommand() {
                    Some((commands::BACKUP, asked)) => {
                        Invocation::Backup(config, commands::path(asked, commands::FILE))
                    }
                    Some((commands::COPY, asked)) => {
                        config.database_url = commands::text(asked, commands::TO).or(config.database_url);
                        Invocation::Copy(config, commands::path(asked, commands::FROM))
                    }
                    _ => Invocation::Serve(config),
                })
            }
            Err(answer) if !answer.use_stderr() => Ok(Invocation::Print(answer.to_string())),
            Err(error) => Err(format!("{}; see hubbub --help", commands::line(&error)).into()),
        }
    }

    /// Reads every variable and refuses the first one that cannot be used.
    pub fn parse(variable: impl Fn(&str) -> Option<String>) -> Result<Self, Invalid> {
        // An empty variable counts as unset: that is what most people mean by `HUBBUB_X= hubbub`.
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        let get = |name: &'static str| {
            let known = VARIABLES.iter().find(|known| known.name == name);
            variable(name)
                .or_else(|| known.and_then(|known| known.default).map(ToOwned::to_owned))
                .unwrap_or_default()
        };
        let invalid = |name, value: &str, allowed: &str| Invalid {
            name,
            value: value.to_owned(),
            allowed: allowed.to_owned(),
        };

        let addr = get("HUBBUB_ADDR");
        let addr = addr.parse().map_err(|_| {
            invalid(
                "HUBBUB_ADDR",
                &addr,
                "expected an IP address and a port, such as 127.0.0.1:3000 or [::]:80",
            )
        })?;
        let session_key = variable("HUBBUB_SESSION_KEY");
        if session_key.as_ref().is_some_and(|key| key.len() < 32) {
            return Err(invalid(
                "HUBBUB_SESSION_KEY",
                "…",
                "expected at least 32 characters",
            ));
        }
        let url = variable("HUBBUB_URL").map(|url| {
            let origin = Origin::parse(url.strip_suffix('/').unwrap_or(&url));
            let web = origin.filter(|origin| matches!(origin.scheme(), "http" | "https"));
            web.ok_or_else(|| {
                invalid(
                    "HUBBUB_URL",
                    &url,
                    "expected the public address without a path, such as https://chat.example.org",
                )
            })
        });
        let url = url.transpose()?;
        let origins: Origins = get("HUBBUB_ORIGINS").parse().map_err(|entry: String| {
            invalid(
                "HUBBUB_ORIGINS",
                &entry,
                "expected a comma-separated list of origins, such as https://chat.example.org, \
                 https://*.example.org or capacitor://localhost",
            )
        })?;
        let proxies = get("HUBBUB_TRUSTED_PROXIES").parse().map_err(|entry: String| {
            invalid(
                "HUBBUB_TRUSTED_PROXIES",
                &entry,
                "expected a comma-separated list of IP addresses and networks, such as 127.0.0.1,10.0.0.0/8",
            )
        })?;
        let log = get("HUBBUB_LOG");
        let log = crate::log::parse(&log).map_err(|_| {
            invalid(
                "HUBBUB_LOG",
                &log,
                "expected a level (error, warn, info, debug, trace) or a filter such as info,server=debug",
            )
        })?;
        Ok(Self {
            addr,
            data_dir: get("HUBBUB_DATA_DIR").into(),
            database_url: variable("HUBBUB_DATABASE_URL"),
            redis_url: variable("HUBBUB_REDIS_URL"),
            site_dir: get("HUBBUB_SITE_DIR").into(),
            session_key,
            // Our own pages stay allowed behind a proxy that changes the Host header.
            origins: origins.and(url.clone()),
            url,
            proxies,
            limits: Limits::parse(get)?,
            log,
        })
    }
}

fn help() -> String {
    let mut text = String::from("Environment variables:\n");
    for variable in VARIABLES {
        let default = match variable.default {
            Some("") | None => String::new(),
            Some(default) => format!(" [default: {default}]"),
        };
        text.push_str(&format!("  {:<34}{}{default}\n", variable.name, variable.help));
    }
    text.push_str("\nAn empty variable counts as unset.");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(variables: &[(&str, &str)]) -> Result<Config, String> {
        let get = |name: &str| {
            variables
                .iter()
                .find(|(n, _)| *n == name)
                .map(|(_, v)| (*v).to_owned())
        };
        Config::parse(get).map_err(|error| error.to_string())
    }

    #[test]
    fn nothing_needs_to_be_set() {
        let config = parse(&[]).unwrap();
        assert_eq!(config.addr.to_string(), "127.0.0.1:3000");
        assert_eq!(config.data_dir, PathBuf::from("./data"));
        assert!(config.limits.rates);
    }

    #[test]
    fn a_wrong_value_is_refused_with_its_name_and_what_is_allowed() {
        for (name, value) in [
            ("HUBBUB_ADDR", "localhost"),
            ("HUBBUB_ADDR", "127.0.0.1"),
            ("HUBBUB_ADDR", "127.0.0.1:99999"),
            ("HUBBUB_URL", "chat.example.org"),
            ("HUBBUB_URL", "https://chat.example.org/hubbub"),
            ("HUBBUB_URL", "ftp://chat.example.org"),
            ("HUBBUB_ORIGINS", "chat.example.org"),
            ("HUBBUB_ORIGINS", "https://a/path"),
            ("HUBBUB_ORIGINS", "https://*"),
            ("HUBBUB_ORIGINS", "null"),
            ("HUBBUB_TRUSTED_PROXIES", "localhost"),
            ("HUBBUB_TRUSTED_PROXIES", "10.0.0.0/33"),
            ("HUBBUB_LIMITS", "maybe"),
            ("HUBBUB_MESSAGE_CHARS", "8001"),
            ("HUBBUB_MESSAGE_CHARS", "0"),
            ("HUBBUB_COMMANDS_PER_SECOND", "-1"),
            ("HUBBUB_JOINS_PER_SECOND", "0"),
            ("HUBBUB_PING_INTERVAL", "301"),
            ("HUBBUB_PING_TIMEOUT", "0"),
            ("HUBBUB_LOG", "server=loud"),
            ("HUBBUB_LOG", "inof"),
            ("HUBBUB_LOG", "info,servre"),
        ] {
            let error = parse(&[(name, value)]).expect_err(name);
            assert!(
                error.starts_with(&format!("{name}=")) && error.contains("expected"),
                "{error}"
            );
        }
        let error = parse(&[("HUBBUB_SESSION_KEY", "short")]).expect_err("short key");
        assert!(!error.contains("short\""), "a secret is not repeated: {error}");
    }

    fn invoke(args: &[&str]) -> Result<Invocation, String> {
        let args = std::iter::once("hubbub").chain(args.iter().copied());
        Config::from_command_line(args.map(String::from), |_| None).map_err(|error| error.to_string())
    }

    #[test]
    fn without_a_command_it_serves() {
        assert!(matches!(invoke(&[]), Ok(Invocation::Serve(_))));
        let Ok(Invocation::Backup(_, file)) = invoke(&["backup", "a file"]) else {
            panic!("no backup")
        };
        assert_eq!(file, PathBuf::from("a file"));
        let args = ["copy", "--from", "data", "--to", "postgres://host/db"];
        let Ok(Invocation::Copy(config, from)) = invoke(&args) else {
            panic!("no copy")
        };
        assert_eq!(from, PathBuf::from("data"));
        assert_eq!(config.database_url.as_deref(), Some("postgres://host/db"));
        for (args, said) in [
            (&["serve"][..], "'serve'"),
            (&["copy"], "--from <DIR>"),
            (&["backup"], "<FILE>"),
            (&["backup", "a", "b"], "'b'"),
        ] {
            let line = invoke(args).err().expect("it is refused");
            assert!(
                line.contains(said) && !line.contains('\n') && line.ends_with("; see hubbub --help"),
                "{line}"
            );
        }
    }

    #[test]
    fn help_lists_every_variable() {
        let print =
            Config::from_command_line(["hubbub", "--help"].map(String::from).into_iter(), |_| None).unwrap();
        let Invocation::Print(text) = print else {
            panic!("--help serves")
        };
        for variable in VARIABLES {
            assert!(text.contains(variable.name), "{}", variable.name);
        }
    }
}
