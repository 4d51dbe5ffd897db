//! What only PostgreSQL promises: what is refused at the start, and what survives faults of the server.

mod alone;
mod copy;
mod damage;
mod failover;
mod faults;
mod opening;
mod settings;
mod speed;
mod support;
mod tls;
mod together;
