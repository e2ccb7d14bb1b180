use std::fmt;

/// A law of losses; its `Display` says what it asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LossLaw {
    /// The gradient agrees with differences.
    Gradient,
    /// Asking for the gradient changes no bit of the loss.
    Alone,
    /// A loss is the mean of its rows' losses.
    Mean,
    /// Weights of 1 change no bit.
    Ones,
    /// A row's loss and gradient are multiplied by its weight.
    Weights,
    /// The order of rows does not matter, but for rounding.
    Order,
    /// Every kernel set gives the same bits.
    Kernels,
    /// A gradient of another length is refused.
    Length,
    /// Targets of the other kind are refused as such, or taken.
    Targets,
    /// The mean of no rows is NaN.
    NoRows,
}

impl fmt::Display for LossLaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gradient => "the gradient agrees with differences",
            Self::Alone => "asking for the gradient changes no bit of the loss",
            Self::Mean => "a loss is the mean of its rows' losses",
            Self::Ones => "weights of 1 change no bit",
            Self::Weights => "a row's loss and gradient are multiplied by its weight",
            Self::Order => "the order of rows does not matter, but for rounding",
            Self::Kernels => "every kernel set gives the same bits",
            Self::Length => "a gradient of another length is refused",
            Self::Targets => "targets of the other kind are refused as such, or taken",
            Self::NoRows => "the mean of no rows is NaN",
        })
    }
}

/// How a law of losses or metrics was seen to be broken.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LossBreach {
    /// The loss is another number.
    #[error("the loss is {found:e}, not {expected:e}")]
    Value {
        /// What it should be.
        expected: f64,
        /// What it is.
        found: f64,
    },
    /// An element of the gradient is another number.
    #[error("element {element} of the gradient is {found:e}, not {expected:e}")]
    Gradient {
        /// Which one.
        element: usize,
        /// What it should be.
        expected: f64,
        /// What it is.
        found: f64,
    },
    /// Something was taken that should have been refused, or refused for another reason.
    #[error("it is not refused with the error that says so")]
    NotRefused,
    /// It panicked.
    #[error("it panicked: {message}")]
    Panic {
        /// With these words.
        message: String,
    },
    /// It failed.
    #[error("it failed: {message}")]
    Failed {
        /// What the loss says.
        message: String,
    },
}
