use std::fmt::{self, Debug};

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::pass::{Backward, Forward};
use crate::reference::Reference;
use crate::spec::Initializer;

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

    /// Writes all of `pass.output`.
    ///
    /// # Errors
    /// When a value does not fit, such as an id beyond a vocabulary. The output is then unspecified.
    fn forward(&self, pass: &mut Forward<'_>) -> Result<(), Error>;

    /// Overwrites the gradients of the parameters and of the inputs for which one is asked.
    ///
    /// The plan adds up where one value has several consumers. `pass.output_gradient` may be used as workspace.
    ///
    /// # Errors
    /// As for [`forward`](Layer::forward).
    fn backward(&self, pass: &mut Backward<'_>) -> Result<(), Error>;

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

/// The type of the numbers in a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ValueType {
    /// Single precision.
    F32,
    /// Integers, such as ids.
    I32,
}

impl fmt::Display for ValueType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F32 => "f32",
            Self::I32 => "i32",
        })
    }
}

/// The type of one row of a value: its numbers and its shape without the batch dimension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowType {
    /// The type of the numbers.
    pub value_type: ValueType,
    /// The shape of a row.
    pub shape: Vec<usize>,
}

impl RowType {
    /// Rows of single-precision numbers.
    ///
    /// ```
    /// assert_eq!(maas_nn::RowType::f32([28, 28]).width(), 784);
    /// ```
    pub fn f32(shape: impl Into<Vec<usize>>) -> Self {
        Self {
            value_type: ValueType::F32,
            shape: shape.into(),
        }
    }

    /// Rows of integers.
    ///
    /// ```
    /// assert!(maas_nn::RowType::i32([16]).expect_f32().is_err());
    /// ```
    pub fn i32(shape: impl Into<Vec<usize>>) -> Self {
        Self {
            value_type: ValueType::I32,
            shape: shape.into(),
        }
    }

    /// Numbers a row. Networks refuse shapes whose product overflows before a layer sees them.
    ///
    /// ```
    /// assert_eq!(maas_nn::RowType::f32([3, 4]).width(), 12);
    /// ```
    pub fn width(&self) -> usize {
        self.shape.iter().product()
    }

    /// The row types as an array, if there are `N` of them.
    ///
    /// # Errors
    /// [`Error::InputCount`].
    ///
    /// ```
    /// use maas_nn::RowType;
    /// let inputs = [RowType::f32([4])];
    /// let [x] = RowType::exactly(&inputs)?;
    /// assert_eq!(x.shape, [4]);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn exactly<const N: usize>(inputs: &[Self]) -> Result<&[Self; N], Error> {
        inputs.try_into().map_err(|_| Error::InputCount {
            expected: N,
            found: inputs.len(),
        })
    }

    /// Checks that the numbers are single-precision.
    ///
    /// # Errors
    /// [`Error::ValueType`].
    ///
    /// ```
    /// assert!(maas_nn::RowType::f32([4]).expect_f32().is_ok());
    /// ```
    pub fn expect_f32(&self) -> Result<(), Error> {
        self.expect_type(ValueType::F32)
    }

    /// Checks that the numbers are integers.
    ///
    /// # Errors
    /// [`Error::ValueType`].
    ///
    /// ```
    /// assert!(maas_nn::RowType::i32([4]).expect_i32().is_ok());
    /// ```
    pub fn expect_i32(&self) -> Result<(), Error> {
        self.expect_type(ValueType::I32)
    }

    /// Checks the shape of a row.
    ///
    /// # Errors
    /// [`Error::RowShape`].
    ///
    /// ```
    /// assert!(maas_nn::RowType::f32([4]).expect_shape(&[5]).is_err());
    /// ```
    pub fn expect_shape(&self, shape: &[usize]) -> Result<(), Error> {
        if self.shape == shape {
            Ok(())
        } else {
            Err(Error::RowShape {
                expected: shape.to_vec(),
                found: self.shape.clone(),
            })
        }
    }

    fn expect_type(&self, expected: ValueType) -> Result<(), Error> {
        if self.value_type == expected {
            Ok(())
        } else {
            Err(Error::ValueType {
                expected,
                found: self.value_type,
            })
        }
    }
}

