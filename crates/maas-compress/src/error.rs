use std::io;
use std::path::PathBuf;

use crate::{FileFault, Grain};

/// What can go wrong when weights are pruned and networks are compressed.
///
/// ```
/// use maas_compress::{Error, SoftThreshold};
///
/// let mut weights = [1.0, f32::NAN];
/// let error = SoftThreshold::new(0.5).apply(&mut weights).unwrap_err();
/// assert!(matches!(error, Error::NotFinite { segment: None, index: 1, .. }));
/// assert_eq!(error.to_string(), "weight 1: a finite number expected, found NaN");
/// assert_eq!(weights[0], 1.0);
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// λ is negative or not finite.
    #[error("a finite λ of at least 0 expected, found {found}")]
    Lambda {
        /// The λ given.
        found: f32,
    },
    /// A target sparsity is no fraction.
    #[error("a sparsity between 0 and 1 expected, found {found}")]
    Sparsity {
        /// The sparsity given.
        found: f64,
    },
    /// A number is too large for the type that it was to be rounded to. No number has been changed.
    #[error(
        "element {index} of `{segment}`: a magnitude of at most {expected} expected, found {found}"
    )]
    Magnitude {
        /// The segment of the network.
        segment: String,
        /// The number's position in it, row-major, from 0.
        index: usize,
        /// The largest that the type holds.
        expected: f32,
        /// The number.
        found: f32,
    },
    /// No plan is within the budget. The network is as it was.
    #[error("a metric worse by at most {expected} expected, found plans worse by at least {found}")]
    Budget {
        /// The budget.
        expected: f64,
        /// By how much the metric of the best plan tried was worse.
        found: f64,
    },
    /// A search was given no sparsities or no bits to choose from.
    #[error("sparsities and bits to choose from expected, found none")]
    NoChoices,
    /// A codebook without values.
    #[error("a codebook of at least one value expected")]
    NoValues,
    /// There are no rows to calibrate with.
    #[error("rows to calibrate with expected, found none")]
    NoRows,
    /// An input to calibrate with is NaN or infinite.
    #[error("finite inputs to calibrate with expected, found {found}")]
    InputNotFinite {
        /// The input.
        found: f32,
    },
    /// No percentile.
    #[error("a percentile above 0 and of at most 100 expected, found {found}")]
    Percentile {
        /// The number given.
        found: f64,
    },
    /// A weight is NaN or infinite. No weight has been changed.
    #[error("{}: a finite number expected, found {found}", weight(segment.as_deref(), *index))]
    NotFinite {
        /// The segment of the network; none for weights of a slice or view.
        segment: Option<String>,
        /// The weight's position in it, row-major, from 0.
        index: usize,
        /// The weight.
        found: f32,
    },
    /// A criterion gives a weight no score that can be compared. No weight has been changed.
    #[error("`{criterion}` scores {}: a finite score expected, found {found}", weight(Some(segment), *index))]
    Score {
        /// The criterion.
        criterion: String,
        /// The segment of the network.
        segment: String,
        /// The weight's position in it, row-major, from 0.
        index: usize,
        /// The score.
        found: f32,
    },
    /// A criterion has not given as many scores as there are parameters.
    #[error("{expected} scores expected of `{criterion}`, found {found}")]
    Scores {
        /// The criterion.
        criterion: String,
        /// Parameters of the network.
        expected: usize,
        /// Scores.
        found: usize,
    },
    /// A method does not work on these parameters. Leave them out, or take another one.
    #[error("{method} does not apply to `{segment}`: {reason}")]
    NotApplicable {
        /// The method.
        method: String,
        /// The segment of the network.
        segment: String,
        /// Why.
        reason: &'static str,
    },
    /// A grain that makes no sense.
    #[error("a grain to prune by expected, found {found:?}: {reason}")]
    Grain {
        /// The grain given.
        found: Grain,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A damping is not above 0 and finite.
    #[error("a finite damping above 0 expected, found {found}")]
    Damping {
        /// The damping given.
        found: f64,
    },
    /// The inputs of a layer have no Hessian that can be inverted: they are too large, or the damping is too small.
    #[error("the Hessian of `{segment}` is not positive definite")]
    Indefinite {
        /// The layer's kernel.
        segment: String,
    },
    /// The data have no targets, without which there are no gradients.
    #[error("data with targets expected, found none")]
    NoTargets,
    /// A criterion gathers its scores in training, and was asked outside of it.
    #[error("{method} scores weights in training only")]
    NotInTraining {
        /// The criterion.
        method: String,
    },
    /// A way to prune that cannot go a part of the way.
    #[error("a way to prune in several rounds expected, found one for a single round")]
    NotGradual,
    /// No layer and no parameter has this name.
    #[error("`{name}` is no layer or parameter, expected one of {names:?}")]
    UnknownName {
        /// The name given.
        name: String,
        /// The parameters of the network.
        names: Vec<String>,
    },
    /// Masks or weights are those of another network.
    #[error("a network with the same parameters expected: {expected}, found {found}")]
    OtherNetwork {
        /// The first parameter that differs, and how many numbers it has.
        expected: String,
        /// What the network has instead.
        found: String,
    },
    /// The network has no weights.
    #[error("a network with weights to prune expected, found none")]
    NoWeights,
    /// Data and network do not fit, or a network cannot be built or run.
    #[error(transparent)]
    Network(#[from] maas_nn::Error),
    /// A model cannot be called.
    #[error(transparent)]
    Core(#[from] maas_core::Error),
    /// The closure that fine-tunes failed. The network is as it was.
    #[error("fine-tuning failed")]
    FineTune(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The closure that measures failed. The network is as it was.
    #[error("measuring {name} failed")]
    Metric {
        /// What was to be measured.
        name: String,
        /// Why it failed.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A file cannot be read or written.
    #[error("cannot access {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The bytes are no compressed network.
    #[error("not a valid compressed network")]
    File(#[from] FileFault),
}

fn weight(segment: Option<&str>, index: usize) -> String {
    match segment {
        Some(segment) => format!("weight {index} of `{segment}`"),
        None => format!("weight {index}"),
    }
}
