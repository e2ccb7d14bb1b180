//! Answers of models.

use std::num::NonZeroUsize;

use maas_core::{Context, Model, Outputs, TensorView};
use maas_nn::{Arithmetic, PackedNetwork, Representation};

use crate::counter::during;
use crate::{network, noise};

/// With a context and outputs that are kept, any number of rows up to that of the first call, and pieces of more.
///
/// Forms of one layer are tried on one thread: on more, a thread that takes part for the first time makes its own memory.
pub(crate) fn answers_allocate_nothing(threads: NonZeroUsize) {
    let classifier = network(24, 10);
    let mut models: Vec<(String, Box<dyn Model>)> = Vec::new();
    let arithmetics = [Arithmetic::F32, Arithmetic::int8()];
    for arithmetic in arithmetics.into_iter().filter(|_| threads.get() == 1) {
        let mut network = classifier.clone();
        network.set_arithmetic("dense", arithmetic).unwrap();
        for &form in network.representations("dense").unwrap() {
            let forms = |layer: &str| match layer {
                "dense" => form,
                _ => Representation::Dense,
            };
            let packed = PackedNetwork::new(network.clone(), forms).unwrap();
            models.push((format!("{arithmetic:?}, {form}"), Box::new(packed)));
        }
    }
    models.push(("as it is".to_owned(), Box::new(classifier)));
    for (name, model) in models {
        let model = &*model;
        let mut context = Context::of(model, 256).unwrap();
        context.threads = threads;
        let mut outputs = Outputs::new();
        let rows = noise(700, 24);
        let values = rows.as_slice().unwrap();
        let mut ask = |rows: usize| {
            let shape = [rows, 24];
            let input = TensorView::from_slice(&shape, &values[..rows * 24]).unwrap();
            model.predict(&[input], &mut outputs, &mut context).unwrap();
        };
        ask(700);
        for rows in [700, 1, 256, 32, 255, 2, 700].repeat(20) {
            let count = during(|| ask(rows));
            assert_eq!(count, 0, "{name}, {rows} rows, {threads} threads");
        }
    }
}