/// What a layer declares for rows of a given type.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
#[must_use]
pub struct LayerPlan {
    /// The shape of a row of the output, which is single-precision.
    pub output: Vec<usize>,
    /// The parameters, in the order in which passes number them.
    pub parameters: Vec<ParameterSpec>,
    /// The state that is not trained, in the order in which passes number it.
    pub state: Vec<StateSpec>,
    /// What `forward` keeps for `backward`.
    pub saved: SavedSpec,
    /// Workspace of one call; its content does not outlive the call.
    pub scratch: ScratchSpec,
    /// Floating-point operations of `forward` for one row.
    pub flops: u64,
}

impl LayerPlan {
    /// A layer without parameters that gives rows of shape `output`.
    ///
    /// ```
    /// let plan = maas_nn::LayerPlan::new([4]);
    /// assert!(plan.parameters.is_empty());
    /// ```
    pub fn new(output: impl Into<Vec<usize>>) -> Self {
        Self {
            output: output.into(),
            ..Self::default()
        }
    }

    /// Adds a parameter.
    ///
    /// ```
    /// use maas_nn::{LayerPlan, ParameterSpec, Role};
    /// let plan = LayerPlan::new([4]).parameter(ParameterSpec::new("table", [100, 4], Role::Embedding));
    /// assert_eq!(plan.parameters[0].shape, [100, 4]);
    /// ```
    pub fn parameter(mut self, parameter: ParameterSpec) -> Self {
        self.parameters.push(parameter);
        self
    }

    /// Adds state.
    ///
    /// ```
    /// use maas_nn::{Initial, LayerPlan, StateSpec};
    /// let plan = LayerPlan::new([4]).state(StateSpec::constant("mean", [4], Initial::Fill(0.0)));
    /// assert_eq!(plan.state.len(), 1);
    /// ```
    pub fn state(mut self, state: StateSpec) -> Self {
        self.state.push(state);
        self
    }

    /// Says what is kept for `backward`.
    ///
    /// ```
    /// use maas_nn::{LayerPlan, SavedSpec};
    /// let plan = LayerPlan::new([4]).saved(SavedSpec { f32: 4, ..SavedSpec::default() });
    /// assert_eq!(plan.saved.f32, 4);
    /// ```
    pub fn saved(mut self, saved: SavedSpec) -> Self {
        self.saved = saved;
        self
    }

    /// Says how much workspace a call needs.
    ///
    /// ```
    /// use maas_nn::{LayerPlan, ScratchSpec};
    /// let plan = LayerPlan::new([4]).scratch(ScratchSpec { per_row: 4, fixed: 0 });
    /// assert_eq!(plan.scratch.per_row, 4);
    /// ```
    pub fn scratch(mut self, scratch: ScratchSpec) -> Self {
        self.scratch = scratch;
        self
    }

    /// Says what a row costs.
    ///
    /// ```
    /// assert_eq!(maas_nn::LayerPlan::new([4]).flops(8).flops, 8);
    /// ```
    pub fn flops(mut self, flops: u64) -> Self {
        self.flops = flops;
        self
    }
}

/// What `forward` keeps for `backward`: elements a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SavedSpec {
    /// Single-precision numbers a row.
    pub f32: usize,
    /// Bytes a row.
    pub u8: usize,
    /// Integers a row.
    pub i32: usize,
}

/// The workspace of one call, in single-precision numbers: `rows · per_row + fixed`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScratchSpec {
    /// Numbers a row.
    pub per_row: usize,
    /// Numbers whatever the rows.
    pub fixed: usize,
}

/// What a parameter is for; optimisers and compressors choose by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Role {
    /// A matrix or kernel that multiplies values: what is decayed and pruned.
    Weight,
    /// An offset.
    Bias,
    /// A scale or offset of a normalisation.
    Norm,
    /// A table of vectors that ids look up.
    Embedding,
}

