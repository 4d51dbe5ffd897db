//! Signals to a process and its children.

use std::process::Command;

/// The ids of a process and its children.
pub fn family(parent: u32) -> Vec<String> {
    let parent = parent.to_string();
    let numbered = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let children = numbered.filter_map(|entry| {
        let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
        // After the name, which can contain anything: state, parent …
        let (id, rest) = (entry.file_name().into_string().ok()?, stat.rsplit_once(')')?.1);
        (rest.split_whitespace().nth(1)? == parent).then_some(id)
    });
    let children: Vec<_> = children.collect();
    [vec![parent.clone()], children].concat()
}

/// Sends a signal to all of them.
pub fn signal(name: &str, processes: &[String]) {
    // One of them may have ended meanwhile.
    let _ = Command::new("sh")
        .args(["-c", &format!("kill -{name} {} 2>/dev/null", processes.join(" "))])
        .status();
}
