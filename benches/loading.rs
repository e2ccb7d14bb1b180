//! What a client of one model waits for while another model is loaded: in turns with nothing loaded, as a ratio.
//!
//! `cargo bench --bench loading`. A client asks for one row after the other over one connection; a thread beside
//! it loads 4 million weights from their file again and again, with a pause of the same length as a load took. Rounds alternate;
//! the medians over the rounds of the 50th and the 99th percentile are told.

#![allow(clippy::print_stdout)]

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use maas_core::{DType, FnModel, Model, Outputs, Signature, Tensor, TensorSpec, TensorView};
use maas_server::{Client, Folder, Models, Server};
use maas_service::{BoxService, InferRequest, LocalModel};

const ROUNDS: usize = 7;
const TIME: Duration = Duration::from_millis(1000);

fn main() {
    let folder = Saved::new();
    let models = Models::from(Folder::new(&folder.0, |path| {
        let bytes = std::fs::read(path)?;
        let (weights, _) = bytes.as_chunks();
        let weights: Vec<f32> = weights
            .iter()
            .map(|four| f32::from_le_bytes(*four))
            .collect();
        if weights.iter().any(|weight| !weight.is_finite()) {
            return Err("a weight is not finite".into());
        }
        Ok(BoxService::new(LocalModel::new(scaled(weights))))
    }));
    models.load("large").expect("it was saved");
    let small = LocalModel::new(scaled(vec![0.5; 32]));
    models.add("small", "1", small).expect("one of this name");
    let server = Server::new().models(models.clone()).bind("127.0.0.1:0");
    let server = server.run_in_background().expect("a free port");
    let client = Client::new(server.url()).expect("an address");
    ask(&client, TIME);
    let (mut quiet, mut loading) = (Vec::new(), Vec::new());
    let loads = AtomicUsize::new(0);
    for _ in 0..ROUNDS {
        quiet.push(ask(&client, TIME));
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    let began = Instant::now();
                    models.load("large").expect("it was loaded before");
                    loads.fetch_add(1, Ordering::Relaxed);
                    thread::sleep(began.elapsed());
                }
            });
            loading.push(ask(&client, TIME));
            is_over.store(true, Ordering::Relaxed);
        });
    }
    println!(
        "{} loads of 4 million weights in {ROUNDS} rounds of {TIME:?}",
        loads.into_inner()
    );
    for (name, percentile) in [("50 %", 0), ("99 %", 1)] {
        let (quiet, loading) = (median(&quiet, percentile), median(&loading, percentile));
        let ratio = loading.as_secs_f64() / quiet.as_secs_f64();
        println!("{name}: {quiet:?} alone, {loading:?} while another loads, {ratio:.2} times");
    }
    server.shutdown_blocking().expect("it ends");
}

/// What half and 99 % of the requests of this time took at most.
fn ask(client: &Client, time: Duration) -> [Duration; 2] {
    let row = Tensor::from_slice([1, 32], &[0.5_f32; 32]).expect("a row");
    let request = InferRequest::new("small").input("x", row);
    let end = Instant::now() + time;
    let mut took = Vec::new();
    while Instant::now() < end {
        let began = Instant::now();
        client.ask(&request).expect("it is answered");
        took.push(began.elapsed());
    }
    took.sort_unstable();
    [took[took.len() / 2], took[took.len() * 99 / 100]]
}

fn median(rounds: &[[Duration; 2]], percentile: usize) -> Duration {
    let mut values: Vec<_> = rounds.iter().map(|round| round[percentile]).collect();
    values.sort_unstable();
    values[values.len() / 2]
}

/// Scales each of 32 columns by a weight.
fn scaled(weights: Vec<f32>) -> impl Model {
    let spec = |name| TensorSpec::rows(name, DType::Fp32, &[32]);
    let signature = Signature::new(spec("x"), spec("y")).expect("one input, one output");
    FnModel::new(
        signature,
        move |inputs: &[TensorView<'_>], outputs: &mut Outputs<'_>| {
            let x = inputs[0].as_slice::<f32>()?;
            let mut y = outputs.tensor(0, DType::Fp32, &[inputs[0].rows(), 32])?;
            let rows = y.as_mut_slice::<f32>()?.chunks_mut(32).zip(x.chunks(32));
            for (y, x) in rows {
                for ((y, x), weight) in y.iter_mut().zip(x).zip(&weights) {
                    *y = x * weight;
                }
            }
            Ok::<(), maas_core::Error>(())
        },
    )
}

/// A folder with the weights of `large`, for as long as this lives.
struct Saved(PathBuf);

impl Saved {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("maas-loading-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a place for files");
        let weights = 0.5_f32.to_le_bytes().repeat(4_000_000);
        std::fs::write(path.join("large.weights"), weights).expect("a place for files");
        Self(path)
    }
}

impl Drop for Saved {
    fn drop(&mut self) {
        // The system clears the place too.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
