//! PostgreSQL's programs: where they are, and as whom they run.

use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The folder of PostgreSQL's programs: Debian has them outside the PATH, a folder for each version.
fn programs() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let version = |path: PathBuf| {
        let number = path.file_name()?.to_str()?.parse::<u32>().ok()?;
        let programs = path.join("bin");
        programs.join("postgres").exists().then_some((number, programs))
    };
    let newest = versions.filter_map(|entry| version(entry.path())).max();
    newest.map_or_else(PathBuf::new, |(_, programs)| programs)
}

/// A program of PostgreSQL's.
pub fn command_of(program: &str) -> Command {
    let mut command = Command::new(programs().join(program));
    command.env("LC_ALL", "C.UTF-8").current_dir("/");
    command
}

/// The number of the user `postgres`, if this process is root, as which PostgreSQL does not run.
fn postgres_user() -> Option<u32> {
    let number = |args: &[&str]| {
        let output = Command::new("id").args(args).output().ok()?;
        String::from_utf8_lossy(&output.stdout).trim().parse::<u32>().ok()
    };
    if number(&["-u"]) != Some(0) {
        return None;
    }
    let user = number(&["-u", "postgres"]);
    Some(user.expect("as root, these tests need a user postgres, as Debian's postgresql makes it"))
}

/// A program of PostgreSQL's, not as root.
pub fn as_postgres(program: &str) -> Command {
    if postgres_user().is_none() {
        return command_of(program);
    }
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid=postgres", "--regid=postgres", "--init-groups", "--"])
        .arg(programs().join(program))
        .env("LC_ALL", "C.UTF-8")
        .current_dir("/");
    command
}

/// Makes a file or folder the user's that PostgreSQL runs as.
pub fn give_away(path: &Path) {
    if let Some(user) = postgres_user() {
        chown(path, Some(user), None).expect("root may do that");
    }
}

/// Runs a command and returns what it prints.
pub fn succeed(command: &mut Command) -> String {
    let program = command.get_program().to_owned();
    let run = command.stdin(Stdio::null()).output().unwrap_or_else(|error| {
        panic!(
            "these tests need PostgreSQL 15 or newer (Debian: apt install postgresql): {program:?}: {error}"
        )
    });
    assert!(
        run.status.success(),
        "{program:?}: {}{}",
        String::from_utf8_lossy(&run.stdout),
        String::from_utf8_lossy(&run.stderr)
    );
    String::from_utf8_lossy(&run.stdout).trim().to_owned()
}
