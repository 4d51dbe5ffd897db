//! A thin binding to IndexedDB, and to Web Locks to know which tabs are open. Without them (a browser that forbids
//! storage, a page without TLS) everything works until the tab closes, and the page warns that text cannot be stored.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use js_sys::{Array, Function, Object, Promise, Reflect};
use leptos::prelude::{set_timeout, window, window_event_listener_untyped};
use protocol::Opaque;
use wasm_bindgen::prelude::*;
use web_sys::{IdbDatabase, IdbKeyRange, IdbObjectStore, IdbOpenDbRequest, IdbRequest, IdbTransactionMode};

use super::{Fields, Shelf};
use crate::client::json::Json;
use crate::client::platform;

const DATABASE: &str = "hubbub";
const VERSION: u32 = 1;
/// Prefix of the tabs' lock names.
const LOCK: &str = "hubbub-tab-";
/// Session storage key of the id that this tab had before a reload.
const BEFORE: &str = "hubbub-tab";
/// Prefix of the local storage keys that name the people whose text is not stored.
const REFUSED: &str = "hubbub-signed-out-";
/// If the database is not open after this many milliseconds, the page warns that text is not stored.
const OPEN_MS: u64 = 3_000;

type Task = Box<dyn FnOnce(Option<&IdbDatabase>)>;

enum Opening {
    NotYet,
    Waiting(Vec<Task>),
    /// `None` if the browser refused.
    Open(Option<IdbDatabase>),
}

/// Called with true if the browser does not store text.
type Tell = Box<dyn Fn(bool)>;

thread_local! {
    static STATE: RefCell<Opening> = const { RefCell::new(Opening::NotYet) };
    /// The id of this tab, and the one before a reload.
    static TAB: (String, Option<String>) = new_tab();
    /// Keys of values that could not be written.
    static NOT_STORED: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    /// The database takes long to open: another tab may block it.
    static SLOW: Cell<bool> = const { Cell::new(false) };
    static TELL: RefCell<Option<Tell>> = const { RefCell::new(None) };
}

/// Reports whether there is text that this browser does not store, whenever that may have changed.
pub fn on_failure(tell: impl Fn(bool) + 'static) {
    TELL.set(Some(Box::new(tell)));
}

fn settled(what: &str, kept: bool) {
    NOT_STORED.with_borrow_mut(|not_stored| {
        not_stored.retain(|known| known != what);
        if !kept {
            not_stored.push(what.to_owned());
        }
    });
    tell();
}

fn tell() {
    let trouble = SLOW.get() || NOT_STORED.with_borrow(|not_stored| !not_stored.is_empty());
    TELL.with_borrow(|tell| {
        if let Some(tell) = tell {
            tell(trouble);
        }
    });
}

#[wasm_bindgen]
extern "C" {
    type Locks;

    #[wasm_bindgen(method)]
    fn request(this: &Locks, name: &str, held: &Function) -> Promise;

    #[wasm_bindgen(method)]
    fn query(this: &Locks) -> Held;

    /// Session storage or local storage.
    type Items;

    #[wasm_bindgen(method, catch, js_name = getItem)]
    fn get(this: &Items, name: &str) -> Result<Option<String>, JsValue>;

    #[wasm_bindgen(method, catch, js_name = setItem)]
    fn set(this: &Items, name: &str, value: &str) -> Result<(), JsValue>;

    /// A promise for the locks that are held.
    type Held;

    #[wasm_bindgen(method)]
    fn then(this: &Held, kept: &Function, broken: &Function) -> JsValue;
}

/// A function that the browser calls once.
fn once(run: impl FnOnce(JsValue) + 'static) -> Function {
    boxed(Box::new(run))
}

// Not generic, so that the browser build has one copy and not one per closure.
fn boxed(run: Box<dyn FnOnce(JsValue)>) -> Function {
    Closure::once_into_js(run).unchecked_into()
}

/// The id of this tab, until it is reloaded.
pub fn tab() -> String {
    TAB.with(|(tab, _)| tab.clone())
}

/// The id that this tab had before a reload. A duplicated tab has the original's.
pub fn tab_before() -> Option<String> {
    TAB.with(|(_, before)| before.clone())
}

fn new_tab() -> (String, Option<String>) {
    let name = Opaque::from_random(platform::random()).as_str().to_owned();
    if let Some(locks) = locks() {
        // Held until the tab closes or crashes.
        let held = Closure::once_into_js(|_: JsValue| Promise::new(&mut |_, _| {}));
        let _ = locks.request(&format!("{LOCK}{name}"), held.unchecked_ref());
    }
    let before = swap("sessionStorage", BEFORE, Some(&name));
    (name, before)
}

/// Returns an item of session or local storage, and replaces it if there is a new value.
fn swap(storage: &str, key: &str, value: Option<&str>) -> Option<String> {
    let items: Items = Reflect::get(&window(), &storage.into()).ok()?.unchecked_into();
    let before = items.get(key).ok()?;
    if let Some(value) = value {
        items.set(key, value).ok()?;
    }
    before
}

fn refused(person: &str, value: Option<&str>) -> bool {
    swap("localStorage", &format!("{REFUSED}{person}"), value).is_some()
}

/// Stores nothing of this person any more, in any tab. Ids are not used again.
pub fn refuse(person: &str) {
    refused(person, Some(""));
}