/// Whether training changes a parameter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Training {
    /// The optimiser changes it.
    #[default]
    Trainable,
    /// It stays as it is.
    Frozen,
}

/// A parameter that a layer declares.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[must_use]
pub struct ParameterSpec {
    /// Its name within the layer, such as `kernel`.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// What it is for.
    pub role: Role,
    /// How it starts.
    pub initializer: Initializer,
    /// Whether training changes it.
    pub training: Training,
}

impl ParameterSpec {
    /// A trainable parameter with the field's usual start: zeros for a bias, Glorot uniform otherwise, and ones for
    /// a norm.
    ///
    /// ```
    /// use maas_nn::{Initializer, ParameterSpec, Role};
    /// assert_eq!(ParameterSpec::new("bias", [4], Role::Bias).initializer, Initializer::Zeros);
    /// ```
    pub fn new(name: impl Into<String>, shape: impl Into<Vec<usize>>, role: Role) -> Self {
        let initializer = match role {
            Role::Bias => Initializer::Zeros,
            Role::Norm => Initializer::Ones,
            Role::Embedding => Initializer::Uniform {
                low: -0.05,
                high: 0.05,
            },
            Role::Weight => Initializer::GlorotUniform,
        };
        Self {
            name: name.into(),
            shape: shape.into(),
            role,
            initializer,
            training: Training::Trainable,
        }
    }

    /// Starts from something else.
    ///
    /// ```
    /// use maas_nn::{Initializer, ParameterSpec, Role};
    /// let gate = ParameterSpec::new("gate", [4], Role::Bias).initializer(Initializer::Ones);
    /// assert_eq!(gate.initializer, Initializer::Ones);
    /// ```
    pub fn initializer(mut self, initializer: Initializer) -> Self {
        self.initializer = initializer;
        self
    }

    /// Keeps the optimiser away.
    ///
    /// ```
    /// use maas_nn::{ParameterSpec, Role, Training};
    /// assert_eq!(ParameterSpec::new("table", [9, 2], Role::Embedding).frozen().training, Training::Frozen);
    /// ```
    pub fn frozen(mut self) -> Self {
        self.training = Training::Frozen;
        self
    }
}

/// State that a layer declares: numbers that no gradient changes.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[must_use]
pub struct StateSpec {
    /// Its name within the layer, such as `mean`.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// What it starts with.
    pub initial: Initial,
    /// Whether a training pass writes it.
    pub updates: Updates,
}

impl StateSpec {
    /// State that stays what it is, such as the moments of the training data.
    ///
    /// ```
    /// use maas_nn::{Initial, StateSpec, Updates};
    /// assert_eq!(StateSpec::constant("mean", [2], Initial::Fill(0.0)).updates, Updates::Never);
    /// ```
    pub fn constant(
        name: impl Into<String>,
        shape: impl Into<Vec<usize>>,
        initial: Initial,
    ) -> Self {
        Self {
            name: name.into(),
            shape: shape.into(),
            initial,
            updates: Updates::Never,
        }
    }

    /// State that each training pass moves on, such as a running mean.
    ///
    /// ```
    /// use maas_nn::{Initial, StateSpec, Updates};
    /// assert_eq!(StateSpec::running("mean", [2], Initial::Fill(0.0)).updates, Updates::InTraining);
    /// ```
    pub fn running(
        name: impl Into<String>,
        shape: impl Into<Vec<usize>>,
        initial: Initial,
    ) -> Self {
        Self {
            updates: Updates::InTraining,
            ..Self::constant(name, shape, initial)
        }
    }
}

/// What state starts with.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Initial {
    /// One number everywhere.
    Fill(f32),
    /// These numbers, row-major.
    Values(Vec<f32>),
}

/// Whether a training pass writes state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Updates {
    /// It is a constant.
    Never,
    /// A forward pass in training mode writes its successor.
    InTraining,
}
