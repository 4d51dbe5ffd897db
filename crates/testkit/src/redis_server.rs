//! Real Redis servers to test with. Each is a process with its own folder and port.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::free_port;

/// How long a server may take to start on a slow machine with all cores busy.
const START: Duration = Duration::from_secs(20);
/// Slots in a cluster.
const SLOTS: usize = 16_384;

/// A `redis-server` on 127.0.0.1. Dropping it kills the process and removes its folder.
pub struct RedisServer {
    program: &'static str,
    port: u16,
    folder: TempDir,
    options: Vec<String>,
    child: Option<Child>,
}

impl RedisServer {
    /// Starts a server that loses everything when it ends.
    ///
    /// # Panics
    /// If there is no `redis-server`, or it does not start.
    pub fn start() -> Self {
        Self::with(&[])
    }

    /// Starts a server with more options, such as `["--appendonly", "yes"]`.
    ///
    /// # Panics
    /// If there is no `redis-server`, or it does not start.
    pub fn with(options: &[&str]) -> Self {
        Self::of("redis-server", options)
    }

    /// Starts a Valkey that loses everything when it ends.
    ///
    /// # Panics
    /// If there is no `valkey-server`, or it does not start.
    pub fn valkey() -> Self {
        Self::of("valkey-server", &[])
    }

    fn of(program: &'static str, options: &[&str]) -> Self {
        // Another process may take the port between finding and using it.
        for _ in 0..5 {
            let mut server = Self {
                program,
                port: free_port(),
                folder: tempfile::tempdir().expect("a temporary folder"),
                options: options.iter().map(|option| (*option).to_owned()).collect(),
                child: None,
            };
            if server.run() {
                return server;
            }
        }
        panic!("{program} does not start");
    }

    /// Starts a server that also speaks TLS, with this certificate and key. Returns its TLS port as well.
    ///
    /// # Panics
    /// If there is no `redis-server`, or it does not start.
    pub fn with_tls(certificate: &str, key: &str) -> (Self, u16) {
        let port = free_port();
        let files = [
            "--tls-cert-file",
            certificate,
            "--tls-key-file",
            key,
            "--tls-ca-cert-file",
            certificate,
        ];
        let tls = ["--tls-port", &port.to_string(), "--tls-auth-clients", "no"];
        (Self::with(&[&files[..], &tls].concat()), port)
    }

