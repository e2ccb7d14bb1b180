//! Every interleaving of small regions. Run by `.ci/loom`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use loom::cell::UnsafeCell;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

use super::sync::fence;
use super::word::Word;
use super::{Queues, Team};

/// Places that tasks write without synchronisation of their own: loom reports two writers at once, and a reader that
/// does not come after the writer.
struct Places(Vec<UnsafeCell<usize>>);

// SAFETY: loom checks it.
unsafe impl Sync for Places {}

impl Places {
    fn new(len: usize) -> Self {
        Self((0..len).map(|_| UnsafeCell::new(0)).collect())
    }

    fn count(&self, i: usize) {
        // SAFETY: loom reports a race.
        self.0[i].with_mut(|place| unsafe { *place += 1 });
    }

    fn assert_each_once(&self) {
        for place in &self.0 {
            // SAFETY: loom reports a race.
            assert_eq!(place.with(|place| unsafe { *place }), 1);
        }
    }
}

/// A team whose workers end with the model.
struct Dissolved(Arc<Team>);

impl Dissolved {
    fn new(workers: usize) -> Self {
        Self(Arc::new(Team::new(workers)))
    }

    fn run(&self, threads: usize, tasks: usize) {
        let places = Places::new(tasks);
        self.0.run(threads, tasks, &|i| places.count(i));
        places.assert_each_once();
    }

    fn end(self) {
        let mut crew = self.0.crew.lock().unwrap();
        self.0.region.word.fetch_or(Word::STOPPED, Ordering::AcqRel);
        fence(Ordering::SeqCst);
        for worker in crew.drain(..) {
            worker.thread().unpark();
            worker.join().unwrap();
        }
    }
}

fn model(preemptions: usize, f: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(f);
}

#[test]
fn every_task_runs_once_and_is_seen() {
    model(4, || {
        let team = Dissolved::new(1);
        team.run(2, 3);
        team.end();
    });
}

/// A worker that still looks at the first region's word finds the second region, or nothing.
#[test]
fn a_late_worker_does_no_harm() {
    model(3, || {
        let team = Dissolved::new(1);
        team.run(2, 2);
        team.run(2, 2);
        team.end();
    });
}

#[test]
fn two_workers_share() {
    model(2, || {
        let team = Dissolved::new(2);
        team.run(3, 3);
        team.end();
    });
}

#[test]
fn the_limit_holds() {
    model(2, || {
        let team = Dissolved::new(2);
        team.0.grow(&mut team.0.crew.lock().unwrap(), 2);
        let (inside, most) = (AtomicUsize::new(0), std::sync::Mutex::new(0));
        team.0.run(2, 3, &|_| {
            let now = inside.fetch_add(1, Ordering::Relaxed) + 1;
            let mut most = most.lock().unwrap();
            *most = now.max(*most);
            drop(most);
            inside.fetch_sub(1, Ordering::Relaxed);
        });
        assert!(*most.lock().unwrap() <= 2);
        team.end();
    });
}

#[test]
fn a_panic_reaches_the_caller_and_leaves_the_team_usable() {
    std::panic::set_hook(Box::new(|_| {}));
    for bad in 0..2 {
        model(3, move || {
            let team = Dissolved::new(1);
            let places = Places::new(2);
            let outcome = catch_unwind(AssertUnwindSafe(|| {
                team.0.run(2, 2, &|i| {
                    places.count(i);
                    if i == bad {
                        std::panic::resume_unwind(Box::new(i));
                    }
                });
            }));
            let payload = outcome.unwrap_err();
            assert_eq!(payload.downcast_ref(), Some(&bad));
            places.assert_each_once();
            team.run(2, 2);
            team.end();
        });
    }
}

#[test]
fn all_panic_and_one_payload_arrives() {
    model(3, || {
        let team = Dissolved::new(1);
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            team.0
                .run(2, 2, &|i| std::panic::resume_unwind(Box::new(i)));
        }));
        assert!(outcome.unwrap_err().downcast_ref::<usize>().is_some());
        team.run(2, 2);
        team.end();
    });
}

#[test]
fn two_callers_meet() {
    model(2, || {
        let team = Arc::new(Dissolved::new(1));
        let other = Arc::clone(&team);
        let other = thread::spawn(move || {
            other.run(2, 2);
            drop(other);
        });
        team.run(2, 2);
        other.join().unwrap();
        Arc::into_inner(team).unwrap().end();
    });
}

#[test]
fn a_region_in_a_region_runs_alone() {
    model(2, || {
        let team = Dissolved::new(1);
        let places = Places::new(4);
        team.0.run(2, 2, &|i| {
            team.0.run(2, 2, &|j| places.count(2 * i + j));
        });
        places.assert_each_once();
        team.end();
    });
}

#[test]
fn every_piece_is_taken_once() {
    model(3, || {
        let team = Dissolved::new(1);
        let (places, queues) = (Places::new(3), Queues::new(2, 3));
        team.0.run(2, 2, &|own| {
            while let Some(number) = queues.next(own) {
                places.count(number);
            }
        });
        places.assert_each_once();
        team.end();
    });
}
