//! A model behind its queue: batches, parts, deadlines, failures, the end.
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

mod common;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use common::{Gate, request, sums, wait_until};
use maas_schedule::{Priority, QueueOptions};
use maas_service::{ErrorKind, InferResponse, LocalModel, Readiness, ServeError, Service};

const TWO: NonZeroUsize = NonZeroUsize::new(2).unwrap();

fn y(response: &InferResponse) -> &[f32] {
    response.output("y").unwrap().as_slice::<f32>().unwrap()
}

type Runs = Arc<Mutex<Vec<(usize, f32)>>>;

/// A model that waits at the gate in its first run, so that others gather behind it, and of all runs how many rows they had and the first number.
fn held(fails: impl Fn(&[f32]) + Send + Sync + 'static) -> (LocalModel, Gate, Runs) {
    let (gate, runs) = (Gate::default(), Arc::new(Mutex::new(Vec::new())));
    let (held, rows) = (gate.clone(), Arc::clone(&runs));
    let model = sums(move |x| {
        let first = {
            let mut rows = rows.lock().unwrap();
            rows.push((x.len() / 2, x[0]));
            rows.len() == 1
        };
        if first {
            held.pass();
        }
        fails(x);
    });
    (LocalModel::new(model).queued(), gate, runs)
}

fn rows_of(runs: &Runs) -> Vec<usize> {
    runs.lock().unwrap().iter().map(|&(rows, _)| rows).collect()
}

#[test]
fn what_waits_runs_together_and_says_what_it_took() {
    let (service, gate, runs) = held(|_| {});
    thread::scope(|scope| {
        let ask = |x: f32| {
            scope.spawn({
                let service = &service;
                move || service.infer_blocking(request(&[[x, 1.0]]))
            })
        };
        let first = ask(0.0);
        wait_until(|| runs.lock().unwrap().len() == 1);
        let others: Vec<_> = (1..8_u8).map(|x| (x, ask(f32::from(x)))).collect();
        wait_until(|| service.in_flight() == 8);
        thread::sleep(Duration::from_millis(5));
        gate.open();
        assert_eq!(first.join().unwrap().unwrap().spent.batch_rows, 1);
        for (x, other) in others {
            let response = other.join().unwrap().unwrap();
            assert_eq!(y(&response), [f32::from(x) + 1.0]);
            assert_eq!(response.spent.batch_rows, 7);
            assert!(response.spent.queue >= Duration::from_millis(5));
        }
    });
    assert_eq!(rows_of(&runs), [1, 7]);
    assert_eq!(service.queue_stats().unwrap().rows, 8);
}

#[test]
fn a_request_of_many_rows_runs_in_parts_and_comes_back_whole() {
    let options = QueueOptions::default().max_rows(4);
    let service = LocalModel::new(sums(|x| assert!(x.len() <= 8)))
        .queued()
        .batching(options)
        .workers(TWO);
    let rows: Vec<[f32; 2]> = (0..23_u8).map(|x| [f32::from(x), 0.5]).collect();
    let response = service
        .infer_blocking(request(&rows).output("n").output("y"))
        .unwrap();
    let sums: Vec<f32> = rows.iter().map(|row| row[0] + row[1]).collect();
    assert_eq!(y(&response), sums);
    assert_eq!(
        response.outputs[0].tensor.as_slice::<i64>().unwrap(),
        (0..23).collect::<Vec<_>>()
    );
    assert_eq!(response.outputs[0].tensor.shape().dims(), [23]);
}

#[test]
fn a_request_that_breaks_the_model_breaks_no_other_of_its_batch() {
    let (service, gate, runs) = held(|x| assert!(x.iter().all(|&x| x >= 0.0), "a negative number"));
    thread::scope(|scope| {
        let ask = |x: f32| {
            scope.spawn({
                let service = &service;
                move || service.infer_blocking(request(&[[x, 1.0]]))
            })
        };
        let first = ask(0.0);
        wait_until(|| runs.lock().unwrap().len() == 1);
        let (good, bad) = ([ask(1.0), ask(2.0)], ask(-3.0));
        wait_until(|| service.in_flight() == 4);
        gate.open();
        assert!(first.join().unwrap().is_ok());
        for caller in good {
            assert!(caller.join().unwrap().is_ok());
        }
        let error = bad.join().unwrap().unwrap_err();
        assert!(
            matches!(&error, ServeError::Panicked { message } if message == "a negative number"),
            "{error}"
        );
    });
    assert_eq!(rows_of(&runs), [1, 3, 1, 1, 1]);
}

