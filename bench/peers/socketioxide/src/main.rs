//! Rooms on a bare socketioxide behind `axum::serve`, run as its documentation shows:
//!
//! * `peer-socketioxide PORT`: one process, no adapter;
//! * `peer-socketioxide PORT REDIS_URL`: one of several processes on one Redis.
//!
//! Listens on 127.0.0.1 and prints `ready` once it does.

mod rooms;

use axum::serve::ListenerExt;
use rooms::Rooms;
use socketioxide::{
    SocketIo,
    adapter::{Adapter, Emitter, LocalAdapter},
    handler::ConnectHandler,
    layer::SocketIoLayer,
};
use socketioxide_redis::{RedisAdapter, RedisAdapterCtr, drivers::redis::redis_client as redis};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};

/// Packets that may wait for a client. The default, 128, silently loses part of a burst of 200 messages.
const BUFFER: usize = 8192;

type Failure = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let port = arguments
        .next()
        .ok_or("usage: peer-socketioxide PORT [REDIS_URL]")?
        .parse()?;
    match arguments.next() {
        None => {
            let (layer, io) = SocketIo::builder()
                .max_buffer_size(BUFFER)
                .with_state(Rooms::<LocalAdapter>::default())
                .build_layer();
            io.ns("/", rooms::on_connect.with(rooms::register));
            serve(port, layer).await
        }
        Some(url) => {
            let separator = if url.contains('?') { '&' } else { '?' };
            let client = redis::Client::open(format!("{url}{separator}protocol=resp3"))?;
            let adapter = RedisAdapterCtr::new_with_redis(&client).await?;
            let (layer, io) = SocketIo::builder()
                .max_buffer_size(BUFFER)
                .with_state(Rooms::<RedisAdapter<Emitter>>::default())
                .with_adapter::<RedisAdapter<Emitter>>(adapter)
                .build_layer();
            io.ns("/", rooms::on_connect.with(rooms::register)).await?;
            serve(port, layer).await
        }
    }
}

async fn serve<A: Adapter>(port: u16, layer: SocketIoLayer<A>) -> Result<(), Failure> {
    let app = axum::Router::new().layer(layer);
    // As in Node.js by default. Without it small packets may wait for the client's delayed ACK.
    let listener = TcpListener::bind(("127.0.0.1", port)).await?.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    let mut terminate = signal(SignalKind::terminate())?;
    println!("ready");
    tokio::select! {
        ended = async { axum::serve(listener, app).await } => ended?,
        _ = terminate.recv() => {}
    }
    Ok(())
}
