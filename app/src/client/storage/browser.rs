//! A thin binding to IndexedDB, and to Web Locks for knowing which tabs live. Without them (a browser that forbids
//! storage, a page without TLS) everything works as long as the tab lives.

use std::cell::RefCell;

use js_sys::{Array, Function, Object, Promise, Reflect};
use leptos::prelude::window;
use protocol::Opaque;
use wasm_bindgen::prelude::*;
use web_sys::{IdbDatabase, IdbKeyRange, IdbObjectStore, IdbOpenDbRequest, IdbRequest, IdbTransactionMode};

use super::{Fields, Shelf};
use crate::client::json::Json;
use crate::client::platform;

const DATABASE: &str = "hubbub";
const VERSION: u32 = 1;
/// What the names of the tabs' locks begin with.
const LOCK: &str = "hubbub-tab-";

type Task = Box<dyn FnOnce(Option<&IdbDatabase>)>;

enum Opening {
    NotYet,
    Waiting(Vec<Task>),
    /// Nothing, if this browser keeps nothing for us.
    Open(Option<IdbDatabase>),
}

thread_local! {
    static STATE: RefCell<Opening> = const { RefCell::new(Opening::NotYet) };
    static TAB: String = new_tab();
}

#[wasm_bindgen]
extern "C" {
    type Locks;

    #[wasm_bindgen(method)]
    fn request(this: &Locks, name: &str, held: &Function) -> Promise;

    #[wasm_bindgen(method)]
    fn query(this: &Locks) -> Held;

    /// A promise of the locks that are held.
    type Held;

    #[wasm_bindgen(method)]
    fn then(this: &Held, kept: &Function, broken: &Function) -> JsValue;
}

/// Called once by the browser.
fn once(run: impl FnOnce(JsValue) + 'static) -> Function {
    boxed(Box::new(run))
}

// Once in the browser build, and not once for each closure.
fn boxed(run: Box<dyn FnOnce(JsValue)>) -> Function {
    Closure::once_into_js(run).unchecked_into()
}

/// The name of this tab, until it is reloaded.
pub fn tab() -> String {
    TAB.with(String::clone)
}

fn new_tab() -> String {
    let name = Opaque::from_random(platform::random()).as_str().to_owned();
    if let Some(locks) = locks() {
        // Held until the tab is gone, however it goes.
        let held = Closure::once_into_js(|_: JsValue| Promise::new(&mut |_, _| {}));
        let _ = locks.request(&format!("{LOCK}{name}"), held.unchecked_ref());
    }
    name
}

fn locks() -> Option<Locks> {
    let locks = Reflect::get(&window().navigator(), &"locks".into()).ok()?;
    (!locks.is_undefined()).then(|| locks.unchecked_into())
}

/// The tabs that are not gone, if this browser knows.
pub fn living_tabs(answer: impl FnOnce(Option<Vec<String>>) + 'static) {
    let Some(locks) = locks() else {
        return answer(None);
    };
    // Fulfilled with what is held, or rejected with something that holds nothing.
    let done = once(move |locks| {
        let held = Json(locks).get("held");
        answer(held.map(|Json(held)| {
            let names = items(held).into_iter().filter_map(|lock| lock.text("name"));
            names
                .filter_map(|name| name.strip_prefix(LOCK).map(str::to_owned))
                .collect()
        }));
    });
    locks.query().then(&done, &done);
}

/// Calls back when that tab is gone, however it goes.
pub fn when_gone(tab: &str, call: impl FnOnce() + 'static) {
    if let Some(locks) = locks() {
        let _ = locks.request(&format!("{LOCK}{tab}"), &once(move |_| call()));
    }
}

fn items(array: JsValue) -> Vec<Json> {
    let array: Array = array.unchecked_into();
    array.iter().map(Json).collect()
}

