//! Real PostgreSQL servers to test with. Each is a process with its own folder and port.

mod programs;
mod signals;

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::free_port;
use programs::{as_postgres, command_of, give_away, succeed};
use signals::{family, signal};

/// How long a server may take to start on a slow machine with all cores busy.
const START: Duration = Duration::from_secs(60);
/// The password of all users.
const PASSWORD: &str = "a secret: p@ss/word";
/// The same in a URL.
const PASSWORD_IN_URLS: &str = "a%20secret%3A%20p%40ss%2Fword";
/// The user that databases belong to. It has no other rights.
const USER: &str = "hubbub";

/// A `postgres` on 127.0.0.1. Dropping it ends the process and removes its folder.
pub struct PostgresServer {
    port: u16,
    folder: TempDir,
    options: Vec<String>,
    child: Option<Child>,
    databases: AtomicU32,
}

impl PostgresServer {
    /// Starts a server that does not wait for the disk.
    ///
    /// # Panics
    /// If there is no PostgreSQL, or it does not start.
    pub fn start() -> Self {
        Self::with(&["fsync=off", "full_page_writes=off"])
    }

    /// Starts a server with more settings, such as `["max_connections=10"]`.
    ///
    /// # Panics
    /// If there is no PostgreSQL, or it does not start.
    pub fn with(options: &[&str]) -> Self {
        let server = Self::new(options);
        let password = server.path("password");
        std::fs::write(&password, PASSWORD).expect("the folder can be written");
        give_away(&password);
        let mut initdb = as_postgres("initdb");
        initdb
            .args([
                "--username=postgres",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
            ])
            .args(["--no-sync", "--no-instructions", "--pwfile"])
            .arg(password)
            .arg("-D")
            .arg(server.path("data"));
        succeed(&mut initdb);
        let server = server.running();
        server.sql("postgres", &format!("CREATE USER {USER} PASSWORD '{PASSWORD}'"));
        server
    }

    /// Starts a server that also speaks TLS, with this certificate and key.
    ///
    /// # Panics
    /// If there is no PostgreSQL, or it does not start.
    pub fn with_tls(certificate: &Path, key: &Path) -> Self {
        let mut server = Self::start();
        for (from, name) in [(certificate, "server.crt"), (key, "server.key")] {
            let to = server.path("data").join(name);
            std::fs::copy(from, &to).expect("the folder can be written");
            std::fs::set_permissions(&to, Permissions::from_mode(0o600)).expect("it is ours");
            give_away(&to);
        }
        server.options.push("ssl=on".to_owned());
        server.restart();
        server
    }

