//! Files do not import one another in a circle, so each can be read, tested and moved after those that it imports.
//!
//! What counts as an import, in the files of a crate without its tests:
//!
//! - A path that begins with `crate`, `super` or `self`, with the name of a child module, or with a name that `use`
//!   brought in, wherever it stands: in a `use`, an expression, a type or a macro.
//! - It leads to the file that defines the item. A file on the way that re-exports the item counts as imported as well,
//!   if it does more than re-export.
//! - A parent that only declares `mod x;` and re-exports its items does not import it. Any other use by the parent
//!   counts, and so does everything that a child takes from its parent.
//! - A method called on a value is no import.

mod circles;
mod modules;
mod tokens;

use std::path::PathBuf;

use circles::{circles, describe};

/// The crates, by their root file.
const CRATES: [&str; 5] = [
    "crates/protocol/src/lib.rs",
    "crates/chat/src/lib.rs",
    "crates/client/src/lib.rs",
    "crates/backend/src/lib.rs",
    SERVER,
];

const SERVER: &str = "server/src/main.rs";

#[test]
fn no_files_import_one_another_in_a_circle() {
    let mut text = String::new();
    for root in CRATES {
        let imports = modules::imports(&project().join(root));
        assert!(imports.len() > 5, "{root} was not read");
        let circles = circles(&imports);
        println!("{root}: {} files, {} circles", imports.len(), circles.len());
        for circle in circles {
            text += &format!("{root}: {} files\n{}", circle.len(), describe(&circle, &imports));
        }
    }
    assert!(text.is_empty(), "files that import one another:\n{text}");
}

#[test]
fn only_main_imports_the_module_that_builds_the_process() {
    let imports = modules::imports(&project().join(SERVER));
    let importers = imports.iter().filter(|(_, to)| to.contains("process.rs"));
    let importers: Vec<_> = importers.map(|(file, _)| file).collect();
    assert_eq!(importers, ["main.rs"]);
}

/// The fast path knows chat and bytes; the server passes in everything it needs.
#[test]
fn the_fast_path_imports_nothing_of_the_server() {
    let server = project().join(SERVER);
    let imports = modules::imports(&server);
    let (mut files, live) = (0, |file: &str| file == "live.rs" || file.starts_with("live/"));
    for (file, to) in imports.iter().filter(|(file, _)| live(file)) {
        files += 1;
        let outside: Vec<_> = to.iter().filter(|file| !live(file)).collect();
        assert!(outside.is_empty(), "{file} imports {outside:?}");
        let source = std::fs::read_to_string(server.with_file_name(file)).expect("it was read before");
        let words = tokens::tokens(&source);
        assert!(!words.iter().any(|word| word == "socketioxide"), "{file}");
    }
    assert!(files > 5, "the fast path has only {files} files");
}

fn project() -> PathBuf {
    PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("../..")
}
