use std::ops::Range;

use maas_kernels::Compute;

use super::{Inputs, Kept, Mode, Slices};
use crate::ProductPrecision;

/// What [`Layer::parameter_gradients`](crate::Layer::parameter_gradients) works on: all rows of a batch.
///
/// ```
/// use maas_nn::{Error, ParameterPass};
///
/// /// Of y = x ⊙ w, with parts of one element: dw = Σ x ⊙ dy over the rows.
/// fn parameter_gradients(pass: &mut ParameterPass<'_>) -> Result<(), Error> {
///     let (x, w) = (pass.inputs.f32(0)?, pass.parameters.get(0));
///     let (columns, dw) = pass.gradients.part(0);
///     dw.fill(0.0);
///     for (x, dy) in x.chunks_exact(w.len()).zip(pass.output_gradient.chunks_exact(w.len())) {
///         for ((dw, x), dy) in dw.iter_mut().zip(&x[columns.clone()]).zip(&dy[columns.clone()]) {
///             *dw += x * dy;
///         }
///     }
///     Ok(())
/// }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct ParameterPass<'a> {
    /// Rows of the batch.
    pub rows: usize,
    /// What the pass is for.
    pub mode: Mode,
    /// The layer's number in its network.
    pub layer: u32,
    /// The values that `forward` worked on.
    pub inputs: Inputs<'a>,
    /// The value that `forward` wrote.
    pub output: &'a [f32],
    /// The gradient of the loss by the output, or what `backward` made of it.
    pub output_gradient: &'a [f32],
    /// The layer's parameters, as declared.
    pub parameters: Slices<'a>,
    /// The gradients by the parameters, to be overwritten.
    pub gradients: Parts<'a>,
    /// The layer's state, as declared.
    pub state: Slices<'a>,
    /// What `forward` kept.
    pub saved: Kept<'a>,
    /// Kernels and threads to use.
    pub compute: Compute,
    /// What the operands of products are to be rounded to.
    pub precision: ProductPrecision,
}

/// The gradients by a layer's parameters, or parts of them.
#[derive(Debug)]
pub struct Parts<'a> {
    /// A stretch of the network's gradient.
    pub(crate) data: &'a mut [f32],
    /// Where it starts.
    pub(crate) start: usize,
    /// Where the parameters lie in the network's gradient.
    pub(crate) ranges: &'a [Range<usize>],
}

impl Parts<'_> {
    /// Which elements of parameter `index` are asked for, and their gradient: all of them unless the parameter
    /// [is cut](crate::ParameterSpec::in_parts_of), and then perhaps none.
    ///
    /// # Panics
    /// When the layer declared fewer.
    pub fn part(&mut self, index: usize) -> (Range<usize>, &mut [f32]) {
        let Range { start, end } = self.ranges[index];
        let stop = self.start + self.data.len();
        let (first, last) = (start.clamp(self.start, stop), end.clamp(self.start, stop));
        let part = first.max(start).min(end) - start..last.max(start).min(end) - start;
        (part, &mut self.data[first - self.start..last - self.start])
    }

    /// How many parameters there are.
    pub fn len(&self) -> usize {
        self.ranges.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }
}
