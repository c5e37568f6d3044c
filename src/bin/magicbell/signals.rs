//! Ctrl-C, and being asked to end.

use std::io;

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::exit::{Exit, Failure, say};

/// Signals that ask to stop. None is lost while they aren't waited for.
#[cfg(unix)]
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

#[cfg(unix)]
impl Signals {
    /// Takes them over from the platform: from here on they end nothing by themselves.
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(windows)]
pub(crate) struct Signals(tokio::signal::windows::CtrlC);

#[cfg(windows)]
impl Signals {
    pub(crate) fn listen() -> io::Result<Self> {
        tokio::signal::windows::ctrl_c().map(Self)
    }

    pub(crate) async fn next(&mut self) {
        self.0.recv().await;
    }
}

impl Signals {
    /// Does what sends nothing that matters, unless it is stopped.
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
