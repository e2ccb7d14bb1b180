use std::ops::Range;

use maas_core::{Seed, Values};
use maas_kernels::{Buffer, Compute};

use crate::Error;
use crate::layer::{RowType, Training, ValueType};

/// What a pass is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mode {
    /// Answers: no noise, running statistics are applied.
    Infer,
    /// One step of training: noise is drawn, running statistics move on.
    Train {
        /// Where noise comes from.
        seed: Seed,
        /// The number of the step.
        step: u64,
        /// The place of the pass's first row in the step's batch, so that noise does not depend on how a batch is
        /// split over threads.
        first_row: u64,
    },
}

impl Mode {
    /// Training, for a pass that holds the whole batch.
    ///
    /// ```
    /// use maas_nn::Mode;
    /// use maas_core::Seed;
    /// assert_eq!(Mode::train(Seed(7), 3), Mode::Train { seed: Seed(7), step: 3, first_row: 0 });
    /// ```
    pub fn train(seed: Seed, step: u64) -> Self {
        Self::Train {
            seed,
            step,
            first_row: 0,
        }
    }
}

/// What [`Layer::forward`](crate::Layer::forward) works on. Matrices are row-major, `rows` × numbers a row.
///
/// ```
/// use maas_nn::{Error, Forward};
///
/// /// y = x ⊙ w, with one weight w a column.
/// fn forward(pass: &mut Forward<'_>) -> Result<(), Error> {
///     let (x, w) = (pass.inputs.f32(0)?, pass.parameters.get(0));
///     for (x, y) in x.chunks_exact(w.len()).zip(pass.output.chunks_exact_mut(w.len())) {
///         y.copy_from_slice(x);
///         pass.compute.kernels.multiply(w, y);
///     }
///     Ok(())
/// }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct Forward<'a> {
    /// Rows in this pass.
    pub rows: usize,
    /// What the pass is for.
    pub mode: Mode,
    /// The layer's number in its network: a part of the key of its noise.
    pub layer: u32,
    /// Whether the layer is frozen: then it keeps its running statistics, and uses them.
    pub training: Training,
    /// The values to work on.
    pub inputs: Inputs<'a>,
    /// The value to write.
    pub output: &'a mut [f32],
    /// The layer's parameters, as declared.
    pub parameters: Slices<'a>,
    /// The layer's state, as declared.
    pub state: Slices<'a>,
    /// The state after this step, where the pass trains and the state is a running one; it starts as `state`.
    pub next_state: SlicesMut<'a>,
    /// What `backward` will find; empty in a plan for inference.
    pub saved: Saved<'a>,
    /// Workspace with unspecified content.
    pub scratch: &'a mut [f32],
    /// Kernels and threads to use.
    pub compute: Compute,
}

/// What [`Layer::backward`](crate::Layer::backward) works on. Matrices are row-major, `rows` × numbers a row.
///
/// ```
/// use maas_nn::{Backward, Error};
///
/// /// Of y = x ⊙ w: dw = Σ x ⊙ dy over the rows, dx = dy ⊙ w.
/// fn backward(pass: &mut Backward<'_>) -> Result<(), Error> {
///     let (x, w) = (pass.inputs.f32(0)?, pass.parameters.get(0));
///     let dw = pass.parameter_gradients.get(0);
///     dw.fill(0.0);
///     for (x, dy) in x.chunks_exact(w.len()).zip(pass.output_gradient.chunks_exact(w.len())) {
///         for ((dw, x), dy) in dw.iter_mut().zip(x).zip(dy) {
///             *dw += x * dy;
///         }
///     }
///     if let Some(dx) = pass.input_gradients.get(0) {
///         dx.copy_from_slice(pass.output_gradient);
///         dx.chunks_exact_mut(w.len()).for_each(|dx| pass.compute.kernels.multiply(w, dx));
///     }
///     Ok(())
/// }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct Backward<'a> {
    /// Rows in this pass.
    pub rows: usize,
    /// What the pass is for.
    pub mode: Mode,
    /// The layer's number in its network.
    pub layer: u32,
    /// Whether the layer is frozen: then the gradients by its parameters need not be computed, as nobody sees them.
    pub training: Training,
    /// The values that `forward` worked on.
    pub inputs: Inputs<'a>,
    /// The value that `forward` wrote.
    pub output: &'a [f32],
    /// The gradient of the loss by the output; free to be overwritten.
    pub output_gradient: &'a mut [f32],
    /// The gradients by the inputs, to be overwritten.
    pub input_gradients: Gradients<'a>,
    /// The layer's parameters, as declared.
    pub parameters: Slices<'a>,
    /// The gradients by the parameters, to be overwritten.
    pub parameter_gradients: SlicesMut<'a>,
    /// The layer's state, as declared.
    pub state: Slices<'a>,
    /// What `forward` kept.
    pub saved: Saved<'a>,
    /// Workspace with unspecified content.
    pub scratch: &'a mut [f32],
    /// Kernels and threads to use.
    pub compute: Compute,
}

