//! The servers to measure: separate processes on free ports.

use std::io::{self, BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use testkit::{PostgresServer, Taps};

use crate::dialect::Dialect;
use crate::usage;

/// How long a server may take to start.
const START: Duration = Duration::from_secs(30);
/// How long it may take to stop before it is killed.
const STOP: Duration = Duration::from_secs(10);

/// The kind of server to measure.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Side {
    /// Hubbub, one process with its own storage.
    Hubbub,
    /// Hubbub, one replica per core (at least two), on a PostgreSQL and a Redis.
    Replicas,
    /// Node.js Socket.IO, one process.
    N1,
    /// Node.js cluster with sticky sessions and the Redis adapter, one worker per core.
    N2,
    /// Hubbub's namespace `/`, used like the public chat example.
    HubbubExample,
    /// The public chat example on Node.js, one process.
    Example,
    /// A bare socketioxide.
    Oxide,
    /// A loop of `write()`.
    Floor,
}

impl Side {
    /// Its name in the results.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hubbub => "Hubbub",
            Self::Replicas => "Hubbub replicas",
            Self::N1 => "N1",
            Self::N2 => "N2",
            Self::HubbubExample => "Hubbub, `/`",
            Self::Example => "the example on Node.js",
            Self::Oxide => "socketioxide",
            Self::Floor => "write loop",
        }
    }
}

/// Which cores the servers and the generator run on.
#[derive(Clone, Default)]
pub struct Cores {
    /// The servers' cores, for `taskset -c`. `None` means all.
    pub servers: Option<String>,
    /// The generator's cores.
    pub generator: Option<String>,
}

impl Cores {
    /// The first half for the server, the second for the generator, so that one does not disturb the other.
    pub fn apart() -> Self {
        match usage::cores() {
            0 | 1 => Self::default(),
            n => Self {
                servers: Some(range(0, n / 2)),
                generator: Some(range(n / 2, n)),
            },
        }
    }

    /// All cores for both.
    pub fn shared() -> Self {
        Self::default()
    }

    /// Pins this process to the generator's cores.
    pub fn pin_generator(&self) -> io::Result<()> {
        let cores = self.generator.clone().unwrap_or_else(|| range(0, usage::cores()));
        let moved = Command::new("taskset")
            .args(["-a", "-c", "-p", &cores, &std::process::id().to_string()])
            .stdout(Stdio::null())
            .status()?;
        if moved.success() {
            Ok(())
        } else {
            Err(io::Error::other("taskset cannot pin the generator"))
        }
    }
}

fn range(from: usize, to: usize) -> String {
    format!("{from}-{}", to - 1)
}

/// The URLs of what replicas share.
#[derive(Clone)]
struct Shared {
    database: String,
    redis: String,
}

/// A running server.
pub struct Site {
    /// Its protocol.
    pub dialect: Dialect,
    /// The address of each replica or worker.
    pub addresses: Vec<SocketAddr>,
    processes: Vec<Child>,
    folder: TempDir,
    // After the processes: `Drop` ends those first.
    postgres: Option<PostgresServer>,
}

impl Site {
    /// Starts the server and waits until it is ready.
    pub fn start(side: Side, cores: &Cores) -> io::Result<Self> {
        let mut site = Self::empty(Dialect::Rooms)?;
        let many = usage::cores().max(2);
        match side {
            Side::Hubbub => site.hubbub(cores, None)?,
            Side::Replicas => {
                let shared = site.shared()?;
                for _ in 0..many {
                    site.hubbub(cores, Some(&shared))?;
                }
            }
            Side::HubbubExample => {
                site.hubbub(cores, None)?;
                site.dialect = Dialect::Example;
            }
            Side::Example => {
                let port = free_ports(1)?;
                site.ready(node(cores, "bench/peers/socketio/server.mjs").arg(port.to_string()))?;
                site.dialect = Dialect::Example;
                site.addresses.push(address(port));
            }
            Side::N1 => {
                let port = free_ports(1)?;
                site.ready(node(cores, ROOMS).arg(port.to_string()))?;
                site.addresses.push(address(port));
            }
            Side::N2 => {
                let redis = site.redis()?;
                let port = free_ports(1 + u16::try_from(many).unwrap_or(u16::MAX))?;
                site.ready(node(cores, ROOMS).args([port.to_string(), many.to_string(), redis]))?;
                site.addresses.extend((1..).map(|n| address(port + n)).take(many));
            }
            Side::Oxide => {
                let port = free_ports(1)?;
                site.ready(program(cores, "target/peers/release/peer-socketioxide").arg(port.to_string()))?;
                site.addresses.push(address(port));
            }
            Side::Floor => return Err(io::Error::other("the write loop is started by its measure")),
        }
        Ok(site)
    }

    /// Starts two replicas. What the second one asks of PostgreSQL and Redis is counted.
    pub fn tapped(cores: &Cores) -> io::Result<(Self, Taps)> {
        let mut site = Self::empty(Dialect::Hubbub)?;
        let shared = site.shared()?;
        site.hubbub(cores, Some(&shared))?;
        let taps = Taps::before(&shared.database, &shared.redis)?;
        let (database, redis) = taps.urls();
        site.hubbub(cores, Some(&Shared { database, redis }))?;
        Ok((site, taps))
    }

    fn empty(dialect: Dialect) -> io::Result<Self> {
        Ok(Self {
            dialect,
            addresses: Vec::new(),
            processes: Vec::new(),
            folder: tempfile::tempdir()?,
            postgres: None,
        })
    }

