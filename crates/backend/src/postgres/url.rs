//! Parses PostgreSQL URLs.

use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{Host as Address, SslMode, TargetSessionAttrs};

use super::error::OpenPostgresError;

const SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];

/// What every connection asks of the server. Our queries all walk an index, and the planner must not choose otherwise
/// while a table is young and its statistics are old. A client or network that goes silent holds no lock for long. In a
/// transaction, each statement sees what others committed before it, whatever the database's default is. The connection
/// that holds the lock on the database stays open when nobody writes.
const OPTIONS: &str = "-c statement_timeout=5s -c idle_in_transaction_session_timeout=5s -c jit=off \
    -c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off -c plan_cache_mode=force_generic_plan \
    -c default_transaction_isolation=read\\ committed -c idle_session_timeout=0 \
    -c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3";

/// How long what was sent may stay unacknowledged by the other machine, and how soon a silent one is asked.
const SILENCE: Duration = Duration::from_secs(5);
/// The former for whoever moves much: a server that waits for its disk does not read meanwhile.
const STALL: Duration = Duration::from_secs(60);

/// The servers to connect to.
#[derive(Clone)]
pub struct Target {
    /// All servers, in the order of the URL. One of them is the primary.
    pub hosts: Vec<Host>,
    /// True if certificates are verified (`sslmode=verify-full`).
    pub verified: bool,
}

/// One server.
#[derive(Clone)]
pub struct Host {
    /// How to connect.
    pub config: Config,
    /// Its name and port, to show.
    pub name: String,
    /// True if connections may use TLS.
    pub tls: bool,
}

impl Target {
    /// Parses `postgres://user:password@host:port,host:port/database?sslmode=…`.
    ///
    /// # Errors
    /// What is wrong with it, without quoting it.
    pub fn parse(url: &str) -> Result<Self, OpenPostgresError> {
        let wrong = |what| OpenPostgresError::Url { what };
        let url = url.trim();
        if !SCHEMES.iter().any(|scheme| url.starts_with(scheme)) {
            return Err(wrong("does not begin with postgres://"));
        }
        // The library knows three of these values. A password can contain a question mark.
        let after_password = url.find('@').unwrap_or(0);
        let options = url[after_password..].find('?');
        let (before, query) = url.split_at(options.map_or(url.len(), |at| after_password + at));
        let mode = query
            .split(['?', '&'])
            .rev()
            .find_map(|option| option.strip_prefix("sslmode="));
        let verified = match mode {
            None | Some("disable" | "prefer" | "require") => false,
            Some("verify-full") => true,
            Some("verify-ca") => {
                return Err(wrong(
                    "has sslmode=verify-ca, and hubbub verifies the name too (verify-full)",
                ));
            }
            Some(_) => return Err(wrong("has an unknown sslmode")),
        };
        let query = query.replace("sslmode=verify-full", "sslmode=require");
        let config: Config = format!("{before}{query}")
            .parse()
            .map_err(|_| wrong("cannot be read, or has an unknown option"))?;
        if config.get_target_session_attrs() == TargetSessionAttrs::ReadOnly {
            return Err(wrong("asks for a read-only server, and hubbub writes"));
        }
        let (count, ports, addresses) = (
            config.get_hosts().len(),
            config.get_ports().len(),
            config.get_hostaddrs().len(),
        );
        if count == 0 {
            return Err(wrong("has no host"));
        }
        // A name is shown, so it must not be the rest of a password.
        let spoilt = |host: &Address| matches!(host, Address::Tcp(name) if name.contains('@'));
        if config.get_hosts().iter().any(spoilt) {
            return Err(wrong(
                "has an @ in its user or password, which must be written %40",
            ));
        }
        if (ports > 1 && ports != count) || (addresses > 0 && addresses != count) {
            return Err(wrong("has not one port for each host"));
        }
        let hosts = (0..count).map(|n| host(&config, n)).collect();
        Ok(Self { hosts, verified })
    }

    /// Bears with a server that stops reading for a while.
    pub fn patient(mut self) -> Self {
        for host in &mut self.hosts {
            host.config.tcp_user_timeout(STALL);
        }
        self
    }
}

