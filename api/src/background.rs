//! The threads that keep the records and follow them, apart from those that answer requests: however many requests wait for their turn, a
//! batch on its way to the disk waits behind none of them.

use std::io;
use std::thread;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio_util::context::TokioContext;

/// A runtime of its own; it ends, without waiting for anybody, when it is dropped.
pub(crate) struct Background {
    handle: Handle,
    runtime: Option<Runtime>,
}

impl Background {
    /// Starts one thread for two cores.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(crate) fn start() -> io::Result<Self> {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let mut builder = Builder::new_multi_thread();
        let builder = builder.worker_threads(cores.div_ceil(2));
        let runtime = builder.thread_name("records").enable_all().build()?;
        Ok(Self {
            handle: runtime.handle().clone(),
            runtime: Some(runtime),
        })
    }

    /// Work whose own tasks and timers belong there.
    pub(crate) fn within<F: Future>(&self, work: F) -> TokioContext<F> {
        TokioContext::new(work, self.handle.clone())
    }
}

/// A runtime may not be waited for where others run.
impl Drop for Background {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
