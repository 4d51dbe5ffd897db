//! The built site: its folder, and the files that pages refer to.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use app::{Assets, Built};
use leptos::config::{Env, LeptosOptions};

/// The name that the build gives its files; see `[[workspace.metadata.leptos]]`.
const OUTPUT_NAME: &str = "hubbub";

/// The list of file names that the build writes next to the binary.
const LIST: &str = "hash.txt";

/// A site that can be served.
#[derive(Clone)]
pub struct Site {
    pub root: PathBuf,
    /// Leptos options for links to the site's files.
    pub options: LeptosOptions,
    /// The files that pages refer to.
    pub assets: Assets,
    /// What is wrong with the build, if the site can still be served.
    pub oddity: Option<String>,
}

/// There is no usable site.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {problem}; build the site with `make build`, or set HUBBUB_SITE_DIR")]
pub struct NoSite {
    path: String,
    problem: String,
}

impl Site {
    /// Checks that a folder holds a built site.
    ///
    /// # Errors
    /// If it does not.
    pub fn find(root: &Path) -> Result<Self, NoSite> {
        let missing = |problem: &str| NoSite {
            path: root.display().to_string(),
            problem: problem.to_owned(),
        };
        let pkg = names(&root.join("pkg"));
        if pkg.is_empty() {
            return Err(missing("there is no site here"));
        }
        let list = std::env::current_exe()
            .map(|binary| binary.with_file_name(LIST))
            .unwrap_or_default();
        let watched = std::env::var_os("LEPTOS_WATCH").is_some();
        let (hashed, oddity) = match hashed_names(&list) {
            Ok(hashed) => match hashed.iter().find(|name| !pkg.contains(name)) {
                None => (Some(hashed), None),
                Some(name) => (
                    None,
                    Some(format!("{} names {name}, which is missing", list.display())),
                ),
            },
            Err(error) => (None, Some(format!("{} cannot be read: {error}", list.display()))),
        };
        if hashed.is_none() && !pkg.iter().any(|name| name == "hubbub.js") {
            let oddity = oddity.unwrap_or_default();
            return Err(missing(&format!(
                "the site is from a different build than the binary: {oddity}"
            )));
        }
        let socket_io = names(&root.join("vendor"))
            .into_iter()
            .find(|name| name.starts_with("socket.io-") && name.ends_with(".js"));
        let socket_io = socket_io.ok_or_else(|| missing("the Socket.IO client is missing"))?;
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
            oddity: oddity.filter(|_| !watched),
        })
    }
}

/// The files that pages refer to, if their names contain a hash.
fn built(root: &Path, files: &[String]) -> Option<Built> {
    let file = |ending: &str| files.iter().find(|name| name.ends_with(ending));
    let url = |ending: &str| Some(format!("/pkg/{}", file(ending)?).into());
    let style = std::fs::read_to_string(root.join("pkg").join(file(".css")?)).ok()?;
    Some(Built {
        script: url(".js")?,
        program: url(".wasm")?,
        // The style sheet is inlined as raw text, so nothing in it may close the element.
        style: style.replace("</", "<\\/").into(),
    })
}

/// The hashed names of the files, from the list next to the binary.
fn hashed_names(list: &Path) -> std::io::Result<Vec<String>> {
    let list = std::fs::read_to_string(list)?;
    let names = list.lines().filter_map(|line| line.split_once(':'));
    let names = names.filter(|(kind, _)| matches!(*kind, "js" | "wasm" | "css"));
    Ok(names
        .map(|(kind, hash)| format!("{OUTPUT_NAME}.{}.{kind}", hash.trim()))
        .collect())
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
