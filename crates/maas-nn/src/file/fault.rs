/// What is wrong with the bytes of a file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileFault {
    /// The file ends early.
    #[error("expected {expected} bytes, found {found}")]
    Truncated {
        /// Bytes needed.
        expected: u64,
        /// Bytes there are.
        found: u64,
    },
    /// The header says that it is longer than a header may be.
    #[error("the header claims {claimed} bytes, more than the {limit} allowed")]
    HeaderLength {
        /// What it says.
        claimed: u64,
        /// What is allowed.
        limit: u64,
    },
    /// A part of the header is not the JSON that it has to be.
    #[error("{part} is not understood")]
    Json {
        /// The part.
        part: &'static str,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// The file holds no network, or one of a later version.
    #[error("the metadata have `{key}` = {found:?}, expected {expected:?}")]
    Metadata {
        /// The entry.
        key: &'static str,
        /// What it has to be.
        expected: &'static str,
        /// What it is.
        found: Option<String>,
    },
    /// A tensor that the network needs is not there.
    #[error("tensor `{name}` is missing")]
    MissingTensor {
        /// Its name.
        name: String,
    },
    /// A tensor that the network does not have.
    #[error("tensor `{name}` belongs to no layer")]
    UnknownTensor {
        /// Its name.
        name: String,
    },
    /// A tensor of another type.
    #[error("tensor `{name}` has type {found}, expected {expected}")]
    DType {
        /// Its name.
        name: String,
        /// The type needed.
        expected: &'static str,
        /// The type found.
        found: String,
    },
    /// A tensor of another shape.
    #[error("tensor `{name}` has shape {found:?}, expected {expected:?}")]
    Shape {
        /// Its name.
        name: String,
        /// The shape needed.
        expected: Vec<usize>,
        /// The shape found.
        found: Vec<u64>,
    },
    /// A tensor lies outside the file, over another one, or behind a gap, or has not the bytes of its shape.
    #[error(
        "tensor `{name}` lies at bytes {begin} to {end}, expected {expected_begin} to {expected_end}"
    )]
    Offsets {
        /// Its name.
        name: String,
        /// Where it claims to begin.
        begin: u64,
        /// Where it claims to end.
        end: u64,
        /// Where it has to begin.
        expected_begin: u64,
        /// Where it has to end.
        expected_end: u64,
    },
    /// Bytes after the last tensor.
    #[error("{bytes} bytes follow the last tensor")]
    Trailing {
        /// How many.
        bytes: u64,
    },
    /// The signature is not the network's.
    #[error("the signature is not that of the architecture")]
    Signature,
    /// The content is not what was written.
    #[error("the checksum is {found}, expected {expected}: the file is damaged")]
    Checksum {
        /// What the file says.
        expected: String,
        /// What its content has.
        found: String,
    },
}