    /// Starts the process. Returns false if it ended at once.
    fn run(&mut self) -> bool {
        let (port, folder) = (self.port.to_string(), self.folder.path());
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(folder.join("log"))
            .expect("the folder can be written");
        let child = Command::new(self.program)
            .args(["--port", &port, "--bind", "127.0.0.1", "--save", ""])
            .arg("--dir")
            .arg(folder)
            .args(&self.options)
            .stdin(Stdio::null())
            .stdout(log)
            .spawn();
        let child = child.unwrap_or_else(|error| {
            panic!(
                "these tests need {}: run scripts/setup.sh test: {error}",
                self.program
            )
        });
        let child = self.child.insert(child);
        let begun = Instant::now();
        while begun.elapsed() < START {
            if child.try_wait().expect("it is our child").is_some() {
                self.child = None;
                return false;
            }
            if answers(self.port) {
                return true;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("redis-server does not answer");
    }

    /// The address to connect to.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Its URL, without user, password or database.
    pub fn url(&self) -> String {
        format!("redis://{}", self.address())
    }

    /// Runs a command and returns what `redis-cli` prints.
    ///
    /// # Panics
    /// If the command cannot be run.
    pub fn cli(&self, command: &[&str]) -> String {
        let run = Command::new("redis-cli")
            .args(["-h", "127.0.0.1", "-p", &self.port.to_string()])
            .args(command)
            .output()
            .expect("these tests need redis-cli in the PATH");
        String::from_utf8_lossy(&run.stdout).trim().to_owned()
    }

    fn signal(&self, name: &str) {
        let Some(child) = &self.child else { return };
        let command = format!("kill -{name} {}", child.id());
        let done = Command::new("sh").args(["-c", &command]).status();
        assert!(done.is_ok_and(|status| status.success()), "{command}");
    }

    fn reap(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.wait().expect("it is our child");
        }
    }

    /// Kills it, as a power failure would.
    pub fn kill(&mut self) {
        self.signal("KILL");
        self.reap();
    }

    /// Asks it to end and waits until it has.
    pub fn terminate(&mut self) {
        self.signal("TERM");
        self.reap();
    }

    /// Starts it again with the same port, folder and options. Returns once it has loaded its data and answers.
    ///
    /// # Panics
    /// If it does not start.
    pub fn restart(&mut self) {
        self.terminate();
        // The port may still be in use for a moment.
        let begun = Instant::now();
        while !self.run() {
            assert!(begun.elapsed() < START, "redis-server does not start again");
        }
    }

    /// Stops the process (SIGSTOP): sockets stay open, but nothing answers.
    pub fn stop(&self) {
        self.signal("STOP");
    }

    /// Lets it continue.
    pub fn go_on(&self) {
        self.signal("CONT");
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // A failure here cannot be handled. Killing works on a stopped process, too.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn wait(what: &str, so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !so() {
        assert!(begun.elapsed() < START, "timed out: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// True if a Redis answers and has loaded its data, with or without a password.
fn answers(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else {
        return false;
    };
    let mut answer = [0; 7];
    let asked = stream
        .set_read_timeout(Some(Duration::from_secs(1)))
        .and_then(|()| stream.write_all(b"PING\r\n"))
        .and_then(|()| stream.read_exact(&mut answer));
    asked.is_ok() && (answer.starts_with(b"+PONG") || answer.starts_with(b"-NOAUTH"))
}

/// A cluster of three primaries.
pub struct RedisCluster {
    /// Its servers, in the order of their slots.
    pub servers: Vec<RedisServer>,
}

impl RedisCluster {
    /// Starts a cluster that loses everything when it ends.
    ///
    /// # Panics
    /// If it does not start.
    pub fn start() -> Self {
        Self::with(&[])
    }

    /// Starts a cluster whose servers have more options.
    ///
    /// # Panics
    /// If it does not start.
    pub fn with(more: &[&str]) -> Self {
        let cluster = Self {
            servers: (0..3).map(|_| Self::server(more)).collect(),
        };
        let count = cluster.servers.len();
        for (n, server) in cluster.servers.iter().enumerate() {
            let (first, end) = (n * SLOTS / count, (n + 1) * SLOTS / count);
            let (first, last) = (first.to_string(), (end - 1).to_string());
            assert_eq!(server.cli(&["cluster", "addslotsrange", &first, &last]), "OK");
            let epoch = (n + 1).to_string();
            assert_eq!(server.cli(&["cluster", "set-config-epoch", &epoch]), "OK");
        }
        for server in &cluster.servers[1..] {
            cluster.meet(server);
        }
        let whole = |server: &RedisServer| {
            let info = server.cli(&["cluster", "info"]);
            info.contains("cluster_state:ok") && info.contains("cluster_known_nodes:3")
        };
        wait("the cluster comes together", || cluster.servers.iter().all(whole));
        cluster
    }

    /// Adds a server that follows one of the primaries and can replace it.
    ///
    /// # Panics
    /// If it does not start or follow.
    pub fn add_replica(&self, primary: &RedisServer) -> RedisServer {
        let more: Vec<_> = primary.options[4..].iter().map(String::as_str).collect();
        let replica = Self::server(&more);
        self.meet(&replica);
        let id = primary.cli(&["cluster", "myid"]);
        wait("the replica knows its primary", || {
            replica.cli(&["cluster", "replicate", &id]) == "OK"
        });
        wait("the replica follows", || {
            replica
                .cli(&["info", "replication"])
                .contains("master_link_status:up")
                && primary.cli(&["cluster", "replicas", &id]).contains("slave")
        });
        replica
    }

    fn server(more: &[&str]) -> RedisServer {
        let bus = free_port().to_string();
        let options = ["--cluster-enabled", "yes", "--cluster-port", &bus];
        RedisServer::with(&[&options, more].concat())
    }

    fn meet(&self, server: &RedisServer) {
        let (port, bus) = (server.port.to_string(), &server.options[3]);
        let met = self.servers[0].cli(&["cluster", "meet", "127.0.0.1", &port, bus]);
        assert_eq!(met, "OK");
    }

    /// Its URL, with all its servers.
    pub fn url(&self) -> String {
        let addresses: Vec<_> = self.servers.iter().map(RedisServer::address).collect();
        format!("redis-cluster://{}", addresses.join(","))
    }
}
