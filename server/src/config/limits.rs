//! How much one client may do.

use std::num::NonZeroU32;
use std::time::Duration;

use super::invalid::Invalid;

/// Limits that protect the server and its users from one client, or from many at once.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Whether rates and caps per address apply. Sizes always do.
    pub rates: bool,
    /// Characters of one message.
    pub message_chars: usize,
    /// Bytes of one command's JSON.
    pub frame_bytes: usize,
    /// Rooms that one connection may be in.
    pub rooms_per_connection: usize,
    /// Commands of one connection: per second, and in a burst.
    pub connection_rate: (NonZeroU32, NonZeroU32),
    /// Commands of one address: per second, and in a burst.
    pub address_rate: (NonZeroU32, NonZeroU32),
    /// TCP connections of one address at a time.
    pub connections_per_address: usize,
    /// Sign-ins of one address in a burst; the allowance refills over half an hour.
    pub sign_ins_per_address: NonZeroU32,
    /// Rooms that one address may create within five minutes.
    pub new_rooms_per_address: NonZeroU32,
    /// Joins that this process starts per second, for all clients together.
    pub joins_per_second: NonZeroU32,
    /// The interval between pings, and how long a client has to answer one.
    pub ping: (Duration, Duration),
}

impl Limits {
    /// The limits that clients are told.
    pub fn told(&self) -> protocol::Limits {
        let number = |size: usize| u32::try_from(size).unwrap_or(u32::MAX);
        protocol::Limits {
            message_chars: number(self.message_chars),
            command_bytes: number(self.frame_bytes),
        }
    }

    pub(super) fn parse(get: impl Fn(&'static str) -> String) -> Result<Self, Invalid> {
        let number = |name: &'static str, min: u32, max: u32| {
            let value = get(name);
            match value.parse() {
                Ok(number) if (min..=max).contains(&number) => Ok(number),
                _ => Err(Invalid {
                    name,
                    value,
                    allowed: format!("expected a whole number from {min} to {max}"),
                }),
            }
        };
        let positive =
            |name| number(name, 1, 1_000_000).map(|n| NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN));
        let seconds = |name| number(name, 1, 300).map(|n| Duration::from_secs(n.into()));
        let rates = match get("HUBBUB_LIMITS").as_str() {
            "on" => true,
            "off" => false,
            value => {
                let value = value.to_owned();
                return Err(Invalid {
                    name: "HUBBUB_LIMITS",
                    value,
                    allowed: "expected on or off".to_owned(),
                });
            }
        };
        Ok(Self {
            rates,
            message_chars: number("HUBBUB_MESSAGE_CHARS", 1, 8_000)? as usize,
            frame_bytes: number("HUBBUB_FRAME_BYTES", 1_024, 131_072)? as usize,
            rooms_per_connection: number("HUBBUB_ROOMS_PER_CONNECTION", 1, 10_000)? as usize,
            connection_rate: (
                positive("HUBBUB_COMMANDS_PER_SECOND")?,
                positive("HUBBUB_COMMAND_BURST")?,
            ),
            address_rate: (
                positive("HUBBUB_ADDRESS_COMMANDS_PER_SECOND")?,
                positive("HUBBUB_ADDRESS_COMMAND_BURST")?,
            ),
            connections_per_address: number("HUBBUB_CONNECTIONS_PER_ADDRESS", 1, 1_000_000)? as usize,
            sign_ins_per_address: positive("HUBBUB_SIGN_INS_PER_ADDRESS")?,
            new_rooms_per_address: positive("HUBBUB_NEW_ROOMS_PER_ADDRESS")?,
            joins_per_second: positive("HUBBUB_JOINS_PER_SECOND")?,
            ping: (seconds("HUBBUB_PING_INTERVAL")?, seconds("HUBBUB_PING_TIMEOUT")?),
        })
    }
}
