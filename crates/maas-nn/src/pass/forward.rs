use maas_kernels::Compute;

use super::{Inputs, Mode, Saved, Slices, SlicesMut};
use crate::layer::Training;
use crate::{Packed, ProductPrecision};

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
    /// What the operands of products are to be rounded to.
    pub precision: ProductPrecision,
    /// What [`Layer::pack`](crate::Layer::pack) has made of the parameters, where it was asked.
    pub packed: Option<&'a Packed>,
}
