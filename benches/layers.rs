//! What a layer costs forwards and backwards, alone, beside a copy of its values: 256 rows of 512 numbers, one thread.
//!
//! `cargo bench --bench layers`.

use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use maas_core::{DType, Seed, TensorSpec, Values};
use maas_nn::{Activation, LayerSpec, Mode, Plan, PlanOptions, Sequential};

const ROWS: usize = 256;
const WIDTH: usize = 512;

fn layers(c: &mut Criterion) {
    let mut group = c.benchmark_group("a layer of 256 × 512");
    group
        .throughput(Throughput::Elements((ROWS * WIDTH) as u64))
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    let x: Vec<f32> = (0..ROWS * WIDTH)
        .map(|i| (i * 7919 % 1013) as f32 / 200.0 - 2.5)
        .collect();
    // Forwards a value is read and another written, backwards two are read and one is written.
    group.bench_function("copies of two values", |b| {
        let mut y = [vec![0.0_f32; x.len()], vec![0.0_f32; x.len()]];
        b.iter(|| {
            for y in &mut y {
                std::hint::black_box(y).copy_from_slice(std::hint::black_box(&x));
            }
        });
    });
    for (name, layer) in all() {
        let input = TensorSpec::rows("x", DType::Fp32, &[WIDTH]);
        let network = Sequential::new(input)
            .push(layer)
            .build(Seed(7))
            .expect("the layer fits");
        let mut plan = Plan::new(&network, PlanOptions::train(ROWS).input_gradients())
            .expect("there is memory");
        plan.set_input(0, ROWS, Values::F32(&x)).expect("it fits");
        let mut step = 0;
        group.bench_function(name, |b| {
            b.iter(|| {
                step += 1;
                let mode = Mode::train(Seed(7), step);
                plan.forward_head(ROWS, &network, mode).expect("it runs");
                let (y, dy) = plan.head(ROWS);
                dy[0] = y[0];
                plan.backward(ROWS, &network).expect("it runs back");
            });
        });
    }
    group.finish();
}

fn all() -> Vec<(&'static str, LayerSpec)> {
    let activation = |activation| LayerSpec::Activation(activation);
    vec![
        ("batch_norm", LayerSpec::batch_norm()),
        ("layer_norm", LayerSpec::layer_norm()),
        ("relu", activation(Activation::Relu)),
        ("elu", activation(Activation::Elu { alpha: 1.0 })),
        ("selu", activation(Activation::Selu)),
        ("gelu", activation(Activation::Gelu)),
        ("gelu_tanh", activation(Activation::GeluTanh)),
        ("silu", activation(Activation::Silu)),
        ("mish", activation(Activation::Mish)),
        ("tanh", activation(Activation::Tanh)),
        ("sigmoid", activation(Activation::Sigmoid)),
        ("hard_sigmoid", activation(Activation::HardSigmoid)),
        ("softplus", activation(Activation::Softplus)),
        ("softsign", activation(Activation::Softsign)),
        ("softmax", LayerSpec::Softmax),
        ("dropout", LayerSpec::Dropout { rate: 0.3 }),
        (
            "gaussian_noise",
            LayerSpec::GaussianNoise { deviation: 0.1 },
        ),
    ]
}

criterion_group!(benches, layers);
criterion_main!(benches);
