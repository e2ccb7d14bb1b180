//! The words that training and serving share: tensors, signatures, the model trait, seeds.
//!
//! This crate knows no network, no server and no file format. It says what a *model* is, so that whatever can
//! answer a request (a network, a pruned network, an ONNX file, a closure) can be served, balanced and measured by
//! code that was written without it.
//!
//! ```
//! use maas_core::{predict_once, DType, Error, FnModel, Outputs, Signature, Tensor, TensorSpec, TensorView};
//!
//! let signature = Signature::new(
//!     vec![TensorSpec::rows("x", DType::Fp32, &[2])],
//!     vec![TensorSpec::rows("sum", DType::Fp32, &[1])],
//! )?;
//! let model = FnModel::new(signature, |inputs: &[TensorView<'_>], outputs: &mut Outputs<'_>| {
//!     let x = inputs[0].as_slice::<f32>()?;
//!     let mut sum = outputs.tensor(0, DType::Fp32, &[inputs[0].rows(), 1])?;
//!     for (sum, row) in sum.as_mut_slice::<f32>()?.iter_mut().zip(x.chunks_exact(2)) {
//!         *sum = row[0] + row[1];
//!     }
//!     Ok::<(), Error>(())
//! });
//!
//! let x = Tensor::from_slice([3, 2], &[1.0_f32, 2.0, 3.0, 4.0, 5.0, 6.0])?;
//! let answers = predict_once(&model, &[x.view()])?;
//! assert_eq!(answers[0].as_slice::<f32>()?, [3.0, 7.0, 11.0]);
//! # Ok::<(), Error>(())
//! ```
//!
//! # The nouns
//!
//! | word | what it is |
//! | --- | --- |
//! | [`DType`], [`Element`] | the element types of the Open Inference Protocol, and the Rust types that hold them |
//! | [`Shape`], [`Tensor`], [`TensorView`], [`TensorMut`] | typed, row-major values: owned, borrowed, writable |
//! | [`Dimension`], [`TensorSpec`], [`Signature`] | what a model takes and gives; the first dimension is the batch and free |
//! | [`Model`], [`Outputs`], [`Scratch`], [`Context`] | answering: synchronous, batch first, without allocation in the steady state |
//! | [`FnModel`] | a closure as a model |
//! | [`Moments`], [`Statistics`] | means and deviations of columns, which data measure and networks apply |
//! | [`Values`] | a typed numeric column, borrowed |
//! | [`Seed`] | where randomness comes from: the same seed gives the same bits |
//! | [`write_atomically`] | files that are either whole or not there |
//!
//! # A model of your own
//!
//! Implement [`Model`]: a [`Signature`], a [`Scratch`] with the buffers that a caller keeps between calls, and
//! `predict`. An engine with its own errors hands them over as [`Error::model`]; callers find them again as the
//! error's source.
//!
//! # Features
//!
//! `ndarray` (on by default) adds conversions from and to `ndarray` views.

mod content;
mod dtype;
mod error;
mod fnv;
mod grouped;
#[cfg(feature = "ndarray")]
mod interop;
mod model;
mod moments;
mod outputs;
mod rows;
mod seed;
mod shape;
mod signature;
mod spec;
mod storage;
mod strings;
mod tensor;
mod values;
mod view;
mod view_mut;
mod write;

pub use dtype::{DType, Element};
pub use error::Error;
pub use fnv::Fnv;
pub use grouped::grouped;
pub use model::{Context, FnModel, Model, Scratch, predict_once};
pub use moments::{Moments, Statistics};
pub use outputs::{CallerBuffer, Outputs};
pub use seed::Seed;
pub use shape::Shape;
pub use signature::Signature;
pub use spec::{Dimension, TensorSpec};
pub use strings::Strings;
pub use tensor::Tensor;
pub use values::Values;
pub use view::TensorView;
pub use view_mut::TensorMut;
pub use write::write_atomically;

#[cfg(target_endian = "big")]
compile_error!(
    "tensors hold little-endian bytes, as the wire does: big-endian processors are not supported"
);
