use std::io;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread;

use maas_schedule::{BatchQueue, Clock, QueueOptions, SystemClock, Taken};

use super::cost::Cost;
use super::engine::Engine;
use super::job::Task;
use super::worker::{Running, Worker};

/// Threads that run a model, and the queue before them.
#[derive(Debug)]
pub(crate) struct Workers {
    pub(crate) queue: BatchQueue<Task>,
    running: Vec<Arc<Running>>,
}

impl Workers {
    pub(crate) fn start(
        engine: &Arc<Engine>,
        cost: &Arc<Cost>,
        options: QueueOptions,
        count: NonZeroUsize,
    ) -> io::Result<Self> {
        let mut workers = Self {
            queue: BatchQueue::new(options.workers(count.get())),
            running: Vec::new(),
        };
        for _ in 0..count.get() {
            let running = Arc::new(Running::default());
            let worker = Worker {
                engine: Arc::clone(engine),
                queue: workers.queue.clone(),
                running: Arc::clone(&running),
                cost: Arc::clone(cost),
                workspace: None,
            };
            let thread = thread::Builder::new().name("maas-replica".to_owned());
            if let Err(error) = thread.spawn(move || worker.run()) {
                workers.kill();
                return Err(error);
            }
            workers.running.push(running);
        }
        Ok(workers)
    }

    /// Lets callers go at once, and threads end when their model returns.
    pub(crate) fn kill(&self) {
        self.queue.close();
        self.running.iter().for_each(|running| running.kill());
        while let Taken::Batch(batch) = self.queue.take(SystemClock.now()) {
            drop(batch);
        }
    }
}
