//! Layers: what they declare, and what they do.

mod declaration;
mod row;

use std::fmt::Debug;

pub use declaration::{
    Initial, LayerPlan, ParameterSpec, Role, SavedSpec, ScratchSpec, StateSpec, Training, Updates,
};
pub use row::{RowType, ValueType};

use crate::pass::{Backward, Forward, ParameterPass, Slices};
use crate::reference::Reference;
use crate::{Error, Packed, Representation};

/// A function of rows with parameters, and its derivative.
///
/// A layer owns no numbers. In [`plan`](Layer::plan) it declares what it needs for a row of a given type; `forward`
/// and `backward` are then functions over slices that a plan hands in, so that a layer is shared by any number of
/// threads and a step allocates nothing.
///
/// Row `i` of the output must depend on row `i` of the inputs only, unless the layer's purpose is to mix a batch.
///
/// A layer that is to be loaded from files also implements [`FromConfig`](crate::FromConfig).
///
/// ```
/// use maas_nn::{Backward, Error, Forward, Layer, LayerPlan, RowType};
///
/// /// y = x₀ + x₁
/// #[derive(Debug)]
/// struct Sum;
///
/// impl Layer for Sum {
///     fn kind(&self) -> &str {
///         "sum"
///     }
///     fn plan(&self, inputs: &[RowType]) -> Result<LayerPlan, Error> {
///         let [a, b] = RowType::exactly(inputs)?;
///         a.expect_f32()?;
///         b.expect_shape(&a.shape)?;
///         Ok(LayerPlan::new(a.shape.clone()).flops(a.width() as u64))
///     }
///     fn forward(&self, pass: &mut Forward<'_>) -> Result<(), Error> {
///         pass.output.copy_from_slice(pass.inputs.f32(0)?);
///         pass.compute.kernels.add(pass.inputs.f32(1)?, pass.output);
///         Ok(())
///     }
///     fn backward(&self, pass: &mut Backward<'_>) -> Result<(), Error> {
///         for input in 0..2 {
///             if let Some(dx) = pass.input_gradients.get(input) {
///                 dx.copy_from_slice(pass.output_gradient);
///             }
///         }
///         Ok(())
///     }
/// }
/// ```
pub trait Layer: Send + Sync + Debug {
    /// The kind under which files and tables know this layer, such as `"rotary"`.
    fn kind(&self) -> &str;

    /// What makes this layer differ from others of its kind, as data; [`FromConfig`](crate::FromConfig) reads it.
    fn config(&self) -> serde_json::Value {
        serde_json::Value::Null
    }

    /// What the layer needs and gives for rows of these types.
    ///
    /// # Errors
    /// When the layer's configuration makes no sense, or rows of these types do not fit.
    fn plan(&self, inputs: &[RowType]) -> Result<LayerPlan, Error>;

    /// The parameters once more, in the form in which `forward` reads them fastest, for passes that find it in
    /// [`Forward::packed`]; `None` where it reads them as they are. `earlier` is what this layer has packed before, in
    /// the same representation, to be overwritten.
    ///
    /// # Errors
    /// When a parameter cannot be packed.
    fn pack(
        &self,
        parameters: Slices<'_>,
        representation: Representation,
        earlier: Option<Packed>,
    ) -> Result<Option<Packed>, Error> {
        let _ = (parameters, representation, earlier);
        Ok(None)
    }

    /// Writes all of `pass.output`.
    ///
    /// # Errors
    /// When a value does not fit, such as an id beyond a vocabulary. The output is then unspecified.
    fn forward(&self, pass: &mut Forward<'_>) -> Result<(), Error>;

    /// Overwrites the gradients of the parameters and of the inputs for which one is asked; those of the inputs only where
    /// the layer works [by rows](LayerPlan::by_rows).
    ///
    /// The plan adds up where one value has several consumers. `pass.output_gradient` may be used as workspace.
    ///
    /// # Errors
    /// As for [`forward`](Layer::forward).
    fn backward(&self, pass: &mut Backward<'_>) -> Result<(), Error>;

    /// Overwrites the gradients of the parameters, or the parts of them that are asked for: what a layer with parameters
    /// that works [by rows](LayerPlan::by_rows) does behind `backward`, over all rows of the batch, at times for several
    /// parts on several threads. It finds the output's gradient as `backward` has left it.
    ///
    /// # Errors
    /// As for [`forward`](Layer::forward).
    fn parameter_gradients(&self, pass: &mut ParameterPass<'_>) -> Result<(), Error> {
        let _ = pass;
        Ok(())
    }

    /// The same function as [`forward`](Layer::forward) in double precision, slow and obvious: what
    /// [`check_gradients`](crate::check_gradients) takes differences of.
    ///
    /// Returns `false` where there is none, the default; differences of the single-precision function, which are
    /// less sharp, are then taken.
    ///
    /// # Errors
    /// As for [`forward`](Layer::forward).
    fn reference(&self, pass: &mut Reference<'_>) -> Result<bool, Error> {
        let _ = pass;
        Ok(false)
    }
}
