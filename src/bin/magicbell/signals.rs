//! Ctrl-C, and being asked to end.

use std::io;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::exit::{Exit, Failure, say};

/// After how many signals the process ends, whatever it is doing: it may be blocked by whoever should read its output.
const ENOUGH: u32 = 3;

/// Signals that ask to stop. None is lost while they aren't waited for.
pub(crate) struct Signals(UnboundedReceiver<()>);

impl Signals {
    /// Takes them over from the platform: from here on the first two end nothing by themselves.
    pub(crate) fn listen() -> Result<Self, Failure> {
        let mut platform = Platform::listen().map_err(|error| Failure::new(Exit::Failed, error))?;
        let (sender, receiver) = unbounded_channel();
        tokio::spawn(async move {
            for _ in 1..ENOUGH {
                platform.next().await;
                // Nobody waits any more where it is at its end.
                _ = sender.send(());
            }
            platform.next().await;
            std::process::exit(Exit::Stopped as i32);
        });
        Ok(Self(receiver))
    }

    pub(crate) async fn next(&mut self) {
        if self.0.recv().await.is_none() {
            // The process is about to end.
            std::future::pending::<()>().await;
        }
    }

    /// Does what revokes nothing, unless it is stopped.
    pub(crate) async fn or_stopped<T>(&mut self, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        tokio::select! {
            done = work => done,
            () = self.next() => Err(Failure::new(Exit::Stopped, "stopped: nothing was revoked")),
        }
    }

    /// Waits for an answer that may hold a token: one signal isn't enough to give it up.
    pub(crate) async fn wait_for_answer<T>(&mut self, answer: impl Future<Output = T>) -> Result<T, Failure> {
        let mut answer = std::pin::pin!(answer);
        tokio::select! {
            answered = &mut answer => return Ok(answered),
            () = self.next() => say("a token may have been made: its answer is awaited; Ctrl-C again gives it up"),
        }
        tokio::select! {
            answered = answer => Ok(answered),
            () = self.next() => {
                let message = "given up: a token may have been made; list the tokens, and revoke what nobody holds";
                Err(Failure::new(Exit::Stopped, message))
            }
        }
    }
}

#[cfg(unix)]
struct Platform {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Platform {
    fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};

        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(windows)]
struct Platform(tokio::signal::windows::CtrlC);

#[cfg(windows)]
impl Platform {
    fn listen() -> io::Result<Self> {
        tokio::signal::windows::ctrl_c().map(Self)
    }

    async fn next(&mut self) {
        self.0.recv().await;
    }
}
