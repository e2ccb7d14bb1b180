//! What can go wrong.

use std::path::PathBuf;

use maas_core::DType;
use maas_nn::NonFinite;
use thiserror::Error;

use crate::{CheckpointFault, Event, Figure};

/// Why descending or training failed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// A learning rate must be finite and at least 0.
    #[error("the learning rate of step {step} must be finite and at least 0, found {value}")]
    LearningRate {
        /// The step, counted from 1.
        step: u64,
        /// What was asked for.
        value: f32,
    },
    /// A span in epochs or shares of the run needs a length that nobody told.
    #[error("the learning rate needs to know the {what}: tell the optimiser its horizon")]
    Horizon {
        /// Which length: `steps of an epoch` or `steps of the run`.
        what: &'static str,
    },
    /// The length of a part of a schedule must be positive and finite.
    #[error("a span of the learning rate must be positive and finite, found {value}")]
    Span {
        /// What was asked for.
        value: f64,
    },
    /// A setting was given to a learning rate whose schedule does not have it.
    #[error("the learning rate has no setting `{name}`")]
    UnknownSetting {
        /// The setter.
        name: &'static str,
    },
    /// A pattern that names parameters matches none.
    #[error("no parameter is called `{pattern}`; there are {names:?}")]
    Pattern {
        /// What was asked for.
        pattern: String,
        /// The names of the network's parameters.
        names: Vec<String>,
    },
    /// The state of an optimiser belongs to another chain or network.
    #[error("the optimiser's state is of another {part}: expected {expected}, found {found}")]
    OptimizerState {
        /// What differs: `chain`, `network`, `number of values` or `number of scalars`.
        part: &'static str,
        /// The optimiser's.
        expected: String,
        /// The state's.
        found: String,
    },
    /// A link of a chain breaks a law that all links keep; see [`check_transform`](crate::check_transform).
    #[error("the link `{link}` breaks a law: {law}")]
    BrokenLaw {
        /// Its name.
        link: String,
        /// Which law.
        law: crate::Law,
    },
    /// A tolerance must be a number and at least 0.
    #[error("the tolerance must be at least 0, found {value}")]
    Tolerance {
        /// What was asked for.
        value: f32,
    },
    /// A coefficient of an optimiser lies outside its range.
    #[error("{name} must lie in {range}, found {value}")]
    Coefficient {
        /// Which one, as its setter is called.
        name: &'static str,
        /// Where it may lie.
        range: &'static str,
        /// What was asked for.
        value: f32,
    },
    /// Parameters and gradient have different shapes.
    #[error("the gradient must have the parameters' shape {expected:?}, found {found:?}")]
    GradientShape {
        /// Shape of the parameters.
        expected: Vec<usize>,
        /// Shape of the gradient.
        found: Vec<usize>,
    },
    /// Loss or gradient stopped being finite in [`GradientDescent::minimize`](crate::GradientDescent::minimize).
    #[error(
        "diverged after {step} steps: the loss is {loss}, the gradient's norm {gradient_norm}; try a smaller learning rate"
    )]
    Diverged {
        /// Steps taken before.
        step: u64,
        /// The loss there.
        loss: f32,
        /// The gradient's norm there.
        gradient_norm: f32,
    },
    /// Training needs at least one epoch.
    #[error("the number of epochs must be at least 1, found 0")]
    Epochs,
    /// A batch needs at least one row.
    #[error("the batch size must be at least 1, found 0")]
    BatchSize,
    /// An order of rows names one that the data do not have.
    #[error("the order of rows names row {row}, the data have {rows}")]
    RowOrder {
        /// The row, counted from 0.
        row: u32,
        /// Rows of the data set, or of the chunk.
        rows: usize,
    },
    /// A step needs at least one batch.
    #[error("the number of batches in a step must be at least 1, found 0")]
    Accumulate,
    /// The data set has another number of inputs than the network.
    #[error("the network has {expected} inputs, the {data} data {found}")]
    Inputs {
        /// Which data set: `training`, `validation` or `evaluation`.
        data: &'static str,
        /// Inputs of the network.
        expected: usize,
        /// Inputs of the data set.
        found: usize,
    },
    /// Rows of an input do not have the shape that the network takes.
    #[error(
        "input `{input}` of the network takes rows of shape {expected:?}, the {data} data have {found:?}"
    )]
    InputShape {
        /// Which data set: `training`, `validation` or `evaluation`.
        data: &'static str,
        /// Name of the network's input.
        input: String,
        /// The network's row shape.
        expected: Vec<usize>,
        /// The data set's row shape.
        found: Vec<usize>,
    },
    /// An input holds integers where the network takes `f32`, or the other way round.
    #[error("input `{input}` of the network takes {expected}, the {data} data hold {found}")]
    InputKind {
        /// Which data set: `training`, `validation` or `evaluation`.
        data: &'static str,
        /// Name of the network's input.
        input: String,
        /// What the network takes.
        expected: DType,
        /// What the data set holds.
        found: DType,
    },
    /// The targets are not as wide as the network's output.
    #[error("the network's output is {expected} wide, the targets of the {data} data {found}")]
    TargetWidth {
        /// Which data set: `training`, `validation` or `evaluation`.
        data: &'static str,
        /// Elements in a row of the network's output.
        expected: usize,
        /// Elements in a row of the targets, or the number of classes.
        found: usize,
    },
    /// The data set has no targets.
    #[error("the {data} data have no targets")]
    NoTargets {
        /// Which data set: `training`, `validation` or `evaluation`.
        data: &'static str,
    },
    /// The loss cannot use targets of this kind.
    #[error("{loss} takes {expected}, the targets of the {data} data are {found}")]
    TargetKind {
        /// Which data set: `training`, `validation` or `evaluation`.
        data: &'static str,
        /// The loss's name.
        loss: String,
        /// What the loss takes.
        expected: &'static str,
        /// What the data set holds.
        found: &'static str,
    },
    /// The metric cannot use targets of this kind.
    #[error("{metric} cannot be computed from the targets of the {data} data, which are {found}")]
    MetricTargets {
        /// Which data set: `training`, `validation` or `evaluation`.
        data: &'static str,
        /// The metric's name.
        metric: String,
        /// What the data set holds.
        found: &'static str,
    },
    /// The loss of a training step is infinite or not a number. The weights are as they were before that step.
    #[error(
        "the loss is {loss} in step {step} of epoch {epoch}{}; try a smaller learning rate",
        first(began)
    )]
    NonFiniteLoss {
        /// The epoch, counted from 1.
        epoch: usize,
        /// The step within the epoch, counted from 1.
        step: usize,
        /// The loss.
        loss: f32,
        /// Where it began: in which layer, row, parameter. `None` where every number on the way is finite.
        began: Option<Box<NonFinite>>,
    },
    /// The gradient of a training step has an element that is infinite or not a number, or its squares overflow. The
    /// weights are as they were before that step.
    #[error(
        "the gradient is not finite in step {step} of epoch {epoch}, where the loss is {loss}{}; try a smaller learning rate",
        first(began)
    )]
    NonFiniteGradient {
        /// The epoch, counted from 1.
        epoch: usize,
        /// The step within the epoch, counted from 1.
        step: usize,
        /// The loss.
        loss: f32,
        /// Where it began: in which layer, row, parameter. `None` where only the squares of the gradient overflow.
        began: Option<Box<NonFinite>>,
    },
    /// A weight is infinite or not a number at the end of an epoch: a link of the optimiser made it so, as loss
    /// and gradients were finite.
    #[error("a weight is not finite after epoch {epoch}; look at the links of the optimiser")]
    NonFiniteWeights {
        /// The epoch, counted from 1.
        epoch: usize,
    },
    /// The network or the loss failed.
    #[error(transparent)]
    Network(#[from] maas_nn::Error),
    /// A callback failed. The network is as the last whole step left it.
    #[error("callback `{name}` failed at {event}, epoch {epoch}, step {step}")]
    Callback {
        /// Its name.
        name: String,
        /// Where it was called.
        event: Event,
        /// The epoch, counted from 1.
        epoch: usize,
        /// The step within the epoch, counted from 1; 0 before the first.
        step: usize,
        /// What it failed with.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A callback refused the state that a checkpoint has for it.
    #[error("callback `{name}` does not take the state that the checkpoint has for it")]
    CallbackState {
        /// Its name.
        name: String,
        /// What it failed with.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A checkpoint could not be written or is not of this run.
    #[error("the checkpoint {} cannot be used", path.display())]
    Checkpoint {
        /// Its file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: CheckpointFault,
    },
    /// A stream of rows failed.
    #[error(transparent)]
    Data(#[from] maas_data::Error),
    /// A difference that counts must be finite and at least 0.
    #[error("min_delta must be finite and at least 0, found {value}")]
    MinDelta {
        /// What was asked for.
        value: f64,
    },
    /// A figure to go by is not measured.
    #[error("{figure} is not measured; there are: {}", figures(available))]
    Figure {
        /// What was asked for.
        figure: Figure,
        /// What there is.
        available: Vec<Figure>,
    },
    /// A search has a space that makes no sense.
    #[error("the setting `{name}` of the search: {problem}")]
    Space {
        /// The setting.
        name: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A trial has no such setting.
    #[error("the setting `{name}` must be {expected}, found {}", found.as_deref().unwrap_or("none"))]
    Setting {
        /// Its name.
        name: String,
        /// What was asked for.
        expected: &'static str,
        /// What it is, if there is one.
        found: Option<String>,
    },
    /// No threads are to be had.
    #[error("no threads could be started")]
    Threads(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Ctrl-C cannot be handled.
    #[error("Ctrl-C cannot be handled")]
    CtrlC(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Text that is no history.
    #[error("the text is no history")]
    HistoryJson(#[source] serde_json::Error),
    /// A file could not be written; the source says which, and why not.
    #[error("the file could not be written")]
    Write(#[source] std::io::Error),
}

fn figures(figures: &[Figure]) -> String {
    let names: Vec<String> = figures.iter().map(ToString::to_string).collect();
    names.join(", ")
}

#[expect(clippy::borrowed_box, reason = "what a field is")]
fn first(began: &Option<Box<NonFinite>>) -> String {
    began
        .as_ref()
        .map_or_else(String::new, |began: &Box<NonFinite>| {
            format!(", first {began}")
        })
}
