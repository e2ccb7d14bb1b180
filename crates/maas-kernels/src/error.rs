use thiserror::Error as ThisError;

/// Why a set of kernels cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, ThisError)]
#[non_exhaustive]
pub enum Error {
    /// No set has this name.
    #[error("no kernel set is named `{name}`; there are `portable`, `avx2` and `avx512`")]
    UnknownSet {
        /// The name that was asked for.
        name: String,
    },
    /// The set exists, but this processor lacks the instructions it needs.
    #[error("this processor cannot run the kernel set `{set}`")]
    Unsupported {
        /// The set that was asked for.
        set: &'static str,
    },
}
