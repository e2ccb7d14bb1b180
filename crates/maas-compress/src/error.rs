use std::io;
use std::path::PathBuf;

use crate::FileFault;

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
    /// The network has no weights.
    #[error("a network with weights to prune expected, found none")]
    NoWeights,
    /// Data and network do not fit, or a network cannot be built or run.
    #[error(transparent)]
    Network(#[from] maas_nn::Error),
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
