//! Origins: `scheme://host:port`, as browsers send them, and those that an operator allows besides our own.

use std::str::FromStr;

use http::HeaderMap;

/// A scheme, a host and a port. Two are equal if they mean the same origin, in whatever spelling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    scheme: String,
    host: String,
    /// Absent for a scheme without a well-known port, such as `capacitor`.
    port: Option<u16>,
}

impl Origin {
    /// Parses an origin. `null`, paths and user names are refused.
    pub fn parse(text: &str) -> Option<Self> {
        let (scheme, authority) = text.split_once("://")?;
        let scheme = scheme.to_ascii_lowercase();
        let valid = scheme.starts_with(|c: char| c.is_ascii_lowercase())
            && scheme
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"+-.".contains(&b));
        valid.then(|| Self::of(scheme, authority)).flatten()
    }

    /// The origin of pages requested with this scheme and this `Host` header.
    pub fn of(scheme: String, authority: &str) -> Option<Self> {
        let (host, port) = split(authority)?;
        let port = match port {
            Some(port) => Some(port.parse().ok()?),
            None => default_port(&scheme),
        };
        Some(Self {
            scheme,
            host: host.to_ascii_lowercase(),
            port,
        })
    }

    /// The host, in lower case.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The scheme, in lower case.
    pub fn scheme(&self) -> &str {
        &self.scheme
    }
}

impl std::fmt::Display for Origin {
    /// As a browser writes it: without the scheme's default port.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}://{}", self.scheme, self.host)?;
        match self.port {
            Some(port) if Some(port) != default_port(&self.scheme) => write!(f, ":{port}"),
            _ => Ok(()),
        }
    }
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

/// Host and port. The host is a name, an IPv4 address, or an IPv6 address in brackets.
fn split(authority: &str) -> Option<(&str, Option<&str>)> {
    let (host, port) = if authority.starts_with('[') {
        let (host, port) = authority.split_at(authority.find(']')? + 1);
        (host, port.strip_prefix(':').or(port.is_empty().then_some(""))?)
    } else {
        authority.split_once(':').unwrap_or((authority, ""))
    };
    let named = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
    let valid = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.bytes().all(named),
    };
    valid.then_some((host, (!port.is_empty()).then_some(port)))
}

/// The origins that `HUBBUB_ORIGINS` allows.
#[derive(Clone, Debug, Default)]
pub struct Origins(Vec<Pattern>);

#[derive(Clone, Debug)]
enum Pattern {
    Exactly(Origin),
    /// Any host below this one: `https://*.example.org`.
    Below(Origin),
}

impl Origins {
    #[must_use]
    pub fn and(mut self, origin: Option<Origin>) -> Self {
        self.0.extend(origin.map(Pattern::Exactly));
        self
    }

    /// True if the list allows this origin.
    pub fn contain(&self, origin: &Origin) -> bool {
        self.0.iter().any(|pattern| match pattern {
            Pattern::Exactly(allowed) => allowed == origin,
            Pattern::Below(parent) => {
                let below = origin.host.strip_suffix(&parent.host);
                below.is_some_and(|name| name.len() > 1 && name.ends_with('.'))
                    && (&parent.scheme, parent.port) == (&origin.scheme, origin.port)
            }
        })
    }
}

/// A list, separated by commas. The error is the entry that is not an origin.
impl FromStr for Origins {
    type Err = String;

    fn from_str(list: &str) -> Result<Self, String> {
        let entries = list.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        entries
            .map(|entry| pattern(entry).ok_or_else(|| entry.to_owned()))
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

fn pattern(entry: &str) -> Option<Pattern> {
    let text = entry.strip_suffix('/').unwrap_or(entry);
    match text.split_once("://*.") {
        Some((scheme, parent)) => Origin::parse(&format!("{scheme}://{parent}")).map(Pattern::Below),
        None => Origin::parse(text).map(Pattern::Exactly),
    }
}

/// The scheme that the client used, as the outermost proxy reports it: the first word of `X-Forwarded-Proto`.
pub fn forwarded_scheme(headers: &HeaderMap) -> Option<&str> {
    let list = headers.get("x-forwarded-proto")?.to_str().ok()?;
    list.split(',')
        .next()
        .map(str::trim)
        .filter(|word| !word.is_empty())
}

/// True if the client used TLS, as the proxy in front reports it.
pub fn over_tls(headers: &HeaderMap) -> bool {
    forwarded_scheme(headers).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(list: &str, origin: &str) -> bool {
        let origins: Origins = list.parse().expect(list);
        Origin::parse(origin).is_some_and(|origin| origins.contain(&origin))
    }

    #[test]
    fn spellings_of_an_origin_are_equal() {
        for (one, two) in [
            ("https://chat.example", "HTTPS://CHAT.example:443"),
            ("http://chat.example:80", "http://chat.example"),
            ("http://[::1]:3000", "http://[::1]:3000"),
            ("capacitor://localhost", "capacitor://LOCALHOST"),
        ] {
            assert!(Origin::parse(one).is_some(), "{one}");
            assert_eq!(Origin::parse(one), Origin::parse(two), "{one} {two}");
        }
        for (one, two) in [
            ("https://chat.example", "http://chat.example"),
            ("https://chat.example", "https://chat.example:8443"),
            ("http://[::1]", "http://[::2]"),
        ] {
            assert_ne!(Origin::parse(one), Origin::parse(two), "{one} {two}");
        }
        for none in [
            "null",
            "",
            "chat.example",
            "https://",
            "https://a/b",
            "https://a@b",
            "https://a b",
            "https://a:b",
            "https://a:99999",
            "https://[::1",
            "https://[::1]x",
            "https://[nonsense]",
            "1a://b",
            "https://*",
        ] {
            assert_eq!(Origin::parse(none), None, "{none}");
        }
    }

    #[test]
    fn a_star_stands_for_every_host_below() {
        let list = "https://*.example.org, https://friend.example/, capacitor://localhost, tauri://localhost";
        for origin in [
            "https://a.example.org",
            "https://a.b.example.org:443",
            "https://friend.example",
            "capacitor://localhost",
            "tauri://localhost",
        ] {
            assert!(allows(list, origin), "{origin}");
        }
        for origin in [
            "https://example.org",
            "https://.example.org",
            "https://badexample.org",
            "http://a.example.org",
            "https://a.example.org:8443",
            "https://a.example.org.evil.example",
            "ionic://localhost",
        ] {
            assert!(!allows(list, origin), "{origin}");
        }
    }

    #[test]
    fn a_list_names_the_entry_that_is_not_an_origin() {
        for wrong in [
            "example.org",
            "*",
            "https://*",
            "https://a.*.example",
            "https://a/path",
            "null",
            "https://*.",
        ] {
            let list = format!("https://fine.example,{wrong}");
            assert_eq!(list.parse::<Origins>().expect_err(wrong), wrong);
        }
    }

    #[test]
    fn the_first_proxy_reports_the_scheme_of_the_client() {
        for (list, tls) in [
            ("https", true),
            ("HTTPS,http", true),
            (" https , http", true),
            ("http,https", false),
            ("", false),
        ] {
            let headers = HeaderMap::from_iter([(
                http::HeaderName::from_static("x-forwarded-proto"),
                list.parse().unwrap(),
            )]);
            assert_eq!(over_tls(&headers), tls, "{list}");
        }
        assert!(!over_tls(&HeaderMap::new()));
    }
}
