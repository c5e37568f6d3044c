//! What several subjects share.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use magicbell::testing::{Server, assert_hidden};
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::{Child, Command};

/// So high that nothing waits for it.
pub(crate) const FAST: [&str; 2] = ["--rate", "100000000"];

/// A server, a folder, and the command for both.
pub(crate) struct Room {
    pub(crate) server: Server,
    folder: TempDir,
}

/// What a run came to.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Room {
    pub(crate) async fn new() -> Self {
        Self { server: Server::start().await.unwrap(), folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file, and returns its path as an argument.
    pub(crate) fn file(&self, name: &str, contents: impl AsRef<[u8]>) -> String {
        std::fs::write(self.path(name), contents).unwrap();
        self.argument(name)
    }

    pub(crate) fn argument(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    /// The command, with the server and its token in the environment.
    pub(crate) fn command(&self, arguments: &[impl AsRef<OsStr>]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_magicbell"));
        command.args(arguments).current_dir(self.folder.path()).kill_on_drop(true);
        command.env("MAGICBELL_API_URL", self.server.url()).env("MAGICBELL_PROJECT_TOKEN", self.server.token());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs the command with no quota to wait for. Wherever it ends, the token is in nothing that it wrote.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Ran {
        self.end(self.command(&[arguments, &FAST].concat()).spawn().unwrap()).await
    }

    /// Waits for a command to end.
    pub(crate) async fn end(&self, child: Child) -> Ran {
        let output = child.wait_with_output().await.unwrap();
        let ran = Ran::from(output);
        self.assert_hidden(&ran);
        ran
    }

    fn assert_hidden(&self, ran: &Ran) {
        assert_hidden(self.server.token(), &ran.stdout);
        assert_hidden(self.server.token(), &ran.stderr);
        for entry in std::fs::read_dir(self.folder.path()).unwrap() {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap();
            assert_hidden(self.server.token(), &String::from_utf8_lossy(&bytes));
        }
    }

    /// Waits until the server has had so many requests for an operation.
    pub(crate) async fn wait_for(&self, operation: &str, requests: usize) {
        let limit = Instant::now() + Duration::from_secs(60);
        while self.server.count(operation) < requests {
            assert!(Instant::now() < limit, "only {} of {requests}", self.server.count(operation));
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    pub(crate) fn discards(&self) -> usize {
        self.server.count("discard_user_jwt") + self.server.count("discard_project_jwt")
    }

    /// How many of the ids are live still.
    pub(crate) fn live(&self, ids: &[String]) -> usize {
        ids.iter().filter(|id| self.server.is_discarded(id) == Some(false)).count()
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        // A signal's number where it was killed.
        Self { code: output.status.code().unwrap_or(-1), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

impl Ran {
    /// The lines of JSON on stdout.
    pub(crate) fn lines(&self) -> Vec<Value> {
        json_lines(&self.stdout)
    }
}

pub(crate) fn json_lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// How many lines have the outcome.
pub(crate) fn count(lines: &[Value], outcome: &str) -> usize {
    lines.iter().filter(|line| line["outcome"] == outcome).count()
}

/// Sends SIGINT, as Ctrl-C does.
pub(crate) fn interrupt(child: &Child) {
    let id = i32::try_from(child.id().unwrap()).unwrap();
    let process = rustix::process::Pid::from_raw(id).unwrap();
    rustix::process::kill_process(process, rustix::process::Signal::INT).unwrap();
}

/// The permissions of a file.
pub(crate) fn mode(path: impl AsRef<std::path::Path>) -> u32 {
    std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(path).unwrap().permissions()) & 0o777
}
