//! A new version of a model beside the old one while requests run: a shadow first, then a tenth of the requests, then all of
//! them; and back again, when it turns out to be worse.
//!
//! `cargo run --release --example versions`

#![allow(clippy::print_stdout)]

#[path = "shared/wine.rs"]
mod wine;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use anyhow::{Result, ensure};
use maas::ndarray::{ArrayView2, Axis};
use maas::prelude::*;
use maas::server::Models;
use maas::service::Shadow;

fn main() -> Result<()> {
    let data = wine::data()?.split([0.7, 0.15, 0.15], Seed(7))?;
    let trained = |epochs| -> Result<Network> {
        let mut network = wine::network(&data.train)?;
        wine::trainer()
            .epochs(epochs)
            .fit(&mut network, &data.train)?;
        Ok(network)
    };

    let models = Models::new();
    models.add("wine", "1", LocalModel::new(trained(2)?))?;
    models.weigh("wine", [("1", 1)])?;
    models.label("wine", "stable", "1")?;
    let server = Server::new()
        .models(models.clone())
        .bind("127.0.0.1:0")
        .run_in_background()?;

    let load = Load::on(&server.url(), &data.test.x().row(0).insert_axis(Axis(0)));
    load.report("version 1 alone", [("1", 1.0, 1.0)])?;

    // Nobody waits for a shadow. It is compared, and so known before anybody depends on it.
    let apart = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&apart);
    models.add("wine", "2", LocalModel::new(trained(10)?))?;
    models.shadow(
        "wine",
        Shadow::of("2").share(0.5).compare(move |compared| {
            let both = (
                compared.answer.rows(),
                compared.shadow.as_ref().map(InferResponse::rows),
            );
            if let (Ok(answer), Ok(Ok(shadow))) = both {
                let mut seen = seen.lock().expect("nobody panics with it");
                seen.push(f64::from((answer[[0, 0]] - shadow[[0, 0]]).abs()));
            }
        }),
    )?;
    load.report("version 2 in the shadow", [("1", 1.0, 1.0)])?;
    let apart = apart.lock().expect("nobody panics with it").clone();
    ensure!(!apart.is_empty(), "the shadow was never asked");
    let mean = apart.iter().sum::<f64>() / apart.len() as f64;
    println!(
        "    {} answers compared, {mean:.3} grades apart on average",
        apart.len()
    );
    models.unshadow("wine")?;

    models.weigh("wine", [("1", 9), ("2", 1)])?;
    load.report("a tenth to version 2", [("2", 0.05, 0.15)])?;
    models.weigh("wine", [("2", 1)])?;
    models.label("wine", "stable", "2")?;
    load.report("promoted", [("2", 1.0, 1.0)])?;
    models.weigh("wine", [("1", 1)])?;
    models.label("wine", "stable", "1")?;
    load.report("rolled back", [("1", 1.0, 1.0)])?;
    models.remove_version("wine", "2")?.wait();
    load.report("version 2 is gone", [("1", 1.0, 1.0)])?;

    let (answered, failed) = load.end();
    println!("{answered} requests answered, {failed} failed");
    ensure!(failed == 0, "requests failed");
    Ok(server.shutdown_blocking()?)
}

/// Four clients that ask again and again.
struct Load {
    is_over: Arc<AtomicBool>,
    failed: Arc<AtomicU64>,
    by_version: Arc<Mutex<BTreeMap<String, u64>>>,
    clients: Vec<thread::JoinHandle<u64>>,
}

impl Load {
    fn on(url: &str, row: &ArrayView2<'_, f32>) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let failed = Arc::new(AtomicU64::new(0));
        let by_version = Arc::new(Mutex::new(BTreeMap::new()));
        let clients = (0..4)
            .map(|_| {
                let (url, row) = (url.to_owned(), row.to_owned());
                let (is_over, failed) = (Arc::clone(&is_over), Arc::clone(&failed));
                let by_version = Arc::clone(&by_version);
                thread::spawn(move || {
                    let client = Client::new(url).expect("a server's address");
                    let mut answered = 0;
                    while !is_over.load(Ordering::Acquire) {
                        let Ok(answer) = client.infer("wine", row.view()) else {
                            failed.fetch_add(1, Ordering::Relaxed);
                            continue;
                        };
                        answered += 1;
                        let version = answer.version.unwrap_or_default().to_string();
                        *by_version
                            .lock()
                            .expect("nobody panics with it")
                            .entry(version)
                            .or_insert(0) += 1;
                    }
                    answered
                })
            })
            .collect();
        Self {
            is_over,
            failed,
            by_version,
            clients,
        }
    }

    /// Who answers in a quarter of a second from now on, and that a version's share is within bounds.
    fn report<const N: usize>(&self, what: &str, shares: [(&str, f64, f64); N]) -> Result<()> {
        // Requests that began before are over by then.
        thread::sleep(Duration::from_millis(50));
        self.by_version
            .lock()
            .expect("nobody panics with it")
            .clear();
        thread::sleep(Duration::from_millis(250));
        let counts = self
            .by_version
            .lock()
            .expect("nobody panics with it")
            .clone();
        let all: u64 = counts.values().sum();
        println!("{what:24} {counts:?}");
        for (version, least, most) in shares {
            let share = counts.get(version).copied().unwrap_or(0) as f64 / all as f64;
            ensure!(
                (least..=most).contains(&share),
                "version {version} answered {share:.3} of all"
            );
        }
        Ok(())
    }

    fn end(self) -> (u64, u64) {
        self.is_over.store(true, Ordering::Release);
        let answered = self
            .clients
            .into_iter()
            .map(|client| client.join().unwrap_or(0))
            .sum();
        (answered, self.failed.load(Ordering::Relaxed))
    }
}