/// The settings for one of the hosts.
fn host(all: &Config, n: usize) -> Host {
    let mut config = Config::new();
    let ports = all.get_ports();
    let port = ports.get(n).or(ports.first()).copied().unwrap_or(5_432);
    config.port(port);
    let (name, network) = match &all.get_hosts()[n] {
        Address::Tcp(host) => {
            config.host(host);
            let host = if host.contains(':') {
                format!("[{host}]")
            } else {
                host.clone()
            };
            (format!("{host}:{port}"), true)
        }
        #[cfg(unix)]
        Address::Unix(folder) => {
            config.host_path(folder);
            (format!("{}:{port}", folder.display()), false)
        }
    };
    if let Some(address) = all.get_hostaddrs().get(n) {
        config.hostaddr(*address);
    }
    if let Some(user) = all.get_user() {
        config.user(user);
    }
    if let Some(password) = all.get_password() {
        config.password(password);
    }
    if let Some(database) = all.get_dbname() {
        config.dbname(database);
    }
    // The operator's options come last, so they win.
    let options = all.get_options().unwrap_or_default();
    config.options(format!("{OPTIONS} {options}").trim_end());
    config.application_name(all.get_application_name().unwrap_or("hubbub"));
    config.ssl_mode(all.get_ssl_mode());
    config.ssl_negotiation(all.get_ssl_negotiation());
    config.channel_binding(all.get_channel_binding());
    config.tcp_user_timeout(SILENCE);
    config.keepalives_idle(SILENCE);
    config.keepalives_interval(Duration::from_secs(2));
    config.keepalives_retries(3);
    Host {
        tls: network && all.get_ssl_mode() != SslMode::Disable,
        config,
        name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_name_one_server_or_several() {
        for (url, names, verified) in [
            ("postgres://localhost", vec!["localhost:5432"], false),
            (
                "postgresql://me:pw@a:1,b:2,c:3/chat",
                vec!["a:1", "b:2", "c:3"],
                false,
            ),
            (
                "postgres://me@a,b/chat?sslmode=verify-full",
                vec!["a:5432", "b:5432"],
                true,
            ),
            (
                "postgres://me@[::1]:7/chat?sslmode=disable",
                vec!["[::1]:7"],
                false,
            ),
            (
                "postgres://me@%2Frun%2Fpostgresql/chat",
                vec!["/run/postgresql:5432"],
                false,
            ),
            (
                "postgres://me@a/chat?target_session_attrs=read-write&sslmode=require",
                vec!["a:5432"],
                false,
            ),
        ] {
            let target = Target::parse(url).unwrap_or_else(|error| panic!("{url}: {error}"));
            let found: Vec<_> = target.hosts.iter().map(|host| host.name.as_str()).collect();
            assert_eq!((found, target.verified), (names, verified), "{url}");
        }
        let target =
            Target::parse("postgres://me:p%40ss@a:1,b:2/chat?options=-c%20search_path%3Dhubbub").unwrap();
        for host in &target.hosts {
            assert_eq!(host.config.get_password(), Some(&b"p@ss"[..]));
            assert_eq!(host.config.get_dbname(), Some("chat"));
            let options = host.config.get_options().unwrap();
            assert!(options.ends_with("-c search_path=hubbub"), "{options}");
        }
        assert!(!Target::parse("postgres://a?sslmode=disable").unwrap().hosts[0].tls);
        assert!(!Target::parse("postgres://%2Frun").unwrap().hosts[0].tls);
        assert!(Target::parse("postgres://a").unwrap().hosts[0].tls);
    }

    #[test]
    fn errors_do_not_reveal_the_password() {
        for url in [
            "",
            "localhost:5432",
            "mysql://me:secret@host/chat",
            "host=localhost password=secret",
            "postgres://me:secret@host:port/chat",
            "postgres://me:sec?ret=secret@host/chat?secret=secret",
            "postgres://me:secret@host/chat?secret=1",
            "postgres://me:secret@host/chat?sslmode=verify-ca",
            "postgres://me:secret@host/chat?sslmode=allow",
            "postgres://me:secret@host/chat?target_session_attrs=read-only",
            "postgres://me:secret@a,b,c/chat?port=1,2",
        ] {
            let Err(error) = Target::parse(url) else {
                panic!("{url} should be refused");
            };
            let line = error.to_string();
            assert!(
                line.starts_with("the database URL ") && !line.contains("secret"),
                "{line}"
            );
        }
    }
}
