//! Binds the official socket.io-client, which the page's import map locates.

use std::cell::OnceCell;

use js_sys::{Function, JSON, Object, Reflect};
use wasm_bindgen::prelude::*;

use super::{Answer, Attempt, EVENTS, Incoming};
use crate::client::json::Json;

/// Timeout of a command, in milliseconds. Its outcome is unknown afterwards.
const ANSWER_MS: u32 = 10_000;

#[wasm_bindgen(module = "socket.io-client")]
extern "C" {
    type IoSocket;

    #[wasm_bindgen(js_name = io)]
    fn io(url: &str, options: &JsValue) -> IoSocket;

    #[wasm_bindgen(method)]
    fn on(this: &IoSocket, event: &str, handler: &JsValue);

    #[wasm_bindgen(method)]
    fn timeout(this: &IoSocket, ms: u32) -> IoSocket;

    #[wasm_bindgen(method)]
    fn emit(this: &IoSocket, event: &str, payload: &JsValue, answer: &JsValue);

    #[wasm_bindgen(method)]
    fn connect(this: &IoSocket);

    #[wasm_bindgen(method)]
    fn disconnect(this: &IoSocket);

    #[wasm_bindgen(method, getter)]
    fn active(this: &IoSocket) -> bool;

    #[wasm_bindgen(method, getter)]
    fn io(this: &IoSocket) -> Manager;

    type Manager;

    #[wasm_bindgen(method)]
    fn on(this: &Manager, event: &str, handler: &JsValue);

    #[wasm_bindgen(method)]
    fn timeout(this: &Manager, ms: u32);

    #[wasm_bindgen(method, getter)]
    fn opts(this: &Manager) -> JsValue;
}

thread_local! {
    static SOCKET: OnceCell<IoSocket> = const { OnceCell::new() };
}

fn with(f: impl FnOnce(&IoSocket)) {
    SOCKET.with(|socket| {
        if let Some(socket) = socket.get() {
            f(socket);
        }
    });
}

/// Opens the connection. `handler` gets everything that happens on it until the tab closes.
pub fn open(attempt: Attempt, handler: impl Fn(Incoming) + 'static) {
    // WebSocket first saves the round trip of an upgrade. `tryAllTransports` falls back to polling where it is refused.
    let options = format!(
        r#"{{"auth":{{"protocol":{}}},"tryAllTransports":true,"reconnectionDelay":500,"transports":{},"timeout":{}}}"#,
        protocol::PROTOCOL_VERSION,
        transports(attempt),
        attempt.within_ms
    );
    let socket = io(
        "/chat",
        &JSON::parse(&options).unwrap_or_else(|_| Object::new().into()),
    );
    let handler = std::rc::Rc::new(handler);
    for event in EVENTS {
        let handler = handler.clone();
        listen(&socket, event, move |payload| {
            handler(Incoming::Event(event, Json(payload)))
        });
    }
    let connected = handler.clone();
    listen(&socket, "connect", move |_| connected(Incoming::Connected));
    for (event, incoming) in [("open", Incoming::Opened), ("ping", Incoming::Ping)] {
        let handler = handler.clone();
        socket
            .io()
            .on(event, &callback(move |_| handler(incoming.clone())));
    }
    for event in ["disconnect", "connect_error"] {
        let handler = handler.clone();
        listen(&socket, event, move |reason| {
            // The argument is a reason as a string, or an error with a message.
            let message = reason
                .as_string()
                .or_else(|| Reflect::get(&reason, &"message".into()).ok()?.as_string());
            with(|socket| {
                handler(Incoming::Lost {
                    retrying: socket.active(),
                    message: message.unwrap_or_default(),
                });
            });
        });
    }
    SOCKET.with(|slot| {
        let _ = slot.set(socket);
    });
}

fn transports(attempt: Attempt) -> &'static str {
    if attempt.polling {
        r#"["polling","websocket"]"#
    } else {
        r#"["websocket","polling"]"#
    }
}

/// Sets transport and deadline of the next attempt.
pub fn prepare(attempt: Attempt) {
    with(|socket| {
        let manager = socket.io();
        manager.timeout(attempt.within_ms);
        if let Ok(transports) = JSON::parse(transports(attempt)) {
            let _ = Reflect::set(&manager.opts(), &"transports".into(), &transports);
        }
    });
}

fn listen(socket: &IoSocket, event: &str, handler: impl Fn(JsValue) + 'static) {
    socket.on(event, &callback(handler));
}

fn callback(handler: impl Fn(JsValue) + 'static) -> JsValue {
    let closure: Closure<dyn Fn(JsValue)> = Closure::new(handler);
    closure.into_js_value()
}

/// Emits a command with its payload as JSON.
pub fn emit(command: &str, json: &str, answer: Answer) {
    let on_answer: Function = Closure::once_into_js(move |error: JsValue, reply: JsValue| {
        answer(error.is_null().then_some(Json(reply)));
    })
    .unchecked_into();
    with(|socket| {
        if let Ok(payload) = JSON::parse(json) {
            socket.timeout(ANSWER_MS).emit(command, &payload, &on_answer);
        }
    });
}

/// Connects again after a disconnection from which the library does not reconnect by itself.
pub fn connect() {
    with(IoSocket::connect);
}

/// Closes the connection.
pub fn disconnect() {
    with(IoSocket::disconnect);
}
