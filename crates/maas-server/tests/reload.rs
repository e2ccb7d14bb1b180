//! A model that is loaded again and again under load: no request fails, and its memory is given back.
#![allow(clippy::unwrap_used, clippy::print_stdout)]
#![cfg(target_os = "linux")]

mod common;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use common::child::{Child, is_child, listening};
use common::{Http, start, sums, wait_until};
use maas_server::{Models, Server, Source, SourceError};
use maas_service::{BoxService, LocalModel};

const BODY: &str = r#"{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}]}"#;
const LOAD: &str = "/v2/repository/models/sums/load";

/// A model of some size, read anew each time.
#[derive(Debug)]
struct Shelf;

impl Source for Shelf {
    fn models(&self) -> Result<Vec<String>, SourceError> {
        Ok(vec!["sums".to_owned()])
    }

    fn versions(&self, _model: &str) -> Result<Vec<String>, SourceError> {
        Ok(vec!["1".to_owned()])
    }

    fn load(&self, _model: &str, _version: &str) -> Result<BoxService, SourceError> {
        let weights = vec![1_u8; 4 << 20];
        let used = move |_: &[f32]| assert_eq!(weights[weights.len() - 1], 1);
        Ok(BoxService::new(LocalModel::new(sums(used))))
    }
}

#[test]
fn two_hundred_reloads_under_load_leave_no_trace() {
    if is_child() {
        let models = Models::from(Shelf);
        models.load_all().unwrap();
        let server = start(Server::new().models(models));
        listening(&server);
        return server.wait_blocking().unwrap();
    }
    // Else the system's allocator keeps blocks of this size when they are given back, in each of its arenas.
    let given_back_at_once = "export MALLOC_MMAP_THRESHOLD_=1048576";
    let name = "two_hundred_reloads_under_load_leave_no_trace";
    let child = Child::start(name, given_back_at_once);
    let (is_over, answered) = (AtomicBool::new(false), AtomicU64::new(0));
    let (before, after) = thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut http = Http::at(child.address);
                while !is_over.load(Ordering::Relaxed) {
                    let reply = http.infer("sums", BODY);
                    assert_eq!(reply.status, 200, "{reply:?}");
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let mut http = Http::at(child.address);
        let mut reload = |count: usize| {
            for _ in 0..count {
                let seen = answered.load(Ordering::Relaxed);
                let reply = http.post_json(LOAD, "");
                assert_eq!(reply.status, 200, "{reply:?}");
                wait_until(|| answered.load(Ordering::Relaxed) > seen);
            }
            settled(&child)
        };
        let memory = (reload(50), reload(200));
        is_over.store(true, Ordering::Relaxed);
        memory
    });
    println!(
        "{} requests; {before} bytes before, {after} after",
        answered.load(Ordering::Relaxed)
    );
    assert!(20 * after <= 21 * before, "{before} bytes, then {after}");
}

/// What the child has when no replaced version is on its way out.
fn settled(child: &Child) -> usize {
    let readings = (0..100).map(|_| {
        thread::sleep(Duration::from_millis(3));
        child.memory()
    });
    readings.min().unwrap()
}
