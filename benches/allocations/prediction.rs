//! Answers of models.

use std::num::NonZeroUsize;

use maas_compress::CompressedNetwork;
use maas_core::{Context, Model, Outputs, TensorView};

use crate::counter::during;
use crate::{network, noise};

/// With a context and outputs that are kept, any number of rows up to that of the first call, and pieces of more.
pub(crate) fn answers_allocate_nothing(threads: NonZeroUsize) {
    let classifier = network(24, 10);
    let compressed = CompressedNetwork::new(network(24, 10)).unwrap();
    let models: [(&str, &dyn Model); 2] = [("dense", &classifier), ("compressed", &compressed)];
    for (name, model) in models {
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
