//! One thread that runs what nobody waits for.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Wake, Waker};
use std::thread;

pub(super) type Run = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Has something run somewhere, soon or never, and returns at once.
pub(super) type Spawn = dyn Fn(Run) + Send + Sync;

/// A spawner whose thread starts with the first task, and ends when the spawner and all tasks are gone.
pub(super) fn worker() -> Box<Spawn> {
    let tasks: OnceLock<Option<Sender<Arc<Task>>>> = OnceLock::new();
    Box::new(move |run| {
        if let Some(tasks) = tasks.get_or_init(start) {
            let task = Task {
                run: Mutex::new(Some(run)),
                tasks: tasks.clone(),
            };
            Arc::new(task).wake();
        }
    })
}

fn start() -> Option<Sender<Arc<Task>>> {
    let (sender, receiver) = mpsc::channel();
    let started = thread::Builder::new()
        .name("maas-shadow".to_owned())
        .spawn(move || poll_all(&receiver));
    started.ok().map(|_| sender)
}

struct Task {
    /// None once it has ended.
    run: Mutex<Option<Run>>,
    tasks: Sender<Arc<Self>>,
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        let tasks = self.tasks.clone();
        // The thread ends last: it is there as long as somebody can send to it.
        let _ = tasks.send(self);
    }
}

fn poll_all(tasks: &Receiver<Arc<Task>>) {
    for task in tasks {
        let waker = Waker::from(Arc::clone(&task));
        let mut run = task.run.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(future) = &mut *run else {
            continue;
        };
        let mut context = Context::from_waker(&waker);
        // One task's panic ends that task alone.
        let polled = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(&mut context)));
        if !matches!(polled, Ok(poll) if poll.is_pending()) {
            let ended = run.take();
            let _ = catch_unwind(AssertUnwindSafe(|| drop(ended)));
        }
    }
}
