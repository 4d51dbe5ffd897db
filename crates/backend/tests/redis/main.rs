//! What only the Redis backend promises: replicas are one chat, and faults of Redis or of a replica are survived.

mod cluster;
mod faults;
mod opening;
mod presence;
mod replicas;
mod support;
mod tls;
