//! What only the Redis bus promises: replicas that share a truth tell each other what was committed and who is present,
//! through faults of Redis and of each other.

mod away;
mod bus;
mod cluster;
mod faults;
mod opening;
mod presence;
mod replicas;
mod sessions;
mod support;
mod tls;
mod trips;
