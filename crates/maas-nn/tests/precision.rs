//! Passes with bf16 products against a step written down plainly: operands rounded, all else in single precision.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use std::num::NonZeroUsize;

use maas_core::{Seed, Values};
use maas_nn::{
    Compute, Kernels, Mode, Network, Parallelism, Plan, PlanOptions, ProductPrecision, Sequential,
};
use proptest::prelude::*;

/// To the nearest number of 8 significant bits, ties to even.
fn rounded(x: f32) -> f32 {
    let bits = x.to_bits();
    let half = 0x7fff + (bits >> 16 & 1);
    f32::from_bits((bits + half) & 0xffff_0000)
}

/// A matrix of rows × columns.
#[derive(Clone)]
struct Table {
    data: Vec<f32>,
    columns: usize,
}

impl Table {
    fn new(data: &[f32], columns: usize) -> Self {
        let data = data.to_vec();
        Self { data, columns }
    }

    fn rows(&self) -> usize {
        self.data.len() / self.columns
    }

    fn turned(&self) -> Self {
        let (rows, columns) = (self.rows(), self.columns);
        let data = (0..rows * columns).map(|i| self.data[i % rows * columns + i / rows]);
        Self {
            data: data.collect(),
            columns: rows,
        }
    }

    /// A·B of the rounded numbers: the second of each pair first, from +0 on, for less than 1024 of them.
    fn times(&self, other: &Self) -> Self {
        let (k, n) = (self.columns, other.columns);
        let mut data = Vec::new();
        for (row, column) in (0..self.rows()).flat_map(|i| (0..n).map(move |j| (i, j))) {
            let mut sum = 0.0;
            for l in (0..k + k % 2).map(|l| l ^ 1).filter(|&l| l < k) {
                let (a, b) = (self.data[row * k + l], other.data[l * n + column]);
                sum = rounded(a).mul_add(rounded(b), sum);
            }
            data.push(sum);
        }
        Self { data, columns: n }
    }
}

/// Output, gradient by the parameters in the order of their segments, and gradient by the input.
fn plainly(network: &Network, x: &Table, dy: &Table) -> Vec<f32> {
    let parameters: Vec<_> = network
        .segments()
        .iter()
        .map(|segment| &network.parameters()[segment.range.clone()])
        .collect();
    let [w1, b1, w2, b2] = parameters[..] else {
        panic!("two layers");
    };
    let (w1, w2) = (Table::new(w1, b1.len()), Table::new(w2, b2.len()));
    let add = |mut z: Table, bias: &[f32]| {
        z.data
            .iter_mut()
            .enumerate()
            .for_each(|(i, z)| *z += bias[i % bias.len()]);
        z
    };
    let mut hidden = add(x.times(&w1), b1);
    hidden.data.iter_mut().for_each(|y| *y = y.max(0.0));
    let output = add(hidden.times(&w2), b2);
    let sums = |dz: &Table| -> Vec<f32> {
        let sum = |column| {
            dz.data
                .iter()
                .skip(column)
                .step_by(dz.columns)
                .fold(0.0, |s, x| s + x)
        };
        (0..dz.columns).map(sum).collect()
    };
    let mut dz = dy.times(&w2.turned());
    for (dz, y) in dz.data.iter_mut().zip(&hidden.data) {
        *dz = if *y <= 0.0 { 0.0 } else { *dz };
    }
    let (dw1, dw2) = (x.turned().times(&dz), hidden.turned().times(dy));
    let dx = dz.times(&w1.turned());
    [
        output.data,
        dw1.data,
        sums(&dz),
        dw2.data,
        sums(dy),
        dx.data,
    ]
    .concat()
}

fn planned(network: &Network, x: &Table, dy: &Table, compute: Compute) -> Vec<f32> {
    let rows = x.rows();
    let options = PlanOptions::train(rows)
        .precision(ProductPrecision::Bf16)
        .compute(compute)
        .input_gradients();
    let mut plan = Plan::new(network, options).unwrap();
    plan.set_input(0, rows, Values::F32(&x.data)).unwrap();
    plan.forward(rows, network, Mode::train(Seed(1), 0))
        .unwrap();
    let mut all = plan.output().to_vec();
    plan.head_gradient_mut()[..dy.data.len()].copy_from_slice(&dy.data);
    plan.backward(rows, network).unwrap();
    for segment in network.segments() {
        all.extend(&plan.gradient()[segment.range.clone()]);
    }
    all.extend(plan.input_gradient(0, rows).unwrap());
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn a_pass_rounds_the_operands_and_nothing_else(
        (rows, inputs, hidden, outputs) in (1_usize..70, 1_usize..40, 1_usize..40, 1_usize..20),
        seed: u64,
    ) {
        let network = Sequential::rows(inputs).dense(hidden).relu().dense(outputs);
        let mut network = network.build(Seed(seed)).unwrap();
        for (i, weight) in network.parameters_mut().iter_mut().enumerate() {
            *weight += (i as f32).sin() * 0.1;
        }
        let numbers = |len: usize, columns| {
            let data: Vec<f32> = (0..len).map(|i| ((i as u64 ^ seed) % 1009) as f32 * 0.017 - 8.0).collect();
            Table::new(&data, columns)
        };
        let (x, dy) = (numbers(rows * inputs, inputs), numbers(rows * outputs, outputs));
        let expected = plainly(&network, &x, &dy);
        for kernels in Kernels::available() {
            for threads in [1, 3] {
                let parallelism = Parallelism::threads(NonZeroUsize::new(threads).unwrap());
                let found = planned(&network, &x, &dy, Compute { kernels, parallelism });
                let bits = |x: &[f32]| x.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
                prop_assert_eq!(bits(&found), bits(&expected), "{:?} on {} threads", kernels, threads);
            }
        }
    }
}