/// Writes a value, or removes what is there.
pub fn write(shelf: Shelf, key: &str, value: Option<Fields>) {
    let key = key.into();
    with(Box::new(move |database| {
        let Some(store) = database.and_then(|it| store(it, shelf, IdbTransactionMode::Readwrite)) else {
            return;
        };
        let _ = match value {
            None => store.delete(&key),
            Some(fields) => {
                let value = Object::new();
                for (name, text) in fields {
                    let _ = Reflect::set(&value, &name.into(), &text.into());
                }
                store.put_with_key(&value, &key)
            }
        };
    }));
}

/// The values whose keys begin so, in the order of their keys.
pub fn read(shelf: Shelf, prefix: &str, answer: impl FnOnce(Vec<Json>) + 'static) {
    read_all(shelf, prefix, Box::new(answer));
}

fn read_all(shelf: Shelf, prefix: &str, answer: Box<dyn FnOnce(Vec<Json>)>) {
    let (first, last) = (JsValue::from(prefix), JsValue::from(format!("{prefix}\u{ffff}")));
    with(Box::new(move |database| {
        let request = database.and_then(|database| {
            let store = store(database, shelf, IdbTransactionMode::Readonly)?;
            let range = IdbKeyRange::bound(&first, &last).ok()?;
            store.get_all_with_key(&range).ok()
        });
        let Some(request) = request else {
            return answer(Vec::new());
        };
        when_done(&request, move |found| {
            answer(found.map(items).unwrap_or_default());
        });
    }));
}

fn store(database: &IdbDatabase, shelf: Shelf, mode: IdbTransactionMode) -> Option<IdbObjectStore> {
    let transaction = database.transaction_with_str_and_mode(shelf.name(), mode).ok()?;
    transaction.object_store(shelf.name()).ok()
}

fn when_done(request: &IdbRequest, done: impl FnOnce(Option<JsValue>) + 'static) {
    let asked = request.clone();
    let done = once(move |_| done(asked.result().ok()));
    // One of the two happens.
    request.set_onsuccess(Some(&done));
    request.set_onerror(Some(&done));
}

/// Does something with the database, as soon as it is open.
fn with(task: Task) {
    // Whatever is done with it may come back here.
    match STATE.replace(Opening::NotYet) {
        Opening::Open(database) => {
            STATE.set(Opening::Open(database.clone()));
            task(database.as_ref());
        }
        Opening::Waiting(mut tasks) => {
            tasks.push(task);
            STATE.set(Opening::Waiting(tasks));
        }
        Opening::NotYet => {
            STATE.set(Opening::Waiting(vec![task]));
            if open().is_none() {
                opened(None);
            }
        }
    }
}

fn open() -> Option<()> {
    let factory = window().indexed_db().ok()??;
    let request = factory.open_with_u32(DATABASE, VERSION).ok()?;
    let upgrading: IdbOpenDbRequest = request.clone();
    let upgrade = once(move |_| {
        if let Some(database) = database(&upgrading) {
            for shelf in Shelf::ALL {
                let _ = database.create_object_store(shelf.name());
            }
        }
    });
    request.set_onupgradeneeded(Some(&upgrade));
    let done = request.clone();
    when_done(&request, move |_| {
        let database = database(&done);
        if let Some(database) = &database {
            // A newer page in another tab wants to change it: it must not wait for us.
            let closing = database.clone();
            let close = once(move |_| {
                closing.close();
                STATE.set(Opening::Open(None));
            });
            database.set_onversionchange(Some(&close));
        }
        opened(database);
    });
    Some(())
}

fn database(request: &IdbOpenDbRequest) -> Option<IdbDatabase> {
    request.result().ok()?.dyn_into().ok()
}

fn opened(database: Option<IdbDatabase>) {
    let tasks = match STATE.replace(Opening::Open(database.clone())) {
        Opening::Waiting(tasks) => tasks,
        _ => Vec::new(),
    };
    for task in tasks {
        task(database.as_ref());
    }
}
