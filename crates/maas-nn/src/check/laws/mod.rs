//! The laws of layers, for tests of one's own.

mod breach;
mod files;
mod passes;
mod plans;
mod subject;

pub use breach::{Breach, Law, Quantity};

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use maas_core::{Seed, Values};

use super::{GradientReport, check_gradients};
use crate::layers::{Layers, resolve};
use crate::{Error, FromConfig, Layer, LayerSpec, MeanSquaredError, RowType, Targets};
use subject::Subject;

/// Runs a layer through every law that the rest of the library relies on.
///
/// A layer that passes can be put anywhere in a network, trained, saved, loaded and served. The laws are those of
/// [`Law`]; the first that is broken is an [`Error::Law`] that says which one, and where it was seen.
///
/// ```
/// use maas_nn::check::{Law, LayerLaws};
/// use maas_nn::{Backward, Error, Forward, FromConfig, Layer, LayerPlan, RowType};
///
/// /// y = x², whose derivative is wrong.
/// #[derive(Debug)]
/// struct Square;
///
/// impl Layer for Square {
///     fn kind(&self) -> &str {
///         Self::KIND
///     }
///     fn plan(&self, inputs: &[RowType]) -> Result<LayerPlan, Error> {
///         let [x] = RowType::exactly(inputs)?;
///         x.expect_f32()?;
///         Ok(LayerPlan::new(x.shape.clone()))
///     }
///     fn forward(&self, pass: &mut Forward<'_>) -> Result<(), Error> {
///         for (x, y) in pass.inputs.f32(0)?.iter().zip(&mut *pass.output) {
///             *y = x * x;
///         }
///         Ok(())
///     }
///     fn backward(&self, pass: &mut Backward<'_>) -> Result<(), Error> {
///         if let Some(dx) = pass.input_gradients.get(0) {
///             dx.copy_from_slice(pass.output_gradient);
///         }
///         Ok(())
///     }
/// }
///
/// impl FromConfig for Square {
///     const KIND: &'static str = "square";
///     fn from_config(_: &serde_json::Value) -> Result<Self, Error> {
///         Ok(Self)
///     }
/// }
///
/// let error = LayerLaws::of(Square, [RowType::f32([3])]).check().unwrap_err();
/// assert!(matches!(error, Error::Law { law: Law::Gradient, .. }));
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct LayerLaws {
    spec: LayerSpec,
    layer: Arc<dyn Layer>,
    config: Result<(), Breach>,
    table: Layers,
    inputs: Vec<RowType>,
    ids_below: i32,
    mixing: Mixing,
    nan: NanRule,
    tolerance: f64,
    seed: Seed,
}

/// Whether rows of a training pass depend on each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mixing {
    Never,
    InTraining,
}

/// What becomes of a row of NaN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NanRule {
    Shows,
    MayVanish,
}

impl LayerLaws {
    /// The laws for a layer of one's own that takes rows of these types.
    ///
    /// See the type for an example.
    pub fn of<L: FromConfig>(layer: L, inputs: impl Into<Vec<RowType>>) -> Self {
        let spec = LayerSpec::Custom {
            kind: layer.kind().to_owned(),
            config: layer.config(),
        };
        let config = files::config(&layer);
        let table = Layers::standard().with::<L>();
        Self::new(spec, Arc::new(layer), config, table, inputs.into())
    }

    /// The laws for one of the library's layers.
    ///
    /// # Errors
    /// When a table is needed to resolve it, which `of` knows.
    ///
    /// ```
    /// use maas_nn::check::LayerLaws;
    /// use maas_nn::{LayerSpec, RowType};
    ///
    /// LayerLaws::of_spec(LayerSpec::layer_norm(), [RowType::f32([5])])?.check()?;
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn of_spec(spec: LayerSpec, inputs: impl Into<Vec<RowType>>) -> Result<Self, Error> {
        let table = Layers::standard();
        let layer = resolve(&spec, &table)?;
        Ok(Self::new(spec, layer, Ok(()), table, inputs.into()))
    }

    fn new(
        spec: LayerSpec,
        layer: Arc<dyn Layer>,
        config: Result<(), Breach>,
        table: Layers,
        inputs: Vec<RowType>,
    ) -> Self {
        Self {
            spec,
            layer,
            config,
            table,
            inputs,
            ids_below: 8,
            mixing: Mixing::Never,
            nan: NanRule::Shows,
            tolerance: 1e-3,
            seed: Seed(7),
        }
    }

    /// Draws integer inputs from 0 up to `bound` − 1, and not up to 7.
    ///
    /// ```
    /// use maas_nn::check::LayerLaws;
    /// use maas_nn::{LayerSpec, RowType};
    ///
    /// LayerLaws::of_spec(LayerSpec::embedding(3, 2), [RowType::i32([4])])?.ids_below(3).check()?;
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn ids_below(self, bound: i32) -> Self {
        Self {
            ids_below: bound,
            ..self
        }
    }