/// The values that a layer works on.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    pub(crate) values: &'a [Value],
    pub(crate) sources: &'a [ValueRef],
    pub(crate) types: &'a [RowType],
    pub(crate) rows: usize,
}

/// A value's place and numbers a row; a place may be larger than the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ValueRef {
    pub(crate) slot: usize,
    pub(crate) width: usize,
}

/// Memory for values of one type.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    F32(Buffer),
    I32(Vec<i32>),
}

impl<'a> Inputs<'a> {
    /// How many there are.
    pub fn len(self) -> usize {
        self.sources.len()
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.sources.is_empty()
    }

    /// The shape of a row of input `index`.
    ///
    /// # Panics
    /// When there are not as many inputs.
    pub fn row_shape(self, index: usize) -> &'a [usize] {
        &self.types[index].shape
    }

    /// Input `index`, of whichever type.
    ///
    /// # Panics
    /// When there are not as many inputs.
    pub fn get(self, index: usize) -> Values<'a> {
        let ValueRef { slot, width } = self.sources[index];
        match &self.values[slot] {
            Value::F32(values) => Values::F32(&values[..self.rows * width]),
            Value::I32(values) => Values::I32(&values[..self.rows * width]),
        }
    }

    /// Input `index`, of single-precision numbers.
    ///
    /// # Errors
    /// [`Error::ValueType`] when it is of another type, which a check in `plan` excludes.
    ///
    /// # Panics
    /// When there are not as many inputs.
    pub fn f32(self, index: usize) -> Result<&'a [f32], Error> {
        self.get(index).as_f32().ok_or(Error::ValueType {
            expected: ValueType::F32,
            found: ValueType::I32,
        })
    }

    /// Input `index`, of integers.
    ///
    /// # Errors
    /// [`Error::ValueType`] when it is of another type, which a check in `plan` excludes.
    ///
    /// # Panics
    /// When there are not as many inputs.
    pub fn i32(self, index: usize) -> Result<&'a [i32], Error> {
        self.get(index).as_i32().ok_or(Error::ValueType {
            expected: ValueType::I32,
            found: ValueType::F32,
        })
    }
}

/// Several slices of one buffer, numbered as a layer declared them.
#[derive(Clone, Copy, Debug)]
pub struct Slices<'a> {
    pub(crate) data: &'a [f32],
    pub(crate) ranges: &'a [Range<usize>],
}

impl<'a> Slices<'a> {
    /// Slice `index`.
    ///
    /// # Panics
    /// When the layer declared fewer.
    pub fn get(self, index: usize) -> &'a [f32] {
        &self.data[self.ranges[index].clone()]
    }

    /// How many there are.
    pub fn len(self) -> usize {
        self.ranges.len()
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.ranges.is_empty()
    }
}

/// Several slices of one buffer to write, numbered as a layer declared them.
#[derive(Debug)]
pub struct SlicesMut<'a> {
    pub(crate) data: &'a mut [f32],
    pub(crate) ranges: &'a [Range<usize>],
}

impl SlicesMut<'_> {
    /// Slice `index`.
    ///
    /// # Panics
    /// When the layer declared fewer.
    pub fn get(&mut self, index: usize) -> &mut [f32] {
        &mut self.data[self.ranges[index].clone()]
    }

    /// Several slices at once.
    ///
    /// # Panics
    /// When the layer declared fewer, or an index is there twice.
    pub fn many<const N: usize>(&mut self, indices: [usize; N]) -> [&mut [f32]; N] {
        self.data
            .get_disjoint_mut(indices.map(|index| self.ranges[index].clone()))
            .expect("segments do not overlap, and no index is asked for twice")
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.ranges.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }
}

/// The gradients by a layer's inputs.
#[derive(Debug)]
pub struct Gradients<'a> {
    pub(crate) staged: &'a mut [Staged],
    pub(crate) rows: usize,
}

/// The gradient by one input while a layer writes it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Staged {
    pub(crate) buffer: Buffer,
    pub(crate) width: usize,
    pub(crate) wanted: bool,
}

impl Gradients<'_> {
    /// The gradient by input `index`, or `None` when nobody asks for it.
    ///
    /// # Panics
    /// When there are not as many inputs.
    pub fn get(&mut self, index: usize) -> Option<&mut [f32]> {
        let staged = &mut self.staged[index];
        staged
            .wanted
            .then(|| &mut staged.buffer[..self.rows * staged.width])
    }
}

/// What `forward` keeps for `backward`: as many elements as the layer declared.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Saved<'a> {
    /// Single-precision numbers, so many a row.
    pub f32: &'a mut [f32],
    /// Bytes, so many a row.
    pub u8: &'a mut [u8],
    /// Integers, so many a row.
    pub i32: &'a mut [i32],
    /// Single-precision numbers, as many whatever the rows.
    pub fixed: &'a mut [f32],
}
