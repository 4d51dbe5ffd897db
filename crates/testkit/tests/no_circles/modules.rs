//! The modules of a crate, and the file that a path leads to.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::tokens::tokens;

type Name = Vec<String>;

/// The files of a crate and what each of them imports, as paths relative to its `src`.
pub type Imports = BTreeMap<String, BTreeSet<String>>;

/// One module.
#[derive(Default)]
struct Module {
    file: String,
    children: BTreeSet<String>,
    /// Names that `use` brings in, with their paths.
    names: BTreeMap<String, Name>,
    /// Modules whose items `use …::*` brings in.
    globs: Vec<Name>,
    /// Every path in it, and whether that path only re-exports.
    paths: Vec<(Name, bool)>,
}

/// Reads the crate with this root file.
pub fn imports(root: &Path) -> Imports {
    let mut modules = Modules(BTreeMap::new());
    let folder = root.parent().expect("it is in a folder");
    modules.read(folder, root, &[]);
    modules.imports()
}

struct Modules(BTreeMap<Name, Module>);

impl Modules {
    fn read(&mut self, folder: &Path, path: &Path, name: &[String]) {
        let source =
            std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let file = path.strip_prefix(folder).expect("it is in there");
        let file = file.to_string_lossy().into_owned();
        self.scan(folder, &file, name, &tokens(&source));
    }

    /// Reads one module, in its own file or in braces.
    fn scan(&mut self, folder: &Path, file: &str, name: &[String], tokens: &[String]) {
        let mut module = Module {
            file: file.to_owned(),
            ..Module::default()
        };
        let is = |n: usize, word: &str| tokens.get(n).is_some_and(|token| token == word);
        let mut n = 0;
        while n < tokens.len() {
            if is(n, "mod") && (is(n + 2, ";") || is(n + 2, "{")) {
                let child = [name, &tokens[n + 1..n + 2]].concat();
                module.children.insert(tokens[n + 1].clone());
                if is(n + 2, ";") {
                    let path = folder.join(child.join("/")).with_extension("rs");
                    // A module with a `path` attribute is in another file. Ours import nothing.
                    if path.exists() {
                        self.read(folder, &path, &child);
                    }
                    n += 3;
                } else {
                    let end = end_of_braces(tokens, n + 2);
                    self.scan(folder, file, &child, &tokens[n + 3..end - 1]);
                    n = end;
                }
            } else if is(n, "use") && !is(n + 1, "<") {
                let public = n > 0 && (is(n - 1, "pub") || is(n - 1, ")"));
                let end = (n..tokens.len()).find(|&n| is(n, ";")).unwrap_or(tokens.len());
                module.tree(&[], &tokens[n + 1..end], public);
                n = end;
            } else if is(n + 1, "::") && is_word(&tokens[n]) {
                let mut path = vec![tokens[n].clone()];
                while is(n + 1, "::") && tokens.get(n + 2).is_some_and(|next| is_word(next)) {
                    path.push(tokens[n + 2].clone());
                    n += 2;
                }
                module.paths.push((path, false));
                n += 1;
            } else {
                n += 1;
            }
        }
        self.0.insert(name.to_vec(), module);
    }

    fn imports(&self) -> Imports {
        let mut imports = Imports::new();
        for (name, module) in &self.0 {
            let from = imports.entry(module.file.clone()).or_default();
            for (path, reexports) in &module.paths {
                let mut through = Vec::new();
                let Some(Target::Item(to)) = self.resolve(name, path, 0, &mut through) else {
                    continue;
                };
                // A file that re-exports and does something else as well is imported, too.
                let working = through
                    .iter()
                    .filter(|at| self.0[*at].works())
                    .map(|at| &self.0[at].file);
                from.extend(working.filter(|file| **file != module.file).cloned());
                let inside = to.len() > name.len() && to.starts_with(name);
                let file = &self.0[&to].file;
                if !(*reexports && inside) && *file != module.file {
                    from.insert(file.clone());
                }
            }
        }
        imports
    }

