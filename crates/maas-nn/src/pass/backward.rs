use maas_kernels::{Activation, Compute, Tables};

use super::{Inputs, Mode, Saved, Slices, SlicesMut, ValueRef};
use crate::ProductPrecision;
use crate::layer::Training;
use crate::plan::program::Flow;

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
    /// Whether the gradient is by what the layer has activated.
    pub(crate) derived: bool,
    /// An activation with whose derivative at the input the gradient by it is to be multiplied.
    pub(crate) derives: Option<Activation>,
    /// The gradients by the inputs, to be overwritten.
    pub input_gradients: Gradients<'a>,
    /// The layer's parameters, as declared.
    pub parameters: Slices<'a>,
    /// The gradients by the parameters, to be overwritten. There are none where the layer works by rows.
    pub parameter_gradients: SlicesMut<'a>,
    /// The layer's state, as declared.
    pub state: Slices<'a>,
    /// What `forward` kept.
    pub saved: Saved<'a>,
    /// Workspace with unspecified content.
    pub scratch: &'a mut [f32],
    /// Kernels and threads to use.
    pub compute: Compute,
    /// What the operands of products are to be rounded to.
    pub precision: ProductPrecision,
}

/// The gradients by a layer's inputs.
#[derive(Debug)]
pub struct Gradients<'a> {
    pub(crate) flows: &'a [Flow],
    pub(crate) inputs: &'a [ValueRef],
    pub(crate) gradients: Tables<'a, f32>,
    /// Where a gradient is written that is added to another, by the number of the input.
    pub(crate) spares: Tables<'a, f32>,
}

impl Gradients<'_> {
    /// The gradient by input `index`, or `None` when nobody asks for it.
    ///
    /// # Panics
    /// When there are not as many inputs.
    pub fn get(&mut self, index: usize) -> Option<&mut [f32]> {
        let width = self.inputs[index].width;
        match self.flows[index] {
            Flow::Skip => None,
            Flow::Write(slot) => Some(self.gradients.get_mut(slot, width)),
            Flow::Add(_) => Some(self.spares.get_mut(index, width)),
        }
    }
}