#[test]
fn who_is_late_is_told_and_not_run() {
    let (service, gate, runs) = held(|_| {});
    thread::scope(|scope| {
        let service = &service;
        let first = scope.spawn(|| service.infer_blocking(request(&[[0.0, 1.0]])));
        wait_until(|| runs.lock().unwrap().len() == 1);
        let hurried = scope.spawn(|| {
            service.infer_blocking(request(&[[1.0, 1.0]]).within(Duration::from_millis(2)))
        });
        wait_until(|| service.in_flight() == 2);
        thread::sleep(Duration::from_millis(5));
        gate.open();
        assert!(first.join().unwrap().is_ok());
        let error = hurried.join().unwrap().unwrap_err();
        assert!(matches!(error, ServeError::Expired { .. }), "{error}");
        assert_eq!(error.kind(), ErrorKind::Deadline);
        let passed = service
            .infer_blocking(request(&[[1.0, 1.0]]).within(Duration::ZERO))
            .unwrap_err();
        assert_eq!(passed.kind(), ErrorKind::Deadline);
    });
    assert_eq!(runs.lock().unwrap().len(), 1);
    let inline = LocalModel::new(sums(|_| panic!("the model must not be asked"))).inline();
    let error = inline
        .infer_blocking(request(&[[1.0, 1.0]]).within(Duration::ZERO))
        .unwrap_err();
    assert!(matches!(error, ServeError::Expired { .. }), "{error}");
}

#[test]
fn who_has_haste_goes_first() {
    let (service, gate, runs) = held(|_| {});
    let service = service.batching(QueueOptions::default().max_rows(1));
    thread::scope(|scope| {
        let service = &service;
        let ask = |x: f32, priority| {
            scope.spawn(move || service.infer_blocking(request(&[[x, 1.0]]).priority(priority)))
        };
        ask(0.0, Priority::Normal);
        wait_until(|| runs.lock().unwrap().len() == 1);
        let queued = |rows| wait_until(|| service.queue_stats().unwrap().queued == rows);
        ask(3.0, Priority::Low);
        queued(1);
        ask(2.0, Priority::Normal);
        queued(2);
        ask(1.0, Priority::High);
        queued(3);
        gate.open();
    });
    let order: Vec<f32> = runs.lock().unwrap().iter().map(|&(_, x)| x).collect();
    assert_eq!(order, [0.0, 1.0, 2.0, 3.0]);
}

#[test]
fn shutting_down_loses_nothing_that_was_taken() {
    let service = LocalModel::new(sums(|_| thread::sleep(Duration::from_micros(100)))).queued();
    let (answered, refused) = (AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                loop {
                    match service.infer_blocking(request(&[[1.0, 1.0]])) {
                        Ok(_) => answered.fetch_add(1, Ordering::SeqCst),
                        Err(ServeError::Draining) => break refused.fetch_add(1, Ordering::SeqCst),
                        Err(error) => panic!("{error}"),
                    };
                }
            });
        }
        wait_until(|| service.served() > 20);
        let done = service.shut_down();
        assert_eq!(service.ready(), Readiness::Draining);
        done.wait();
        assert_eq!(service.in_flight(), 0);
    });
    assert_eq!(refused.load(Ordering::SeqCst), 8);
    assert_eq!(
        service.served(),
        u64::try_from(answered.load(Ordering::SeqCst)).unwrap()
    );
    service.restart();
    assert!(service.infer_blocking(request(&[[1.0, 1.0]])).is_ok());
}

#[test]
fn a_cheap_model_runs_where_it_is_asked_once_that_is_known() {
    let threads = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&threads);
    let service = LocalModel::new(sums(move |_| {
        seen.lock().unwrap().push(thread::current().id());
    }));
    wait_until(|| {
        service.infer_blocking(request(&[[1.0, 1.0]])).unwrap();
        threads.lock().unwrap().last() == Some(&thread::current().id())
    });
    assert_ne!(threads.lock().unwrap()[0], thread::current().id());

    let slow = LocalModel::new(sums(|_| thread::sleep(Duration::from_millis(1))));
    (0..5).for_each(|_| drop(slow.infer_blocking(request(&[[1.0, 1.0]])).unwrap()));
    assert_eq!(slow.queue_stats().unwrap().rows, 5);
}