    /// Lets rows of a training pass depend on each other, as those of batch normalisation do. Answers must not.
    ///
    /// ```
    /// use maas_nn::check::LayerLaws;
    /// use maas_nn::{LayerSpec, RowType};
    ///
    /// LayerLaws::of_spec(LayerSpec::batch_norm(), [RowType::f32([5])])?.mixing_in_training().check()?;
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn mixing_in_training(self) -> Self {
        Self {
            mixing: Mixing::InTraining,
            ..self
        }
    }

    /// Does not ask that a row of NaN shows in the output: for a layer that leaves values out on purpose.
    ///
    /// ```
    /// use maas_nn::check::LayerLaws;
    /// use maas_nn::{LayerSpec, RowType};
    ///
    /// let laws = LayerLaws::of_spec(LayerSpec::Softmax, [RowType::f32([5])])?.nan_may_vanish();
    /// laws.check()?;
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn nan_may_vanish(self) -> Self {
        Self {
            nan: NanRule::MayVanish,
            ..self
        }
    }

    /// Accepts relative errors of gradients up to this, and not up to 1e-3; see [`check_gradients`].
    ///
    /// ```
    /// use maas_nn::check::LayerLaws;
    /// use maas_nn::{LayerSpec, RowType};
    ///
    /// LayerLaws::of_spec(LayerSpec::dense(3), [RowType::f32([5])])?.tolerance(1e-4).check()?;
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn tolerance(self, tolerance: f64) -> Self {
        Self { tolerance, ..self }
    }

    /// Draws parameters, inputs and noise from this seed.
    ///
    /// ```
    /// use maas_core::Seed;
    /// use maas_nn::check::LayerLaws;
    /// use maas_nn::{LayerSpec, RowType};
    ///
    /// LayerLaws::of_spec(LayerSpec::dense(3), [RowType::f32([5])])?.seed(Seed(1)).check()?;
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn seed(self, seed: Seed) -> Self {
        Self { seed, ..self }
    }

    /// Checks all laws, and says how well gradients agree.
    ///
    /// # Errors
    /// [`Error::Law`] for the first law that is broken; what the layer's `plan` says where it refuses the types that the
    /// laws were to be checked with.
    ///
    /// See the type for an example.
    pub fn check(&self) -> Result<GradientReport, Error> {
        let subject = Subject::new(self)?;
        self.config
            .clone()
            .map_err(|breach| breach.of(Law::Config))?;
        law(Law::PlanRepeats, || plans::repeats(self))?;
        law(Law::PlanRefuses, || plans::refuses(self))?;
        let mut report = None;
        law(Law::Gradient, || {
            report = Some(self.gradients(&subject)?);
            Ok(())
        })?;
        law(Law::RowAlone, || passes::row_alone(&subject))?;
        law(Law::Neighbours, || passes::neighbours(&subject))?;
        if self.mixing == Mixing::Never {
            law(Law::Split, || passes::split(&subject))?;
        }
        law(Law::Cut, || passes::cut(&subject))?;
        law(Law::FewerRows, || passes::fewer_rows(&subject))?;
        law(Law::NothingBehind, || passes::nothing_behind(&subject))?;
        law(Law::NoRows, || passes::no_rows(&subject))?;
        law(Law::Compute, || passes::compute(&subject))?;
        law(Law::Packed, || passes::packed(&subject))?;
        if self.nan == NanRule::Shows {
            law(Law::Nan, || passes::nan(&subject))?;
        }
        law(Law::File, || files::round_trip(&subject, &self.table))?;
        Ok(report.expect("the law of the gradient was kept"))
    }

    fn gradients(&self, subject: &Subject) -> Result<GradientReport, Breach> {
        let data = subject.data(subject::ROWS, 0);
        let inputs: Vec<Values<'_>> = data.iter().map(subject::Data::values).collect();
        let targets = subject.numbers(subject::ROWS * subject.width(), 99);
        Ok(check_gradients(
            &subject.network,
            &MeanSquaredError,
            &inputs,
            Targets::Values(&targets),
            self.tolerance,
        )?)
    }
}

/// Names the law in what went wrong, a panic included.
fn law(law: Law, check: impl FnOnce() -> Result<(), Breach>) -> Result<(), Error> {
    guarded(check).map_err(|breach| breach.of(law))
}

/// A panic as a breach.
fn guarded<T>(run: impl FnOnce() -> Result<T, Breach>) -> Result<T, Breach> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        let message = panic
            .downcast_ref::<&str>()
            .map(ToString::to_string)
            .or_else(|| panic.downcast_ref::<String>().cloned());
        Err(Breach::Panic {
            message: message.unwrap_or_default(),
        })
    })
}
