//! What only the Redis backend promises: replicas share one chat and survive faults of Redis and of each other.

mod cluster;
mod faults;
mod opening;
mod presence;
mod replicas;
mod support;
mod tls;
