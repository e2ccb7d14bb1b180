//! Where a model runs that was cheap, and is not any more.
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};
use std::time::Duration;

use common::{Gate, request, sums, wait_until};
use maas_service::{LocalModel, Replicas, Service};

/// Which thread ran the model last, and how long it is to take.
#[derive(Clone, Default)]
struct Probe {
    ran_on: Arc<Mutex<Option<ThreadId>>>,
    milliseconds: Arc<AtomicU64>,
}

impl Probe {
    fn model(&self) -> LocalModel {
        let probe = self.clone();
        LocalModel::new(sums(move |_| {
            let wait = probe.milliseconds.load(Ordering::SeqCst);
            if wait > 0 {
                thread::sleep(Duration::from_millis(wait));
            }
            *probe.ran_on.lock().unwrap() = Some(thread::current().id());
        }))
    }

    fn is_run_here(&self, service: &impl Service) -> bool {
        service.infer_blocking(request(&[[1.0, 2.0]])).unwrap();
        *self.ran_on.lock().unwrap() == Some(thread::current().id())
    }
}

#[test]
fn what_was_slow_once_is_asked_elsewhere_until_it_is_fast_again() {
    let probe = Probe::default();
    let service = probe.model();
    assert!(!probe.is_run_here(&service), "nothing is known yet");
    wait_until(|| probe.is_run_here(&service));
    probe.milliseconds.store(20, Ordering::SeqCst);
    // Short runs that are alike are not all measured.
    let held = (0..10).take_while(|_| probe.is_run_here(&service)).count();
    assert!(held < 10, "{held}");
    for _ in 0..3 {
        assert!(!probe.is_run_here(&service));
    }
    probe.milliseconds.store(0, Ordering::SeqCst);
    wait_until(|| probe.is_run_here(&service));
}

#[test]
fn a_model_that_does_not_come_back_holds_one_thread_of_its_callers() {
    let probe = Probe::default();
    let (gate, stuck) = (Gate::default(), Arc::new(Mutex::new(None)));
    let (held, caller, inner) = (gate.clone(), Arc::clone(&stuck), probe.clone());
    let model = sums(move |_| {
        let here = Some(thread::current().id());
        if *caller.lock().unwrap() == here {
            held.pass();
        }
        *inner.ran_on.lock().unwrap() = here;
    });
    let pool = Arc::new(Replicas::of(model, 2));
    let all_are = |here: bool| (0..16).all(|_| probe.is_run_here(&*pool) == here);
    wait_until(|| all_are(true));

    let asked = Arc::clone(&pool);
    let asking = thread::spawn(move || {
        *stuck.lock().unwrap() = Some(thread::current().id());
        asked.infer_blocking(request(&[[1.0, 2.0]])).unwrap();
    });
    // Whichever of them it was: they are one model.
    wait_until(|| all_are(false));
    gate.open();
    asking.join().unwrap();
    wait_until(|| all_are(true));
}
