//! `crates/chat` depends on no runtime, server, store or UI.

use std::process::Command;

#[test]
fn chat_does_not_depend_on_the_outside() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| env!("CARGO").into());
    let tree = Command::new(cargo)
        .args([
            "tree",
            "-p",
            "chat",
            "-e",
            "normal",
            "--prefix",
            "none",
            "--offline",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
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
        .collect();
    assert!(
        names.contains(&"chat") && names.contains(&"protocol"),
        "not the dependency tree: {output}"
    );
    for outside in ["tokio", "axum", "socketioxide", "redis", "rusqlite", "leptos"] {
        assert!(!names.contains(&outside), "chat depends on {outside}");
    }
}
