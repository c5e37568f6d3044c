//! A server's process: found, started, waited for, ended.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use tokio::net::TcpStream;

/// How long a process may take to start, or to end.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long to wait before looking again.
const PAUSE: Duration = Duration::from_millis(5);
/// Where Debian has servers, which is not in everybody's `PATH`.
const SYSTEM_PROGRAMS: &str = "/usr/sbin";

/// A free port of loopback that nothing else in this process was given.
///
/// It is below the ports that the system gives to outgoing connections, so none of the many connections of the other tests takes
/// it before the server does.
pub(crate) fn free_address() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = 20_000 + u16::try_from(std::process::id() % 100).unwrap() * 100;
    for _ in 0..1_000 {
        let port = first + NEXT.fetch_add(1, Ordering::Relaxed);
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
    panic!("no free port from {first} on");
}

/// An empty directory of a test's own, for configuration and logs. It stays where the test fails.
#[derive(Debug)]
pub(crate) struct Directory(PathBuf);

impl Directory {
    pub(crate) fn create(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("real_servers").join(name);
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let file = self.0.join(name);
        std::fs::write(&file, text).unwrap();
        file
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}

/// A process that ends when it is dropped. What it says is in a file, and in the panic where it doesn't do as it should.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    program: &'static str,
    log: PathBuf,
}

impl Process {
    /// Starts a program that stays in the foreground.
    pub(crate) fn start(program: &'static str, package: &str, arguments: &[&str], log: PathBuf) -> Self {
        let output = File::create(&log).unwrap();
        let mut command = Command::new(find(program, package));
        command.args(arguments).stdin(Stdio::null()).stdout(output.try_clone().unwrap()).stderr(output);
        let child = command.spawn().unwrap_or_else(|error| panic!("{program} can't be started: {error}"));
        Self { child, program, log }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it accepts connections.
    pub(crate) async fn accepts(&mut self, address: SocketAddr) {
        let start = Instant::now();
        while TcpStream::connect(address).await.is_err() {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "{} has ended: {}", self.program, self.said());
            assert!(start.elapsed() < PATIENCE, "{} accepts no connections: {}", self.program, self.said());
            tokio::time::sleep(PAUSE).await;
        }
        assert!(self.child.try_wait().unwrap().is_none(), "{} has ended: {}", self.program, self.said());
    }

    /// Waits until it has ended by itself.
    pub(crate) async fn ended(&mut self) {
        let start = Instant::now();
        while self.child.try_wait().unwrap().is_none() {
            assert!(start.elapsed() < PATIENCE, "{} does not end: {}", self.program, self.said());
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Ends it at once, as a crash would.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Finds a program; the panic names the package where it isn't installed.
fn find(program: &str, package: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let directories = std::env::split_paths(&path).chain([PathBuf::from(SYSTEM_PROGRAMS)]);
    let found = directories.map(|directory| directory.join(program)).find(|file| file.is_file());
    found.unwrap_or_else(|| panic!("{program} is not installed; on Debian: apt-get install {package}"))
}