    /// Finds the target of a path in this module. Returns `None` if it is in another crate.
    fn resolve(
        &self,
        from: &[String],
        path: &[String],
        depth: usize,
        through: &mut Vec<Name>,
    ) -> Option<Target> {
        if depth > 20 {
            return None;
        }
        let (first, mut rest) = path.split_first()?;
        let module = self.0.get(from)?;
        let mut target = match first.as_str() {
            "crate" => Target::Module(vec![]),
            "self" => Target::Module(from.to_vec()),
            "super" => Target::Module(from.split_last()?.1.to_vec()),
            child if module.children.contains(child) => Target::Module([from, &[child.to_owned()]].concat()),
            name => self.resolve(
                from,
                module.names.get(name).filter(|to| to[..] != path[..1])?,
                depth + 1,
                through,
            )?,
        };
        while let (Target::Module(at), Some((next, after))) = (&target, rest.split_first()) {
            target = match next.as_str() {
                "super" => Target::Module(at.split_last()?.1.to_vec()),
                next => self.member(at, next, depth, through)?,
            };
            rest = after;
        }
        Some(target)
    }

    /// Finds what this name means in a module.
    fn member(&self, at: &[String], name: &str, depth: usize, through: &mut Vec<Name>) -> Option<Target> {
        let module = self.0.get(at)?;
        if module.children.contains(name) {
            return Some(Target::Module([at, &[name.to_owned()]].concat()));
        }
        if let Some(path) = module.names.get(name) {
            through.push(at.to_vec());
            return self.resolve(at, path, depth + 1, through);
        }
        let through = module.globs.iter().find_map(|glob| {
            match self.resolve(at, glob, depth + 1, &mut Vec::new())? {
                Target::Module(there) if self.0[&there].has(name) => {
                    self.member(&there, name, depth + 1, through)
                }
                _ => None,
            }
        });
        Some(through.unwrap_or_else(|| Target::Item(at.to_vec())))
    }
}

enum Target {
    Module(Name),
    /// An item defined in this module.
    Item(Name),
}

impl Module {
    /// True if it does anything but re-export.
    fn works(&self) -> bool {
        self.paths.iter().any(|(_, reexports)| !reexports)
    }

    fn has(&self, name: &str) -> bool {
        self.children.contains(name) || self.names.contains_key(name)
    }

    /// Adds the rest of a `use` tree, from after `prefix` on.
    fn tree(&mut self, prefix: &[String], tokens: &[String], public: bool) {
        let mut path = prefix.to_vec();
        for (n, token) in tokens.iter().enumerate() {
            match token.as_str() {
                "::" => {}
                "{" => {
                    let end = end_of_braces(tokens, n);
                    for part in split(&tokens[n + 1..end - 1]) {
                        self.tree(&path, part, public);
                    }
                    return;
                }
                "*" => {
                    // Names it brings in are found where paths use them. The glob itself needs the module.
                    self.paths.push(([&path[..], &["*".to_owned()]].concat(), public));
                    self.globs.push(path);
                    return;
                }
                "self" if !path.is_empty() => {}
                "as" => {
                    return self.bind(tokens.get(n + 1).cloned().unwrap_or_default(), path, public);
                }
                word => path.push(word.to_owned()),
            }
        }
        if let Some(last) = path.last().cloned() {
            self.bind(last, path, public);
        }
    }

    fn bind(&mut self, name: String, path: Name, public: bool) {
        self.paths.push((path.clone(), public));
        self.names.insert(name, path);
    }
}

fn is_word(token: &str) -> bool {
    token.starts_with(|sign: char| sign.is_alphabetic() || sign == '_')
}

fn end_of_braces(tokens: &[String], open: usize) -> usize {
    let mut depth = 0;
    for (n, token) in tokens.iter().enumerate().skip(open) {
        match token.as_str() {
            "{" => depth += 1,
            "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return n + 1;
        }
    }
    tokens.len()
}

/// Splits at commas outside braces.
fn split(tokens: &[String]) -> Vec<&[String]> {
    let mut depth = 0;
    let parts = tokens.split(|token| {
        match token.as_str() {
            "{" => depth += 1,
            "}" => depth -= 1,
            _ => {}
        }
        token == "," && depth == 0
    });
    parts.filter(|part| !part.is_empty()).collect()
}
