//! The built site: where it is, and which files pages refer to.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use app::{Assets, Built};
use leptos::config::{Env, LeptosOptions};

/// Name that the build gives its files; see `[[workspace.metadata.leptos]]`.
const OUTPUT_NAME: &str = "hubbub";

/// A site that can be served.
#[derive(Clone)]
pub struct Site {
    /// Its folder.
    pub root: PathBuf,
    /// What Leptos needs to know to refer to its files.
    pub options: LeptosOptions,
    /// What pages refer to.
    pub assets: Assets,
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
        let hashed = hashed_names().filter(|hashed| hashed.iter().all(|name| pkg.contains(name)));
        if hashed.is_none() && !pkg.iter().any(|name| name == "hubbub.js") {
            return Err(missing("there is no site here that belongs to this binary"));
        }
        let socket_io = names(&root.join("vendor"))
            .into_iter()
            .find(|name| name.starts_with("socket.io-") && name.ends_with(".js"));
        let socket_io = socket_io.ok_or_else(|| missing("the Socket.IO client is not there"))?;
        let watched = std::env::var_os("LEPTOS_WATCH").is_some();
        let options = LeptosOptions::builder()
            .output_name(OUTPUT_NAME)
            .site_root(Arc::from(root.to_string_lossy()))
            .site_pkg_dir("pkg")
            .hash_files(hashed.is_some())
            .env(if watched { Env::DEV } else { Env::PROD })
            .build();
        let built = hashed.filter(|_| !watched).and_then(|files| built(root, &files));
        let socket_io = format!("/vendor/{socket_io}").into();
        Ok(Self {
            root: root.to_owned(),
            options,
            assets: Assets { socket_io, built },
        })
    }
}

/// What pages refer to, if the build gave its files names of their own.
fn built(root: &Path, files: &[String]) -> Option<Built> {
    let file = |ending: &str| files.iter().find(|name| name.ends_with(ending));
    let url = |ending: &str| Some(format!("/pkg/{}", file(ending)?).into());
    let style = std::fs::read_to_string(root.join("pkg").join(file(".css")?)).ok()?;
    Some(Built {
        script: url(".js")?,
        program: url(".wasm")?,
        // It stands inside an element of raw text: nothing in it may end that.
        style: style.replace("</", "<\\/").into(),
    })
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
