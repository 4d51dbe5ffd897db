//! The client's address of a request that came through trusted proxies.

use std::net::IpAddr;
use std::str::FromStr;

use http::HeaderMap;
use ipnet::IpNet;

/// The addresses of the proxies in front of us. Their `X-Forwarded-For` is trusted.
#[derive(Clone, Debug, Default)]
pub struct Proxies(Vec<IpNet>);

pub use chat::ClientAddress;

impl Proxies {
    pub fn any(&self) -> bool {
        !self.0.is_empty()
    }

    /// True if this address is a trusted proxy.
    pub fn trust(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// The client's address of a request.
    ///
    /// Each proxy appends the address of its own peer to `X-Forwarded-For`. So the list is read from its end, and the
    /// first address that is not a trusted proxy is the client's. Anything before it comes from the client and may be
    /// forged.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> ClientAddress {
        let mut nearest = peer.to_canonical();
        let hops = headers.get_all("x-forwarded-for").iter().rev();
        let hops = hops.flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','));
        for hop in hops {
            if !self.trust(nearest) {
                break;
            }
            // An unreadable hop hides everything before it. The last address known is that of the proxy that wrote
            // it.
            let Some(address) = address(hop) else { break };
            nearest = address;
        }
        ClientAddress::of(nearest)
    }
}

/// An address as proxies write it: alone, or with a port.
fn address(hop: &[u8]) -> Option<IpAddr> {
    let hop = std::str::from_utf8(hop).ok()?.trim();
    let address = hop
        .parse()
        .or_else(|_| hop.parse::<std::net::SocketAddr>().map(|socket| socket.ip()));
    address.ok().map(|address: IpAddr| address.to_canonical())
}

/// A list of addresses and networks, separated by commas. The error is the entry that is neither.
impl FromStr for Proxies {
    type Err = String;

    fn from_str(list: &str) -> Result<Self, String> {
        let entries = list.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        entries
            .map(|entry| {
                let alone = || {
                    entry
                        .parse::<IpAddr>()
                        .map(|address| IpNet::from(address.to_canonical()))
                };
                entry
                    .parse::<IpNet>()
                    .or_else(|_| alone())
                    .map_err(|_| entry.to_owned())
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(trusted: &str, peer: &str, lines: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("x-forwarded-for", line.parse().unwrap());
        }
        let proxies: Proxies = trusted.parse().unwrap();
        proxies
            .client(peer.parse().unwrap(), &headers)
            .counted()
            .to_string()
    }

    #[test]
    fn the_last_address_that_is_not_a_proxy_is_the_client() {
        let two = "127.0.0.1, 10.0.0.0/8, fd00::/8";
        for (trusted, peer, lines, expected) in [
            // No trusted proxy: the client is the peer, whatever the header says.
            ("", "127.0.0.1", &["203.0.113.1"][..], "127.0.0.1"),
            ("10.0.0.0/8", "127.0.0.1", &["203.0.113.1"], "127.0.0.1"),
            // One proxy, and a proxy behind a proxy.
            (two, "127.0.0.1", &["203.0.113.1"], "203.0.113.1"),
            (two, "127.0.0.1", &["203.0.113.1, 10.1.2.3"], "203.0.113.1"),
            (two, "127.0.0.1", &["203.0.113.1", "10.1.2.3"], "203.0.113.1"),
            // What a client forges stands to the left of what a proxy saw.
            (two, "127.0.0.1", &["198.51.100.7, 203.0.113.1"], "203.0.113.1"),
            (
                two,
                "127.0.0.1",
                &["127.0.0.1, 203.0.113.1, 10.1.2.3"],
                "203.0.113.1",
            ),
            // No header, only proxies, or an unreadable entry.
            (two, "127.0.0.1", &[], "127.0.0.1"),
            (two, "127.0.0.1", &["10.9.9.9, 10.1.2.3"], "10.9.9.9"),
            (two, "127.0.0.1", &["203.0.113.1, unknown"], "127.0.0.1"),
            (two, "127.0.0.1", &["203.0.113.1, , 10.1.2.3"], "10.1.2.3"),
            // With ports, in IPv6, and IPv4 dressed as IPv6.
            (two, "127.0.0.1", &["203.0.113.1:50000"], "203.0.113.1"),
            (two, "fd00::1", &["[2001:db8::1]:443"], "2001:db8::"),
            (two, "::ffff:127.0.0.1", &["::ffff:203.0.113.1"], "203.0.113.1"),
        ] {
            assert_eq!(
                client(trusted, peer, lines),
                expected,
                "{peer} {lines:?} trusting {trusted:?}"
            );
        }
    }

    #[test]
    fn a_network_is_one_address() {
        for (address, counted) in [
            ("192.0.2.7", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
            ("2001:db8:1:3::1", "2001:db8:1:3::"),
            ("::1", "::"),
        ] {
            let counted: IpAddr = counted.parse().unwrap();
            assert_eq!(
                ClientAddress::of(address.parse().unwrap()).counted(),
                counted,
                "{address}"
            );
        }
    }

    #[test]
    fn a_list_names_the_entry_that_is_not_an_address() {
        for (list, wrong) in [
            ("localhost", "localhost"),
            ("127.0.0.1, 10.0.0.0/33", "10.0.0.0/33"),
            ("10.0.0.1:80", "10.0.0.1:80"),
        ] {
            assert_eq!(list.parse::<Proxies>().expect_err(list), wrong);
        }
        assert!(" ,".parse::<Proxies>().is_ok_and(|proxies| proxies.0.is_empty()));
    }
}
