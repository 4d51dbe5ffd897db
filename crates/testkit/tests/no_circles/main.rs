//! No files import one another in a circle, so that each can be read, tested and moved after those that it imports.
//!
//! What counts as an import, in the files of a crate without its tests:
//!
//! - A path that begins with `crate`, `super` or `self`, with the name of a child module, or with a name that `use`
//!   brought in, wherever it is written: in a `use`, an expression, a type or a macro.
//! - It leads to the file that defines the item. A re-export on the way is looked through, so a `pub use` in `a.rs` of
//!   something in `a/b.rs` makes nobody import `a.rs`.
//! - A parent that only declares `mod x;` and re-exports what is in it does not import it. Any other use by the parent
//!   counts, and so does whatever a child takes from its parent.
//! - A method that is called on a value is no import.

mod circles;
mod modules;
mod tokens;

use std::collections::BTreeSet;
use std::path::Path;

use circles::{circles, describe};

/// The crates, by the file that is their root.
const CRATES: [&str; 4] = [
    "crates/protocol/src/lib.rs",
    "crates/chat/src/lib.rs",
    "crates/backend/src/lib.rs",
    "server/src/main.rs",
];

/// Files that are still in a circle. The list only gets shorter.
const STILL: &[&str] = &[
    "config.rs",
    "config/limits.rs",
    "engine.rs",
    "engine/link.rs",
    "engine/polling.rs",
    "engine/session.rs",
    "engine/upgrade.rs",
    "http.rs",
    "http/cache.rs",
    "http/client.rs",
    "http/cors.rs",
    "http/forms.rs",
    "http/health.rs",
    "http/origin.rs",
    "http/pages.rs",
    "http/target.rs",
    "listener.rs",
    "listener/answer.rs",
    "listener/stream.rs",
    "live/wire.rs",
    "live/wire/out.rs",
    "live/wire/polled.rs",
    "readiness.rs",
    "shutdown.rs",
    "socket.rs",
    "socket/ack.rs",
    "socket/caller.rs",
    "socket/connection.rs",
    "socket/create_room.rs",
    "socket/demo.rs",
    "socket/goodbye.rs",
    "socket/history.rs",
    "socket/inbox.rs",
    "socket/join.rs",
    "socket/leave.rs",
    "socket/line.rs",
    "socket/list_rooms.rs",
    "socket/logins.rs",
    "socket/roster.rs",
    "socket/send.rs",
    "socket/server.rs",
    "socket/sign_in.rs",
    "socket/slow.rs",
    "socket/typing.rs",
    "state.rs",
];

#[test]
fn no_files_import_one_another_in_a_circle() {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let (mut found, mut text) = (BTreeSet::new(), String::new());
    for root in CRATES {
        let imports = modules::imports(&project.join(root));
        assert!(imports.len() > 5, "{root} was not read");
        let circles = circles(&imports);
        println!("{root}: {} files, {} circles", imports.len(), circles.len());
        for circle in circles {
            text += &format!("{root}: {} files\n{}", circle.len(), describe(&circle, &imports));
            found.extend(circle);
        }
    }
    let still: BTreeSet<_> = STILL.iter().map(|file| (*file).to_owned()).collect();
    let (new, gone): (Vec<_>, Vec<_>) = (
        found.difference(&still).collect(),
        still.difference(&found).collect(),
    );
    assert!(new.is_empty(), "new in a circle: {new:?}\n{text}");
    assert!(gone.is_empty(), "in no circle any more; strike them: {gone:?}");
}
