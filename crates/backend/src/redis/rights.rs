//! Checks that the user in the URL has the rights that Hubbub needs.

use ::redis::RedisError;
use ::redis::aio::MultiplexedConnection;
use protocol::RoomSlug;

use super::keys::{Keys, Topic};

/// Every command that this backend sends or runs in a script, with enough arguments to show its keys (`K`) and channels
/// (`C`). A cluster needs more.
const NEEDED: &[&str] = &[
    "PING",
    "INFO",
    "SCAN 0",
    "TIME",
    "EVAL x 1 K",
    "EVALSHA x 1 K",
    "EXISTS K",
    "GET K",
    "SET K x",
    "INCR K",
    "HGET K x",
    "HKEYS K",
    "HLEN K",
    "HSET K x x",
    "HSETNX K x x",
    "HINCRBY K x 1",
    "HDEL K x",
    "ZADD K 1 x",
    "ZCOUNT K 0 1",
    "ZRANGE K 0 1",
    "ZRANGEBYSCORE K 0 1",
    "ZREMRANGEBYSCORE K 0 1",
    "ZREVRANGE K 0 1",
    "ZSCORE K x",
    "ZREM K x",
    "SPUBLISH C x",
    "SSUBSCRIBE C",
    "SUNSUBSCRIBE C",
];
const NEEDED_IN_CLUSTER: &[&str] = &["ASKING", "CLUSTER SLOTS"];

/// A script that returns the numbers of the commands that the user may not run.
const CHECK: &str = "
    local missing = {}
    for n, line in ipairs(ARGV) do
        local words = {}
        for word in string.gmatch(line, '%S+') do table.insert(words, word) end
        if redis.acl_check_cmd and not redis.acl_check_cmd(unpack(words)) then table.insert(missing, n) end
    end
    return missing";

/// The missing rights, as rules of `ACL SETUSER`. Empty if nothing is missing.
pub async fn missing(
    connection: &mut MultiplexedConnection,
    keys: &Keys,
    cluster: bool,
) -> Result<String, RedisError> {
    let lobby = RoomSlug::lobby();
    let (key, channel) = (keys.occupied(), keys.channel(&Topic::Room(lobby)));
    let needed: Vec<&str> = if cluster {
        [NEEDED, NEEDED_IN_CLUSTER].concat()
    } else {
        NEEDED.to_vec()
    };
    let mut check = ::redis::cmd("EVAL");
    check.arg(CHECK).arg(0);
    for line in &needed {
        let words = line.split(' ').map(|word| match word {
            "K" => key.as_str(),
            "C" => channel.as_str(),
            word => word,
        });
        check.arg(words.collect::<Vec<_>>().join(" "));
    }
    let missing: Vec<usize> = check.query_async(connection).await?;
    let missing = missing.iter().filter_map(|n| needed.get(n - 1));
    Ok(rules(missing.copied(), &keys.all()))
}

/// Rules for these commands and for their keys and channels.
fn rules<'a>(missing: impl Iterator<Item = &'a str>, names: &str) -> String {
    let (mut commands, mut about) = (Vec::new(), Vec::new());
    for line in missing {
        let mut words = line.split(' ');
        let command = words.next().unwrap_or_default().to_lowercase();
        commands.push(if command == "cluster" {
            "+cluster|slots".to_owned()
        } else {
            format!("+{command}")
        });
        for word in words {
            let rule = match word {
                "K" => format!("~{names}"),
                "C" => format!("&{names}"),
                _ => continue,
            };
            if !about.contains(&rule) {
                about.push(rule);
            }
        }
    }
    about.extend(commands);
    about.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_those_of_acl_setuser() {
        let missing = ["SPUBLISH C x", "SSUBSCRIBE C", "HGET K x", "CLUSTER SLOTS"];
        let expected = "&hubbub:* ~hubbub:* +spublish +ssubscribe +hget +cluster|slots";
        assert_eq!(rules(missing.into_iter(), "hubbub:*"), expected);
        assert_eq!(rules(std::iter::empty(), "hubbub:*"), "");
    }

    /// A new command must be added to the list.
    #[test]
    fn every_command_is_in_the_list() {
        let known: Vec<&str> = [NEEDED, NEEDED_IN_CLUSTER]
            .concat()
            .iter()
            .filter_map(|line| line.split(' ').next())
            .collect();
        let sources =
            std::path::PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("src/redis");
        let mut folders = vec![sources];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let text = std::fs::read_to_string(&path).unwrap();
                for (before, after) in [("redis.call('", '\''), ("redis::cmd(\"", '"')] {
                    for rest in text.split(before).skip(1) {
                        let command = rest.split(after).next().unwrap();
                        let named = command.chars().all(|c| c.is_ascii_uppercase());
                        assert!(
                            !named || known.contains(&command),
                            "{command} in {}",
                            path.display()
                        );
                    }
                }
            }
        }
    }
}
