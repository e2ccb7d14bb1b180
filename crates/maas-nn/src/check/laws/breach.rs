use std::fmt;
use std::sync::Arc;

use crate::{Error, RowType};

/// A law of layers; its `Display` says what it asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Law {
    /// What `config` says, `from_config` makes, and the kinds agree.
    Config,
    /// `plan` says the same each time.
    PlanRepeats,
    /// `plan` refuses what `forward` cannot run, and never panics.
    PlanRefuses,
    /// `backward` agrees with differences.
    Gradient,
    /// A row's answer has the same bits alone and in any batch.
    RowAlone,
    /// Rows of NaN or infinities change no other row's answer.
    Neighbours,
    /// A training pass over a part of a batch gives the bits of the whole.
    Split,
    /// Wherever passes are cut between rows, and gradients between parts, the bits are the same.
    Cut,
    /// A plan for more rows gives the same bits.
    FewerRows,
    /// A pass does not see what was in the buffers before.
    NothingBehind,
    /// No rows are no work.
    NoRows,
    /// Every kernel set and number of threads gives the same bits.
    Compute,
    /// Every representation of the packed parameters gives the same bits.
    Packed,
    /// A row of NaN shows in its answer.
    Nan,
    /// A saved network comes back as it was.
    File,
}

impl fmt::Display for Law {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Config => "what `config` says, `from_config` makes again, and the kinds agree",
            Self::PlanRepeats => "`plan` says the same each time",
            Self::PlanRefuses => "`plan` refuses what `forward` cannot run, and nothing panics",
            Self::Gradient => "`backward` agrees with differences",
            Self::RowAlone => "a row's answer has the same bits alone and in any batch",
            Self::Neighbours => "rows of NaN or infinities change no other row's answer",
            Self::Split => "a training pass over a part of a batch gives the bits of the whole",
            Self::Cut => "wherever passes and gradients are cut, the bits are the same",
            Self::FewerRows => "a plan for more rows gives the same bits",
            Self::NothingBehind => "a pass does not see what was in the buffers before",
            Self::NoRows => "no rows are no work",
            Self::Compute => "every kernel set and number of threads gives the same bits",
            Self::Packed => "every representation of the packed parameters gives the same bits",
            Self::Nan => "a row of NaN shows in its answer",
            Self::File => "a saved network comes back as it was",
        })
    }
}

/// Numbers of a pass that laws compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Quantity {
    /// The output.
    Output,
    /// The gradient by the parameters.
    Gradient,
    /// The gradient by an input.
    InputGradient(usize),
    /// The state after the step.
    State,
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Output => f.write_str("the output"),
            Self::Gradient => f.write_str("the gradient by the parameters"),
            Self::InputGradient(input) => write!(f, "the gradient by input {input}"),
            Self::State => f.write_str("the state after the step"),
        }
    }
}

/// How a law was seen to be broken.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Breach {
    /// Numbers that should have the same bits have not.
    #[error("element {element} of {quantity} is {found:e}, not {expected:e}")]
    Bits {
        /// Of what.
        quantity: Quantity,
        /// Which element.
        element: usize,
        /// What it should be.
        expected: f32,
        /// What it is.
        found: f32,
    },
    /// A NaN is gone.
    #[error("input {input} of row {row} is NaN throughout, but no element of the row's output is")]
    Swallowed {
        /// The input.
        input: usize,
        /// The row.
        row: usize,
    },
    /// `plan` says one thing, then another.
    #[error("two calls of `plan` with {inputs:?} differ")]
    Plans {
        /// The types of the inputs.
        inputs: Vec<RowType>,
    },
    /// `from_config` makes another layer than `config` described.
    #[error("`config` says {expected}, and of the layer made from it {found}")]
    Config {
        /// What the layer says.
        expected: serde_json::Value,
        /// What the layer says that was made of it.
        found: serde_json::Value,
    },
    /// `kind` and `KIND` differ.
    #[error("`kind` gives `{found}`, but `KIND` is `{expected}`")]
    Kind {
        /// The constant.
        expected: &'static str,
        /// What the layer says.
        found: String,
    },
    /// The file's bytes change from save to save.
    #[error("the bytes of the loaded network differ from those it was loaded from")]
    File,
    /// It panicked.
    #[error("it panicked: {message}")]
    Panic {
        /// With these words.
        message: String,
    },
    /// `plan` accepted these types, and a pass panicked.
    #[error("`plan` accepts {inputs:?}, but a pass panics: {message}")]
    Accepted {
        /// The types of the inputs.
        inputs: Vec<RowType>,
        /// The panic's words.
        message: String,
    },
    /// It failed.
    #[error("it failed")]
    Failed(#[source] Arc<Error>),
}

impl Breach {
    pub(super) fn of(self, law: Law) -> Error {
        Error::Law {
            law,
            breach: Box::new(self),
        }
    }
}

impl From<Error> for Breach {
    fn from(error: Error) -> Self {
        Self::Failed(Arc::new(error))
    }
}
