//! The built site: where it is, and which files pages refer to.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use leptos::config::LeptosOptions;

/// Name that the build gives its files; see `[[workspace.metadata.leptos]]`.
const OUTPUT_NAME: &str = "hubbub";

/// A site that can be served.
#[derive(Clone)]
pub struct Site {
    /// Its folder.
    pub root: PathBuf,
    /// What Leptos needs to know to refer to its files.
    pub options: LeptosOptions,
    /// Address of the Socket.IO client.
    pub socket_io: String,
}

/// No usable site.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {problem}; build the site with `make build`, or set HUBBUB_SITE_DIR")]
pub struct NoSite {
    path: String,
    problem: &'static str,
}

impl Site {
    /// Looks at a folder.
    ///
    /// # Errors
    /// If it does not hold a built site.
    pub fn find(root: &Path) -> Result<Self, NoSite> {
        let missing = |problem| NoSite {
            path: root.display().to_string(),
            problem,
        };
        let pkg = names(&root.join("pkg"));
        let hash_files = hashed_names().is_some_and(|hashed| hashed.iter().all(|name| pkg.contains(name)));
        if !hash_files && !pkg.iter().any(|name| name == "hubbub.js") {
            return Err(missing("there is no site here that belongs to this binary"));
        }
        let socket_io = names(&root.join("vendor"))
            .into_iter()
            .find(|name| name.starts_with("socket.io-") && name.ends_with(".js"));
        let socket_io = socket_io.ok_or_else(|| missing("the Socket.IO client is not there"))?;
        let options = LeptosOptions::builder()
            .output_name(OUTPUT_NAME)
            .site_root(Arc::from(root.to_string_lossy()))
            .site_pkg_dir("pkg")
            .hash_files(hash_files)
            .env(if std::env::var_os("LEPTOS_WATCH").is_some() {
                leptos::config::Env::DEV
            } else {
                leptos::config::Env::PROD
            })
            .build();
        Ok(Self {
            root: root.to_owned(),
            options,
            socket_io: format!("/vendor/{socket_io}"),
        })
    }
}

/// The names that the build gave its files, from the list that it leaves beside the binary.
fn hashed_names() -> Option<Vec<String>> {
    let list = std::fs::read_to_string(std::env::current_exe().ok()?.with_file_name("hash.txt")).ok()?;
    let names = list.lines().filter_map(|line| line.split_once(':'));
    let names = names.filter(|(kind, _)| matches!(*kind, "js" | "wasm" | "css"));
    Some(
        names
            .map(|(kind, hash)| format!("{OUTPUT_NAME}.{}.{kind}", hash.trim()))
            .collect(),
    )
}

fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut names: Vec<_> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    names.sort();
    names
}
