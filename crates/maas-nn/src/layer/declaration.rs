use serde::{Deserialize, Serialize};

use crate::spec::Initializer;
use crate::{Error, Representation};

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
    /// Whether passes may be cut between rows; see [`by_rows`](LayerPlan::by_rows).
    pub by_rows: bool,
    /// Whether `forward` needs packed parameters; see [`packs`](LayerPlan::packs).
    pub packs: bool,
    /// The forms in which the layer can pack its parameters.
    pub representations: &'static [Representation],
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
            representations: &[Representation::Dense],
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

    /// Lets passes be cut between the rows of a batch, so that a thread takes some rows through many layers at once.
    ///
    /// `forward` and `backward` are then called for any run of a batch's rows, on several threads at a time, and
    /// `backward` gives the gradients by the inputs only: those by the parameters come behind it, over all rows, from
    /// [`Layer::parameter_gradients`](crate::Layer::parameter_gradients). Such a layer has no running state, and keeps
    /// and uses memory by the row only.
    ///
    /// ```
    /// assert!(maas_nn::LayerPlan::new([4]).by_rows().by_rows);
    /// ```
    pub fn by_rows(mut self) -> Self {
        self.by_rows = true;
        self
    }

    /// Says that `forward` reads packed parameters: a plan packs them before each pass of a network that is not packed.
    ///
    /// ```
    /// assert!(maas_nn::LayerPlan::new([4]).packs().packs);
    /// ```
    pub fn packs(mut self) -> Self {
        self.packs = true;
        self
    }

    /// Says in which forms [`Layer::pack`](crate::Layer::pack) packs the parameters; by default in the dense one alone.
    ///
    /// ```
    /// use maas_nn::{LayerPlan, Representation};
    /// let plan = LayerPlan::new([4]).representations(&[Representation::Dense, Representation::Sparse]);
    /// assert_eq!(plan.representations.len(), 2);
    /// ```
    pub fn representations(mut self, representations: &'static [Representation]) -> Self {
        self.representations = representations;
        self
    }

    /// Refuses what no pass over some of the rows, or for a part of a gradient, could have.
    pub(crate) fn checked(self) -> Result<Self, Error> {
        let runs = self
            .state
            .iter()
            .any(|state| state.updates == Updates::InTraining);
        let fixed = self.saved.fixed > 0 || self.scratch.fixed > 0;
        let parts_of_nothing = self.parameters.iter().any(|one| one.parts_of == Some(0));
        let found = match () {
            () if parts_of_nothing => "a parameter in parts of no elements",
            () if self.by_rows && runs => "running state",
            () if self.by_rows && fixed => "memory that does not grow with the rows",
            () => return Ok(self),
        };
        Err(Error::Cut { found })
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

/// What `forward` keeps for `backward`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SavedSpec {
    /// Single-precision numbers a row.
    pub f32: usize,
    /// Bytes a row.
    pub u8: usize,
    /// Integers a row.
    pub i32: usize,
    /// Single-precision numbers whatever the rows, such as statistics of a batch.
    pub fixed: usize,
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
    /// Where its gradient may be cut; see [`in_parts_of`](ParameterSpec::in_parts_of).
    pub parts_of: Option<usize>,
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
            parts_of: None,
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

    /// Lets [`Layer::parameter_gradients`](crate::Layer::parameter_gradients) be asked for a part of the gradient, which
    /// starts and ends at multiples of so many elements. Where a parameter of a layer does not say so, the layer is asked
    /// for all of them at once.
    ///
    /// ```
    /// use maas_nn::{ParameterSpec, Role};
    /// assert_eq!(ParameterSpec::new("kernel", [9, 2], Role::Weight).in_parts_of(2).parts_of, Some(2));
    /// ```
    pub fn in_parts_of(mut self, elements: usize) -> Self {
        self.parts_of = Some(elements);
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