    /// Starts the write loop: it writes `frames` frames of `bytes` bytes to each of `clients` sockets, `rate` per second.
    pub fn floor(cores: &Cores, clients: usize, rate: f64, frames: f64, bytes: usize) -> io::Result<Self> {
        let mut site = Self::empty(Dialect::Hubbub)?;
        let port = free_ports(1)?;
        let own = std::env::current_exe()?;
        let numbers = [
            port.to_string(),
            clients.to_string(),
            rate.to_string(),
            frames.to_string(),
            bytes.to_string(),
        ];
        site.ready(program(cores, &own.to_string_lossy()).arg("floor").args(numbers))?;
        site.addresses.push(address(port));
        Ok(site)
    }

    /// The ids of the server's processes, without its Redis and PostgreSQL.
    pub fn pids(&self) -> Vec<u32> {
        let servers = self.processes.iter().map(Child::id).filter(|pid| !is_redis(*pid));
        servers.flat_map(usage::family).collect()
    }

    fn hubbub(&mut self, cores: &Cores, shared: Option<&Shared>) -> io::Result<()> {
        let at = address(free_ports(1)?);
        let binary = std::env::var("HUBBUB_BIN").unwrap_or_else(|_| "target/release/hubbub".to_owned());
        let mut hubbub = program(cores, &binary);
        hubbub
            .env("HUBBUB_ADDR", at.to_string())
            .env("HUBBUB_LIMITS", "off")
            .env("HUBBUB_LOG", "warn");
        hubbub.env("HUBBUB_DATA_DIR", self.folder.path().join("data"));
        if let Some(Shared { database, redis }) = shared {
            hubbub
                .env("HUBBUB_DATABASE_URL", database)
                .env("HUBBUB_REDIS_URL", redis);
        }
        self.spawn(hubbub.stdout(Stdio::null()))?;
        self.answers(at)?;
        self.dialect = Dialect::Hubbub;
        self.addresses.push(at);
        Ok(())
    }

    fn shared(&mut self) -> io::Result<Shared> {
        let redis = self.redis()?;
        // With its default settings, it waits for the disk.
        let postgres = self.postgres.insert(PostgresServer::with(&[]));
        let database = postgres.url(&postgres.database());
        Ok(Shared { database, redis })
    }

    fn redis(&mut self) -> io::Result<String> {
        let port = free_ports(1)?;
        let folder = self.folder.path().join("redis");
        std::fs::create_dir(&folder)?;
        let mut redis = Command::new("redis-server");
        redis
            .arg("deploy/redis.conf")
            .arg("--port")
            .arg(port.to_string())
            .arg("--dir")
            .arg(folder);
        self.spawn(redis.stdout(Stdio::null()))?;
        self.answers(address(port))?;
        Ok(format!("redis://127.0.0.1:{port}"))
    }

    fn spawn(&mut self, command: &mut Command) -> io::Result<()> {
        let child = command.stdin(Stdio::null()).spawn().map_err(|error| {
            let program = command.get_program().to_string_lossy().into_owned();
            io::Error::new(
                error.kind(),
                format!("{program}: {error}; run `make bench`, which builds it"),
            )
        })?;
        self.processes.push(child);
        Ok(())
    }

    /// Starts a program that prints `ready` once it is.
    fn ready(&mut self, command: &mut Command) -> io::Result<()> {
        self.spawn(command.stdout(Stdio::piped()))?;
        let output = self.processes.last_mut().and_then(|child| child.stdout.take());
        let Some(output) = output else { return Ok(()) };
        for line in BufReader::new(output).lines() {
            if line?.trim() == "ready" {
                return Ok(());
            }
        }
        Err(io::Error::other("a server ended before it was ready"))
    }

    /// Waits until the process started last accepts connections.
    fn answers(&mut self, at: SocketAddr) -> io::Result<()> {
        let began = Instant::now();
        while TcpStream::connect(at).is_err() {
            let ended = self
                .processes
                .last_mut()
                .and_then(|child| child.try_wait().ok().flatten());
            if ended.is_some() || began.elapsed() > START {
                return Err(io::Error::other(format!("the server at {at} did not start")));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        // Redis started first and stops last.
        for child in self.processes.iter_mut().rev() {
            // It may have ended already.
            let _ = Command::new("kill")
                .arg(child.id().to_string())
                .stderr(Stdio::null())
                .status();
            let began = Instant::now();
            while matches!(child.try_wait(), Ok(None)) {
                if began.elapsed() > STOP {
                    let _ = child.kill();
                }
                std::thread::sleep(Duration::from_millis(10));
            }
        }
    }
}

fn is_redis(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.starts_with("redis"))
}

fn program(cores: &Cores, path: &str) -> Command {
    let cores = cores.servers.clone().unwrap_or_else(|| range(0, usage::cores()));
    let mut command = Command::new("taskset");
    command.args(["-c", &cores, path]);
    command
}

/// The peer on Node.js.
const ROOMS: &str = "bench/peers/rooms/server.mjs";

fn node(cores: &Cores, server: &str) -> Command {
    let mut command = program(cores, "node");
    command.arg(server).env("NODE_ENV", "production");
    command
}

fn address(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

/// The first of `count` consecutive free ports.
fn free_ports(count: u16) -> io::Result<u16> {
    for _ in 0..10_000 {
        let first = TcpListener::bind(address(0))?;
        let port = first.local_addr()?.port();
        let others: Vec<_> = (1..count)
            .map_while(|n| TcpListener::bind(address(port.checked_add(n)?)).ok())
            .collect();
        if others.len() + 1 == usize::from(count) {
            return Ok(port);
        }
    }
    Err(io::Error::other("no free ports"))
}