/// True if nothing of this person is stored.
pub fn refuses(person: &str) -> bool {
    refused(person, None)
}

/// Runs a closure when another tab has called [`refuse`].
pub fn on_refusal(tell: impl Fn() + 'static) {
    window_event_listener_untyped("storage", move |_| tell());
}

fn locks() -> Option<Locks> {
    let locks = Reflect::get(&window().navigator(), &"locks".into()).ok()?;
    (!locks.is_undefined()).then(|| locks.unchecked_into())
}

/// Lists the open tabs, if the browser can.
pub fn open_tabs(answer: impl FnOnce(Option<Vec<String>>) + 'static) {
    let Some(locks) = locks() else {
        return answer(None);
    };
    // Called on success with the locks, or on failure with an error, which has no `held`.
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

/// Calls back when that tab closes or crashes.
pub fn when_closed(tab: &str, call: impl FnOnce() + 'static) {
    if let Some(locks) = locks() {
        let _ = locks.request(&format!("{LOCK}{tab}"), &once(move |_| call()));
    }
}

fn items(array: JsValue) -> Vec<Json> {
    let array: Array = array.unchecked_into();
    array.iter().map(Json).collect()
}

/// Writes a value, or deletes it if there is none. Keys start with the person's id.
pub fn write(shelf: Shelf, key: &str, value: Option<Fields>) {
    let value = value.filter(|_| !key.split('/').next().is_some_and(refuses));
    let name = format!("{}/{key}", shelf.name());
    let key = key.into();
    let forgotten = value.is_none();
    change(
        shelf,
        Box::new(move |store| {
            let Some(fields) = value else {
                store.delete(&key).ok()?;
                return Some(());
            };
            let value = Object::new();
            for (name, text) in fields {
                let _ = Reflect::set(&value, &name.into(), &text.into());
            }
            store.put_with_key(&value, &key).ok()?;
            Some(())
        }),
        Box::new(move |kept| settled(&name, kept || forgotten)),
    );
}

/// Deletes the values whose keys start with `prefix`, then calls `done` even on failure.
pub fn clear(shelf: Shelf, prefix: &str, done: impl FnOnce() + 'static) {
    let range = range(prefix);
    change(
        shelf,
        Box::new(move |store| {
            store.delete(&range?).ok()?;
            Some(())
        }),
        Box::new(move |_| done()),
    );
}

/// Runs a transaction, and reports whether it completed.
fn change(shelf: Shelf, make: Box<dyn FnOnce(IdbObjectStore) -> Option<()>>, done: Box<dyn FnOnce(bool)>) {
    with(Box::new(move |database| {
        let mode = IdbTransactionMode::Readwrite;
        let transaction = database.and_then(|database| {
            let names = shelf.name();
            let transaction = database.transaction_with_str_and_mode(names, mode).ok()?;
            make(transaction.object_store(names).ok()?)?;
            Some(transaction)
        });
        let Some(transaction) = transaction else {
            return done(false);
        };
        // Exactly one of the two events fires.
        let ended = once(move |event| {
            let complete = Reflect::get(&event, &"type".into()).is_ok_and(|kind| kind == "complete");
            done(complete);
        });
        transaction.set_oncomplete(Some(&ended));
        transaction.set_onabort(Some(&ended));
    }));
}

fn range(prefix: &str) -> Option<JsValue> {
    let last = format!("{prefix}\u{ffff}");
    Some(IdbKeyRange::bound(&prefix.into(), &last.into()).ok()?.into())
}

/// Reads the values whose keys start with `prefix`, ordered by key.
pub fn read(shelf: Shelf, prefix: &str, answer: impl FnOnce(Vec<Json>) + 'static) {
    read_all(shelf, prefix, Box::new(answer));
}

fn read_all(shelf: Shelf, prefix: &str, answer: Box<dyn FnOnce(Vec<Json>)>) {
    let range = range(prefix);
    with(Box::new(move |database| {
        let request = database.and_then(|database| {
            let transaction = database.transaction_with_str(shelf.name()).ok()?;
            let store = transaction.object_store(shelf.name()).ok()?;
            store.get_all_with_key(&range?).ok()
        });
        let Some(request) = request else {
            return answer(Vec::new());
        };
        when_done(&request, move |found| {
            answer(found.map(items).unwrap_or_default());
        });
    }));
}

fn when_done(request: &IdbRequest, done: impl FnOnce(Option<JsValue>) + 'static) {
    let asked = request.clone();
    let done = once(move |_| done(asked.result().ok()));
    // Exactly one of the two events fires.
    request.set_onsuccess(Some(&done));
    request.set_onerror(Some(&done));
}

/// Runs a task with the database as soon as it is open.
fn with(task: Task) {
    // The task may call this function again.
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
            } else {
                set_timeout(
                    || {
                        if STATE.with_borrow(|state| matches!(state, Opening::Waiting(_))) {
                            SLOW.set(true);
                            tell();
                        }
                    },
                    Duration::from_millis(OPEN_MS),
                );
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
            // Another tab wants to upgrade or delete the database, or the browser closed it. The next access opens it
            // again.
            let closing = database.clone();
            let close = once(move |_| {
                closing.close();
                STATE.set(Opening::NotYet);
            });
            database.set_onversionchange(Some(&close));
            database.set_onclose(Some(&close));
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
    SLOW.set(false);
    tell();
    for task in tasks {
        task(database.as_ref());
    }
}
