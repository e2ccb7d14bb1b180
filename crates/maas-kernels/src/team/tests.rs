use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::prelude::*;

use super::run;

fn assert_each_once(threads: usize, tasks: usize) {
    let counts: Vec<_> = (0..tasks).map(|_| AtomicUsize::new(0)).collect();
    run(threads, tasks, &|i| {
        counts[i].fetch_add(1, Ordering::Relaxed);
    });
    assert!(
        counts
            .iter()
            .all(|count| count.load(Ordering::Relaxed) == 1)
    );
}

proptest! {
    #[test]
    fn every_task_runs_once(threads in 0..6_usize, tasks in 0..40_usize) {
        assert_each_once(threads, tasks);
    }
}

#[test]
fn many_callers_and_many_regions() {
    std::thread::scope(|scope| {
        for caller in 0..3 {
            scope.spawn(move || {
                for round in 0..3000 {
                    assert_each_once(1 + (caller + round) % 4, round % 7);
                }
            });
        }
    });
}

#[test]
fn regions_after_a_sleep() {
    for round in 0..20 {
        std::thread::sleep(std::time::Duration::from_micros(20 * round));
        assert_each_once(4, 8);
    }
}

#[test]
fn regions_in_regions_and_in_rayon() {
    let count = AtomicUsize::new(0);
    run(3, 5, &|_| {
        run(3, 5, &|_| {
            count.fetch_add(1, Ordering::Relaxed);
        });
    });
    rayon::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|_| {
                let here = std::thread::current().id();
                run(3, 5, &|_| {
                    assert_eq!(std::thread::current().id(), here);
                    count.fetch_add(1, Ordering::Relaxed);
                });
            });
        }
    });
    assert_eq!(count.into_inner(), 45);
}

#[test]
fn no_more_threads_than_allowed() {
    assert_each_once(4, 4);
    for _ in 0..200 {
        let seen = Mutex::new(Vec::new());
        run(2, 16, &|_| {
            let here = std::thread::current().id();
            let mut seen = seen.lock().unwrap();
            if !seen.contains(&here) {
                seen.push(here);
            }
        });
        assert!(seen.into_inner().unwrap().len() <= 2);
    }
}

#[test]
fn panics_reach_the_caller_and_the_rest_runs() {
    for bad in 0..8 {
        let ran = AtomicUsize::new(0);
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            run(4, 8, &|i| {
                ran.fetch_add(1, Ordering::Relaxed);
                if i == bad {
                    std::panic::resume_unwind(Box::new(bad));
                }
            });
        }));
        assert_eq!(outcome.unwrap_err().downcast_ref(), Some(&bad));
        assert!(ran.into_inner() > bad);
        assert_each_once(4, 8);
    }
}

/// A payload that panics when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        std::panic::resume_unwind(Box::new("dropped"));
    }
}

#[test]
fn payloads_that_panic_in_turn_do_no_harm() {
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        run(3, 6, &|_| std::panic::resume_unwind(Box::new(Bomb)));
    }));
    std::mem::forget(outcome.unwrap_err());
    assert_each_once(3, 6);
}