    /// A server that tests which run at the same time share, because it takes a second to make one.
    ///
    /// # Panics
    /// If there is no PostgreSQL, or it does not start.
    pub fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<PostgresServer>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        shared.upgrade().unwrap_or_else(|| {
            let server = Arc::new(Self::start());
            *shared = Arc::downgrade(&server);
            server
        })
    }

    fn new(options: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        give_away(folder.path());
        Self {
            port: free_port(),
            folder,
            options: options.iter().map(|option| (*option).to_owned()).collect(),
            child: None,
            databases: AtomicU32::new(0),
        }
    }

    /// Starts the process. Another one may take the port between finding and using it.
    fn running(mut self) -> Self {
        for _ in 0..5 {
            if self.run() {
                return self;
            }
            self.port = free_port();
        }
        panic!("postgres does not start: {}", self.log());
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What the server has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// Starts the process. Returns false if it ended at once.
    fn run(&mut self) -> bool {
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.path("log"))
            .expect("the folder can be written");
        let folder = self.folder.path().display();
        let settings = [
            "listen_addresses=127.0.0.1".to_owned(),
            format!("unix_socket_directories={folder}"),
            "shared_buffers=32MB".to_owned(),
            "max_connections=200".to_owned(),
        ];
        let mut command = as_postgres("postgres");
        command
            .arg("-D")
            .arg(self.path("data"))
            .args(["-p", &self.port.to_string()]);
        for setting in settings.iter().chain(&self.options) {
            command.args(["-c", setting]);
        }
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn();
        let child = self.child.insert(child.expect("postgres can be started"));
        let begun = Instant::now();
        while begun.elapsed() < START {
            if child.try_wait().expect("it is our child").is_some() {
                self.child = None;
                return false;
            }
            let mut ready = command_of("pg_isready");
            ready.args(["-q", "-h", "127.0.0.1", "-p", &self.port.to_string()]);
            if ready.status().is_ok_and(|status| status.success()) {
                return true;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("postgres does not answer: {}", self.log());
    }

    /// The address to connect to.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The URL of a database, for the user to whom it belongs.
    pub fn url(&self, database: &str) -> String {
        url(&[&self.address()], database)
    }

    /// Creates an empty database. Returns its name.
    ///
    /// # Panics
    /// If it cannot be created.
    pub fn database(&self) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.sql("postgres", &format!("CREATE DATABASE {name} OWNER {USER}"));
        name
    }

    /// Runs statements as the superuser. Returns what they print, one row a line, with `|` between columns.
    ///
    /// # Panics
    /// If they fail.
    pub fn sql(&self, database: &str, sql: &str) -> String {
        succeed(&mut self.psql(database, sql))
    }

    /// Starts to run statements as the superuser, in a session that ends with the process.
    ///
    /// # Panics
    /// If there is no `psql`.
    pub fn session(&self, database: &str, sql: &str) -> Child {
        let mut psql = self.psql(database, sql);
        psql.stdin(Stdio::null()).stdout(Stdio::null());
        psql.spawn().expect("these tests need psql")
    }

    fn psql(&self, database: &str, sql: &str) -> Command {
        let mut psql = command_of("psql");
        psql.args([
            "-h",
            "127.0.0.1",
            "-p",
            &self.port.to_string(),
            "-U",
            "postgres",
            "-d",
            database,
        ])
        .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", sql])
        .env("PGPASSWORD", PASSWORD);
        psql
    }

    /// The ids of the process and its children.
    fn processes(&self) -> Vec<String> {
        self.child
            .as_ref()
            .map_or_else(Vec::new, |child| family(child.id()))
    }

    fn reap(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.wait().expect("it is our child");
        }
    }

    /// Kills all its processes, as a power failure would.
    pub fn kill(&mut self) {
        // Stopped first, so that it starts no more of them.
        self.stop();
        signal("KILL", &self.processes());
        self.reap();
    }

    /// Asks it to end at once, and waits until it has. Connections are closed, data is safe.
    pub fn terminate(&mut self) {
        if let Some(child) = &self.child {
            signal("INT", &[child.id().to_string()]);
        }
        self.reap();
    }

    /// Starts it again with the same port, folder and settings.
    ///
    /// # Panics
    /// If it does not start.
    pub fn restart(&mut self) {
        self.terminate();
        // The port or the old processes may still be there for a moment.
        let begun = Instant::now();
        while !self.run() {
            assert!(
                begun.elapsed() < START,
                "postgres does not start again: {}",
                self.log()
            );
        }
    }

    /// Stops all its processes (SIGSTOP): sockets stay open, but nothing answers.
    pub fn stop(&self) {
        if let Some(child) = &self.child {
            signal("STOP", &[child.id().to_string()]);
        }
        signal("STOP", &self.processes());
    }

    /// Lets it continue.
    pub fn go_on(&self) {
        signal("CONT", &self.processes());
    }

    /// Starts a standby. From then on, this server commits nothing before the standby has it on its disk.
    ///
    /// # Panics
    /// If the standby does not start.
    pub fn synchronous_standby(&self) -> Self {
        let options: Vec<_> = self.options.iter().map(String::as_str).collect();
        let standby = Self::new(&options);
        let primary = format!(
            "host=127.0.0.1 port={} user=postgres password='{PASSWORD}' application_name=standby",
            self.port
        );
        let mut copy = as_postgres("pg_basebackup");
        copy.args(["--dbname", &primary, "--wal-method=stream", "--checkpoint=fast"])
            .args(["--write-recovery-conf", "--no-sync", "-D"])
            .arg(standby.path("data"));
        succeed(&mut copy);
        let standby = standby.running();
        self.sql(
            "postgres",
            "ALTER SYSTEM SET synchronous_standby_names = 'standby'",
        );
        self.sql("postgres", "SELECT pg_reload_conf()");
        let begun = Instant::now();
        while self.sql("postgres", "SELECT sync_state FROM pg_stat_replication") != "sync" {
            assert!(begun.elapsed() < START, "the standby does not follow");
            std::thread::sleep(Duration::from_millis(20));
        }
        standby
    }

    /// Makes a standby the primary.
    ///
    /// # Panics
    /// If it does not become one.
    pub fn promote(&self) {
        assert_eq!(self.sql("postgres", "SELECT pg_promote()"), "t");
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        if let Some(child) = &self.child {
            // "Immediate" does not wait for connections, and leaves no shared memory behind. It may be stopped.
            signal("QUIT", &[child.id().to_string()]);
            self.go_on();
        }
        if let Some(mut child) = self.child.take() {
            // A failure here cannot be handled.
            let _ = child.wait();
        }
    }
}

/// The URL of a database on several servers.
pub fn url(addresses: &[&str], database: &str) -> String {
    format!(
        "postgres://{USER}:{PASSWORD_IN_URLS}@{}/{database}?sslmode=disable",
        addresses.join(",")
    )
}
