//! The tasks of a server, which end with it.

use std::sync::{Arc, Mutex, PoisonError};

use hyper::rt::Executor;
use tokio::task::JoinSet;

/// Spawns tasks and, once stopped, ends them all and takes no more.
#[derive(Clone)]
pub(super) struct Tasks {
    /// `None` once stopped.
    running: Arc<Mutex<Option<JoinSet<()>>>>,
}

impl Tasks {
    pub(super) fn new() -> Self {
        Self { running: Arc::new(Mutex::new(Some(JoinSet::new()))) }
    }

    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = running.as_mut() {
            while running.try_join_next().is_some() {}
            running.spawn(task);
        }
    }

    pub(super) fn stop(&self) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        // Outside the lock, since what ends here may spawn.
        drop(running);
    }
}

/// For hyper, which spawns a task for each stream of HTTP/2.
impl<F> Executor<F> for Tasks
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    fn execute(&self, future: F) {
        self.spawn(async move { _ = future.await });
    }
}
