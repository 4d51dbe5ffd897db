//! The binary, started by a test and ended with it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A minimal site that the server accepts.
fn site(folder: &Path) {
    for (file, text) in [
        ("pkg/hubbub.js", ""),
        ("pkg/hubbub.css", "a{}"),
        ("vendor/socket.io-0.0.0.js", ""),
    ] {
        let path = folder.join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

/// The binary with a site of its own and nothing else from the environment.
pub fn hubbub(folder: &Path, variables: &[(&str, &str)]) -> Command {
    site(&folder.join("site"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_hubbub"));
    for (name, _) in
        std::env::vars().filter(|(name, _)| name.starts_with("HUBBUB_") || name.starts_with("LEPTOS_"))
    {
        command.env_remove(name);
    }
    command
        .env("HUBBUB_ADDR", "127.0.0.1:0")
        .env("HUBBUB_DATA_DIR", folder.join("data"))
        .env("HUBBUB_SITE_DIR", folder.join("site"))
        .envs(variables.iter().copied())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// The same, started by a shell after `script`, whose effects it inherits. The caller sets standard error.
pub fn after(script: &str, hubbub: &Command) -> Command {
    let mut command = Command::new("bash");
    command
        .arg("-c")
        .arg(format!("{script}; exec \"$0\""))
        .arg(hubbub.get_program());
    for (name, value) in hubbub.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.stdout(Stdio::piped());
    command
}

/// A running server, killed when dropped.
pub struct Server {
    pub child: Child,
    pub addr: SocketAddr,
}

impl Server {
    pub fn start(folder: &Path, variables: &[(&str, &str)]) -> Self {
        Self::run(hubbub(folder, variables).stderr(Stdio::null()))
    }

    /// Starts a server with these limits of open files.
    pub fn start_with_files(folder: &Path, soft: u32, hard: u32) -> Self {
        let server = hubbub(folder, &[]);
        let mut shell = Command::new("sh");
        let limits = format!("ulimit -Sn {soft} && ulimit -Hn {hard} && exec \"$0\"");
        shell.arg("-c").arg(limits).arg(server.get_program());
        for (name, value) in server.get_envs() {
            match value {
                Some(value) => shell.env(name, value),
                None => shell.env_remove(name),
            };
        }
        Self::run(shell.stdout(Stdio::piped()).stderr(Stdio::null()))
    }

    /// Runs the command and waits until it serves.
    pub fn run(command: &mut Command) -> Self {
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let addr = line
            .trim()
            .strip_prefix("Hubbub is at http://")
            .expect("an address")
            .parse()
            .unwrap();
        Self { child, addr }
    }

    pub fn request(&self, text: &str) -> String {
        let mut stream = TcpStream::connect(self.addr).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        stream.write_all(text.as_bytes()).unwrap();
        let mut answer = Vec::new();
        // A server that resets the connection has already sent its answer.
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    pub fn get(&self, path: &str, headers: &str) -> String {
        self.request(&format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{headers}\r\n",
            self.addr
        ))
    }

    pub fn post(&self, path: &str, headers: &str, form: &str) -> String {
        self.request(&format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{headers}Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
            self.addr,
            form.len()
        ))
    }

    pub fn terminate(&self) {
        self.signal("TERM");
    }

    pub fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args([&format!("-{name}"), &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(status.success());
    }

    /// Signs in with the form. Returns the header for later requests.
    pub fn sign_in(&self) -> String {
        let answer = self.post("/session", "", "name=Ada&next=%2Frooms%2Flobby");
        let cookie = answer
            .lines()
            .find_map(|line| line.strip_prefix("set-cookie: ")?.split(';').next())
            .unwrap_or_else(|| panic!("no session in {answer}"));
        format!("Cookie: {cookie}\r\n")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The process may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The status code of an answer.
pub fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or_default()
}
