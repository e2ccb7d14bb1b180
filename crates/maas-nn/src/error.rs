use std::path::PathBuf;

use maas_core::DType;

use crate::Representation;
use crate::check::{Breach, Law, LossBreach, LossLaw};
use crate::file::FileFault;
use crate::layer::ValueType;

/// What can go wrong when a network is described, built, run, checked, saved or loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A network without layers was to be built.
    #[error("a network needs at least one layer")]
    NoLayers,
    /// A network without inputs was to be built.
    #[error("a network needs at least one input")]
    NoInputs,
    /// A number of inputs that does not fit.
    #[error("expected {expected} inputs, found {found}")]
    InputCount {
        /// How many are needed.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// An input has a type that networks do not compute with.
    #[error("input `{input}` has type {dtype}; a network takes FP32 and INT32")]
    InputType {
        /// The input's name.
        input: String,
        /// Its type.
        dtype: DType,
    },
    /// The rows of an input have no fixed shape.
    #[error("input `{input}` has a free dimension beside the batch; rows need a fixed shape")]
    FreeDimension {
        /// The input's name.
        input: String,
    },
    /// A layer could not be built, loaded or run.
    #[error("layer `{layer}` failed")]
    Layer {
        /// The layer's name in the network.
        layer: String,
        /// Why.
        #[source]
        source: Box<Error>,
    },
    /// A dense layer without units.
    #[error("a dense layer needs at least one unit")]
    ZeroUnits,
    /// A dropout rate outside [0, 1).
    #[error("expected a dropout rate of at least 0 and less than 1, found {found}")]
    Rate {
        /// The rate given.
        found: f32,
    },
    /// A number in a layer's or a loss's configuration that makes no sense.
    #[error("expected {name} to be {expected}, found {found}")]
    Setting {
        /// What the number is.
        name: &'static str,
        /// What it has to be.
        expected: &'static str,
        /// What it is.
        found: f32,
    },
    /// Values of another width than expected.
    #[error("expected {expected} values a row, found {found}")]
    Width {
        /// Values a row that are needed.
        expected: usize,
        /// Values a row that there are.
        found: usize,
    },
    /// Rows of another shape than expected.
    #[error("expected rows of shape {expected:?}, found {found:?}")]
    RowShape {
        /// The shape needed.
        expected: Vec<usize>,
        /// The shape found.
        found: Vec<usize>,
    },
    /// Values of another type than expected.
    #[error("expected {expected} values, found {found}")]
    ValueType {
        /// The type needed.
        expected: ValueType,
        /// The type found.
        found: ValueType,
    },
    /// A buffer of another length than expected.
    #[error("expected {expected} elements, found {found}")]
    Length {
        /// Elements needed.
        expected: usize,
        /// Elements found.
        found: usize,
    },
    /// An id that the vocabulary of an embedding does not have.
    #[error("row {row} has id {id}, but the ids of the vocabulary are 0 to {}", vocabulary - 1)]
    Id {
        /// The row of the batch.
        row: usize,
        /// Its id.
        id: i32,
        /// How many ids there are.
        vocabulary: usize,
    },
    /// A form of its parameters that a layer does not have.
    #[error("expected one of the layer's representations, {expected:?}, found {found:?}")]
    Representation {
        /// Those that the layer has.
        expected: &'static [Representation],
        /// The one asked for.
        found: Representation,
    },
    /// A layer that says how passes over it may be cut, and has what goes with no cut.
    #[error("passes over the layer may be cut, but it has {found}")]
    Cut {
        /// What it has.
        found: &'static str,
    },
    /// A shape of another number of elements.
    #[error("rows of shape {from:?} cannot be reshaped to {to:?}")]
    Reshape {
        /// The shape of the rows.
        from: Vec<usize>,
        /// The shape asked for.
        to: Vec<usize>,
    },
    /// A parameter that is no matrix was to start as an orthogonal one.
    #[error("an orthogonal start needs two dimensions or more, found shape {found:?}")]
    InitializerShape {
        /// The parameter's shape.
        found: Vec<usize>,
    },
    /// The closure that was to describe a branch returned a network that it was not given.
    #[error("a branch must go on from the builder that its closure is given")]
    ForeignBranch,
    /// More elements than a machine can address.
    #[error("the network would have more elements than memory can hold")]
    TooLarge,
    /// The system does not give as much memory.
    #[error("the system refused {bytes} bytes of memory")]
    OutOfMemory {
        /// What was asked for.
        bytes: usize,
    },
    /// A name that is empty or has characters other than letters, digits, `_` and `-`.
    #[error("`{name}` is no name: use letters, digits, `_` and `-`")]
    Name {
        /// The name given.
        name: String,
    },
    /// Two things of one name.
    #[error("the name `{name}` is used twice")]
    DuplicateName {
        /// The name.
        name: String,
    },
    /// A layer takes a value that no input and no earlier layer gives.
    #[error("a source points to no input and to no earlier layer")]
    UnknownSource,
    /// A segment that the network does not have.
    #[error("the network has no segment `{name}`")]
    UnknownSegment {
        /// The name asked for.
        name: String,
    },
    /// A layer that the network does not have.
    #[error("the network has no layer `{name}`")]
    UnknownLayer {
        /// The name asked for.
        name: String,
    },
    /// A layer that is no dense one.
    #[error("expected `{layer}` to be a dense layer, found {found}")]
    NotDense {
        /// The layer.
        layer: String,
        /// Its kind.
        found: String,
    },
    /// A layer kind that the table does not know.
    #[error("no layer of kind `{kind}` is in the table")]
    UnknownKind {
        /// The kind asked for.
        kind: String,
    },
    /// A layer's configuration could not be read.
    #[error("the configuration of layer kind `{kind}` is not understood")]
    Config {
        /// The layer's kind.
        kind: String,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// More rows than the plan was made for.
    #[error("the plan was made for at most {max_rows} rows, found {found}")]
    Rows {
        /// The most that fit.
        max_rows: usize,
        /// What was asked for.
        found: usize,
    },
    /// The plan was made for a network of another architecture.
    #[error("the plan was made for another network")]
    ForeignNetwork,
    /// Training was asked of a plan for inference, or a gradient that the plan does not compute.
    #[error(
        "the plan was not made for this: plan for training, and ask for the gradients that are needed"
    )]
    Purpose,
    /// `backward` without a `forward` of the same rows before it.
    #[error("backward needs a forward pass in training mode over the same {rows} rows before it")]
    NoForward {
        /// The rows asked for.
        rows: usize,
    },
    /// All rows are of one class, and nothing can be ranked.
    #[error("all rows are of one class; a ranking needs both")]
    OneClass,
    /// More or fewer names than classes.
    #[error("expected {classes} names of classes, found {found}")]
    ClassNames {
        /// How many classes there are.
        classes: usize,
        /// Names found.
        found: usize,
    },
    /// Not a weight for each row.
    #[error("expected a weight for each of {rows} rows, found {found}")]
    Weights {
        /// The rows.
        rows: usize,
        /// Weights found.
        found: usize,
    },
    /// A row's weight that is negative, infinite or NaN.
    #[error("row {row} has weight {found}; a weight is finite and not negative")]
    Weight {
        /// The row.
        row: usize,
        /// Its weight.
        found: f32,
    },
    /// A class label that is out of range.
    #[error("row {row} has label {label}, but there are {classes} classes")]
    Label {
        /// The row.
        row: usize,
        /// Its label.
        label: u32,
        /// How many classes there are.
        classes: usize,
    },
    /// A target that the loss is not defined for.
    #[error("row {row} has target {found}, but the loss `{loss}` takes {expected}")]
    Target {
        /// The loss's name.
        loss: String,
        /// The row.
        row: usize,
        /// The target.
        found: f32,
        /// What it takes.
        expected: &'static str,
    },
    /// A target that is no probability.
    #[error("row {row} has target {found}; a probability lies between 0 and 1")]
    Probability {
        /// The row.
        row: usize,
        /// The target.
        found: f32,
    },
    /// Targets that are no probabilities of classes.
    #[error(
        "row {row} has targets that sum to {sum}, the least {least}; probabilities sum to 1, none is negative"
    )]
    Probabilities {
        /// The row.
        row: usize,
        /// The sum of its targets.
        sum: f32,
        /// The least of them, or zero.
        least: f32,
    },
    /// Targets of another kind than the loss takes.
    #[error("the loss `{loss}` takes {expected}")]
    TargetKind {
        /// The loss's name.
        loss: String,
        /// What it takes.
        expected: &'static str,
    },
    /// A gradient that the differences do not confirm.
    #[error("{tensor}[{index}] has gradient {found}, but differences give {expected}")]
    Gradient {
        /// The segment or input.
        tensor: String,
        /// The element.
        index: usize,
        /// What differences of the loss give.
        expected: f64,
        /// What `backward` gave.
        found: f64,
    },
    /// A layer breaks a law.
    #[error("the layer breaks a law: {law}")]
    Law {
        /// The law.
        law: Law,
        /// How that was seen.
        #[source]
        breach: Box<Breach>,
    },
    /// A loss breaks a law.
    #[error("the loss `{loss}` breaks a law: {law}")]
    LossLaw {
        /// The loss's name.
        loss: String,
        /// The law.
        law: LossLaw,
        /// How that was seen.
        #[source]
        breach: LossBreach,
    },
    /// A metric gives another figure in parts.
    #[error(
        "`{metric}` is {expected} of all rows at once, but {found} in two parts, {cut} rows first"
    )]
    MetricLaw {
        /// The metric's name.
        metric: String,
        /// Rows of the first part.
        cut: usize,
        /// The figure of all rows at once.
        expected: f64,
        /// The figure of the parts.
        found: f64,
    },
    /// So many kinks lie near that differences prove nothing.
    #[error(
        "{kinks} of {elements} elements lie at kinks of the loss, too many to judge the gradient"
    )]
    Kinks {
        /// Elements at kinks.
        kinks: usize,
        /// Elements looked at.
        elements: usize,
    },
    /// The system could not read or write the file.
    #[error("cannot access {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The bytes are no network.
    #[error("not a valid network file")]
    File(#[source] FileFault),
    /// A tensor or signature does not fit.
    #[error(transparent)]
    Core(#[from] maas_core::Error),
    /// Weights cannot be packed.
    #[error(transparent)]
    Kernels(#[from] maas_kernels::Error),
    /// A user's own layer or loss failed.
    #[error(transparent)]
    Custom(Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// An error of a user's own layer or loss.
    ///
    /// ```
    /// let error = maas_nn::Error::custom("id 12 is beyond the vocabulary");
    /// assert_eq!(error.to_string(), "id 12 is beyond the vocabulary");
    /// ```
    pub fn custom(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Custom(source.into())
    }

    /// Of a pass that began so many rows later in the batch.
    pub(crate) fn at_row(self, first: usize) -> Self {
        match self {
            Self::Id {
                row,
                id,
                vocabulary,
            } => Self::Id {
                row: first + row,
                id,
                vocabulary,
            },
            other => other,
        }
    }

    pub(crate) fn in_layer(self, layer: &str) -> Self {
        Self::Layer {
            layer: layer.to_owned(),
            source: Box::new(self),
        }
    }
}

impl From<FileFault> for Error {
    fn from(fault: FileFault) -> Self {
        Self::File(fault)
    }
}
