//! `crates/chat` and `crates/client` depend on no runtime, server, store or UI.

use std::process::Command;

#[test]
fn chat_does_not_depend_on_the_outside() {
    let names = dependencies("chat");
    for outside in ["tokio", "axum", "socketioxide", "redis", "rusqlite", "leptos"] {
        assert!(
            !names.iter().any(|name| name == outside),
            "chat depends on {outside}"
        );
    }
}

#[test]
fn client_does_not_depend_on_the_browser_or_the_server() {
    let names = dependencies("client");
    for outside in ["leptos", "web-sys", "js-sys", "wasm-bindgen", "tokio", "chat"] {
        assert!(
            !names.iter().any(|name| name == outside),
            "client depends on {outside}"
        );
    }
}

/// The names of the packages that this one needs on any platform, itself included.
fn dependencies(package: &str) -> Vec<String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| env!("CARGO").into());
    let tree = Command::new(cargo)
        .args(["tree", "-p", package, "-e", "normal", "--target", "all"])
        .args(["--prefix", "none", "--offline"])
        .current_dir(std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets it"))
        .output()
        .expect("cargo can be run");
    let (output, errors) = (
        String::from_utf8_lossy(&tree.stdout),
        String::from_utf8_lossy(&tree.stderr),
    );
    assert!(tree.status.success(), "{errors}");
    let names: Vec<_> = output
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .map(str::to_owned)
        .collect();
    let has = |wanted: &str| names.iter().any(|name| name == wanted);
    assert!(
        has(package) && has("protocol"),
        "not the dependency tree: {output}"
    );
    names
}
