/// What is wrong with the bytes of a compressed network.
///
/// ```
/// use maas_compress::{CompressedNetwork, Error, FileFault};
///
/// let error = CompressedNetwork::from_bytes(b"PK\x03\x04 some other file").unwrap_err();
/// assert!(matches!(error, Error::File(FileFault::Magic { .. })));
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileFault {
    /// The file is of another kind.
    #[error("expected the bytes MAASSPRS at the start, found {}", found.escape_ascii())]
    Magic {
        /// The bytes at the start.
        found: Vec<u8>,
    },
    /// The file was written by a later version.
    #[error("expected format version {expected}, found {found}")]
    Version {
        /// The version that is understood.
        expected: u32,
        /// The version of the file.
        found: u32,
    },
    /// The file ends early.
    #[error("{part}: {expected} bytes expected, found {found}")]
    Truncated {
        /// What was being read.
        part: String,
        /// How many bytes it takes.
        expected: u64,
        /// How many there are.
        found: u64,
    },
    /// The content is not what was written.
    #[error("expected checksum {expected:016x}, found {found:016x}: the file is damaged")]
    Checksum {
        /// What the file says.
        expected: u64,
        /// What its bytes have.
        found: u64,
    },
    /// The header is not the JSON that it has to be.
    #[error("the header is not understood")]
    Header(#[source] serde_json::Error),
    /// The file would become a network that is out of proportion to it.
    #[error("a file of {file} bytes may hold a network of at most {limit} bytes, found {found}")]
    Expansion {
        /// The file's length.
        file: u64,
        /// The most bytes of parameters and state for a file of this length.
        limit: u64,
        /// How many the architecture has.
        found: u64,
    },
    /// The signature is not that of the architecture.
    #[error("the signature is not that of the architecture")]
    Signature,
    /// The file describes another number of segments than the architecture has.
    #[error("{expected} segments expected, found {found}")]
    SegmentCount {
        /// How many the architecture has.
        expected: usize,
        /// How many the file describes.
        found: usize,
    },
    /// A segment of the file is not the architecture's.
    #[error("segment `{expected}` expected, found `{found}`")]
    SegmentName {
        /// The architecture's name.
        expected: String,
        /// The file's name.
        found: String,
    },
    /// More elements of a segment than it has.
    #[error("segment `{segment}`: at most {expected} elements expected, found {found}")]
    TooManyElements {
        /// The segment.
        segment: String,
        /// How many it has.
        expected: usize,
        /// How many the file describes.
        found: usize,
    },
    /// A position lies outside its segment.
    #[error("segment `{segment}`: a position below {expected} expected, found {found}")]
    Position {
        /// The segment.
        segment: String,
        /// How many elements it has.
        expected: usize,
        /// The position.
        found: u64,
    },
    /// A position is not coded as it has to be.
    #[error("segment `{segment}`: position {number} is no number of 64 bits in its shortest form")]
    Gap {
        /// The segment.
        segment: String,
        /// Which of its positions, from 0.
        number: usize,
    },
    /// Bytes after the last number that the header does not speak of.
    #[error("{expected} bytes of padding expected, found {found}")]
    Trailing {
        /// How many the header says.
        expected: u64,
        /// How many there are.
        found: u64,
    },
}
