//! Models for the tests.
#![allow(clippy::unwrap_used, dead_code)]

use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use maas_core::{DType, Error, FnModel, Model, Outputs, Signature, Tensor, TensorSpec, TensorView};
use maas_service::InferRequest;

pub(crate) fn signature() -> Signature {
    let x = TensorSpec::rows("x", DType::Fp32, &[2]);
    let outputs = vec![
        TensorSpec::rows("y", DType::Fp32, &[1]),
        TensorSpec::rows("n", DType::Int64, &[]),
    ];
    Signature::new(x, outputs).unwrap()
}

/// y is the sum of a row, n its first number without fraction; `before` runs first.
pub(crate) fn sums(before: impl Fn(&[f32]) + Send + Sync + 'static) -> impl Model {
    FnModel::new(
        signature(),
        move |inputs: &[TensorView<'_>], outputs: &mut Outputs<'_>| {
            let x = inputs[0].as_slice::<f32>()?;
            before(x);
            let rows = inputs[0].rows();
            let mut y = outputs.tensor(0, DType::Fp32, &[rows, 1])?;
            for (y, row) in y.as_mut_slice::<f32>()?.iter_mut().zip(x.chunks_exact(2)) {
                *y = row.iter().sum();
            }
            let mut n = outputs.tensor(1, DType::Int64, &[rows])?;
            for (n, row) in n.as_mut_slice::<i64>()?.iter_mut().zip(x.chunks_exact(2)) {
                *n = row[0] as i64;
            }
            Ok::<(), Error>(())
        },
    )
}

pub(crate) fn request(rows: &[[f32; 2]]) -> InferRequest {
    let tensor = Tensor::from_slice([rows.len(), 2], rows.as_flattened()).unwrap();
    InferRequest::new("sums").input("x", tensor)
}

/// Holds models back until it is opened.
#[derive(Clone, Default)]
pub(crate) struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    pub(crate) fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }

    pub(crate) fn pass(&self) {
        let open = self.0.0.lock().unwrap();
        drop(self.0.1.wait_while(open, |open| !*open).unwrap());
    }
}

pub(crate) fn wait_until(what: impl Fn() -> bool) {
    let start = Instant::now();
    while !what() {
        assert!(start.elapsed() < Duration::from_secs(10), "waited for 10 s");
        std::thread::sleep(Duration::from_millis(1));
    }
}
