//! Parses Redis URLs.

use ::redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo, ProtocolVersion};

use super::error::OpenRedisError;

const CLUSTER: [(&str, &str); 2] = [
    ("redis-cluster://", "redis://"),
    ("rediss-cluster://", "rediss://"),
];

/// The servers to connect to.
#[derive(Clone)]
pub struct Target {
    /// One server, or some servers of a cluster.
    pub servers: Vec<ConnectionInfo>,
    /// True if the servers belong to a cluster.
    pub cluster: bool,
}

impl Target {
    /// Parses `redis://…`, `rediss://…`, `redis-cluster://host:port,host:port` and `rediss-cluster://…`. Several of the
    /// first two, with commas between them, mean a cluster too.
    pub fn parse(url: &str) -> Result<Self, OpenRedisError> {
        let wrong = |what| OpenRedisError::Url { what };
        let url = url.trim();
        let cluster_scheme = CLUSTER.iter().find(|(scheme, _)| url.starts_with(scheme));
        let urls: Vec<String> = match cluster_scheme {
            Some((scheme, single)) => {
                let rest = url.strip_prefix(scheme).unwrap_or_default();
                // The user and password before the first host are for all hosts.
                let (user, hosts) = rest.rsplit_once('@').map_or((None, rest), |(u, h)| (Some(u), h));
                let user = user.map_or_else(String::new, |user| format!("{user}@"));
                hosts
                    .split(',')
                    .map(|host| format!("{single}{user}{host}"))
                    .collect()
            }
            None => split(url),
        };
        let cluster = cluster_scheme.is_some() || urls.len() > 1;
        let mut servers = Vec::new();
        for url in &urls {
            let plain = url.starts_with("redis://") || url.starts_with("rediss://");
            if !plain {
                return Err(wrong(
                    "does not begin with redis://, rediss:// or redis-cluster://",
                ));
            }
            let info = url
                .as_str()
                .into_connection_info()
                .map_err(|_| wrong("cannot be read"))?;
            let host = match info.addr() {
                ConnectionAddr::Tcp(host, _) | ConnectionAddr::TcpTls { host, .. } => host,
                _ => return Err(wrong("has no host")),
            };
            if host.is_empty() {
                return Err(wrong("has no host"));
            }
            if cluster && info.redis_settings().db() != 0 {
                return Err(wrong("names a database, and a cluster has none"));
            }
            let settings = info.redis_settings().clone();
            servers.push(info.set_redis_settings(settings.set_protocol(ProtocolVersion::RESP3)));
        }
        Ok(Self { servers, cluster })
    }

    /// The connection settings for another address of the cluster.
    pub fn at(&self, address: &str) -> Option<ConnectionInfo> {
        let (host, port) = address.rsplit_once(':')?;
        let (host, port) = (host.trim_matches(['[', ']']).to_owned(), port.parse().ok()?);
        let like = self.servers.first()?;
        let addr = match like.addr() {
            ConnectionAddr::TcpTls {
                insecure, tls_params, ..
            } => ConnectionAddr::TcpTls {
                host,
                port,
                insecure: *insecure,
                tls_params: tls_params.clone(),
            },
            _ => ConnectionAddr::Tcp(host, port),
        };
        Some(like.clone().set_addr(addr))
    }
}

/// Splits at commas that a scheme follows, because a password can contain commas too.
fn split(url: &str) -> Vec<String> {
    let mut urls: Vec<String> = Vec::new();
    for part in url.split(',') {
        match urls.last_mut() {
            Some(last) if !part.trim_start().starts_with("redis") => {
                last.push(',');
                last.push_str(part);
            }
            _ => urls.push(part.trim().to_owned()),
        }
    }
    urls
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(url: &str) -> (Vec<String>, bool) {
        let target = Target::parse(url).unwrap();
        let servers = target
            .servers
            .iter()
            .map(|info| info.addr().to_string())
            .collect();
        (servers, target.cluster)
    }

    #[test]
    fn urls_name_one_server_or_a_cluster() {
        for (url, servers, cluster) in [
            ("redis://localhost", vec!["localhost:6379"], false),
            (
                "rediss://:secret@example.org:6380/3",
                vec!["example.org:6380"],
                false,
            ),
            ("redis-cluster://a:1,b:2,c", vec!["a:1", "b:2", "c:6379"], true),
            ("rediss-cluster://me:pw@a:1,b:2", vec!["a:1", "b:2"], true),
            ("redis://:p,w@a:1, redis://:p,w@b:2", vec!["a:1", "b:2"], true),
        ] {
            let servers = servers.into_iter().map(str::to_owned).collect();
            assert_eq!(addresses(url), (servers, cluster), "{url}");
        }
        let target = Target::parse("rediss-cluster://me:pw@a:1,b:2").unwrap();
        for info in &target.servers {
            assert_eq!(info.redis_settings().password(), Some("pw"));
        }
        assert_eq!(target.at("c:3").unwrap().addr().to_string(), "c:3");
        let database = Target::parse("redis://a/7").unwrap();
        assert_eq!(database.servers[0].redis_settings().db(), 7);
    }

    #[test]
    fn errors_do_not_reveal_the_password() {
        for url in [
            "",
            "localhost:6379",
            "http://:secret@host",
            "redis://:secret@",
            "redis://:secret@host:port",
            "redis://:secret@host/database",
            "redis-cluster://:secret@a:1,b:2/3",
            "redis+unix:///run/redis.sock",
        ] {
            let Err(error) = Target::parse(url) else {
                panic!("{url} should be refused");
            };
            let line = error.to_string();
            assert!(
                line.starts_with("the Redis URL ") && !line.contains("secret"),
                "{line}"
            );
        }
    }
}
