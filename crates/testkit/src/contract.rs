//! The contracts, one file per port. Each file begins with the list that its macro expands to.

pub mod accounts;
pub mod bus;
pub mod directory;
pub mod presence;
pub mod room_log;

#[cfg(test)]
mod tests {
    /// A contract missing from its list would never run.
    #[test]
    fn every_contract_is_listed() {
        for (port, source) in [
            ("accounts", include_str!("contract/accounts.rs")),
            ("bus", include_str!("contract/bus.rs")),
            ("directory", include_str!("contract/directory.rs")),
            ("presence", include_str!("contract/presence.rs")),
            (
                "room_log",
                concat!(
                    include_str!("contract/room_log.rs"),
                    include_str!("contract/room_log/storing.rs"),
                    include_str!("contract/room_log/guarding.rs"),
                    include_str!("contract/room_log/folding.rs"),
                    include_str!("contract/room_log/pages.rs"),
                    include_str!("contract/room_log/reading.rs"),
                    include_str!("contract/room_log/following.rs"),
                ),
            ),
        ] {
            let (_, list) = source.split_once("contract_tests!").expect("a list");
            let (list, contracts) = list.split_once('}').expect("the list's end");
            let listed: Vec<_> = list.split_whitespace().collect();
            for contract in contracts.split("\npub async fn ").skip(1) {
                let (name, _) = contract.split_once('(').expect("a function");
                assert!(listed.contains(&name), "{port}: {name} is not in the list");
            }
        }
    }
}
