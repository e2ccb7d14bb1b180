use thiserror::Error as ThisError;

/// Why a set of kernels, or a matrix of codes, cannot be had.
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
    /// A weight to quantise is infinite or not a number.
    #[error("column {column} has a weight that is not finite")]
    NotFinite {
        /// The first column that has one.
        column: usize,
    },
    /// Sums of products of so many codes might not fit into an `i32`.
    #[error("{rows} rows of codes are more than {most}")]
    TooManyRows {
        /// The rows that were asked for.
        rows: usize,
        /// The most that can be had.
        most: usize,
    },
    /// There are not as many codes as the shape asks for.
    #[error("{found} codes cannot be a matrix of {} × {}", expected.0, expected.1)]
    Codes {
        /// Rows and columns.
        expected: (usize, usize),
        /// The number of codes.
        found: usize,
    },
    /// There are not as many scales as columns.
    #[error("{found} scales cannot belong to {expected} columns")]
    Scales {
        /// The number of columns.
        expected: usize,
        /// The number of scales.
        found: usize,
    },
    /// A code is −128, and codes are −127 to 127.
    #[error("code number {index} is −128, and codes are −127 to 127")]
    Code {
        /// Where it stands, row by row.
        index: usize,
    },
    /// A scale by which codes cannot be multiplied exactly.
    #[error(
        "the scale {} of column {column} is not a positive normal number of at most 16 significant bits",
        f32::from_bits(*bits)
    )]
    Scale {
        /// The first column that has one.
        column: usize,
        /// The bits of the scale.
        bits: u32,
    },
    /// Sums of products of so large codes are not always exact in single precision.
    #[error(
        "the codes of column {column} are too large, or too many, for exact sums in single precision"
    )]
    InexactSums {
        /// The first column that has them.
        column: usize,
    },
}
