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
    #[error("expected the bytes MAAS at the start, found {}", found.escape_ascii())]
    Magic {
        /// The bytes at the start.
        found: Vec<u8>,
    },
    /// The file was written by another version.
    #[error("expected format version {expected}, found {found}")]
    Version {
        /// The version that is understood.
        expected: u8,
        /// The version of the file.
        found: u8,
    },
    /// The file ends before its content begins.
    #[error("{expected} bytes expected at least, found {found}")]
    Truncated {
        /// How many bytes come before the content.
        expected: u64,
        /// How many there are.
        found: u64,
    },
    /// The content is not what was written: it was cut or changed.
    #[error("expected checksum {expected:08x}, found {found:08x}: the file is damaged")]
    Checksum {
        /// What the file says.
        expected: u32,
        /// What its bytes have.
        found: u32,
    },
    /// The architecture is not the JSON that it has to be.
    #[error("the architecture is not understood")]
    Header(#[source] serde_json::Error),
    /// The file would become a network that is out of proportion to it.
    #[error("a file of {file} bytes may become at most {limit} bytes, found {found}")]
    Expansion {
        /// The file's length.
        file: u64,
        /// The most memory for a file of this length.
        limit: u64,
        /// How much it asks for.
        found: u64,
    },
    /// A segment cannot be read.
    #[error("segment `{segment}` cannot be read")]
    Segment {
        /// The segment.
        segment: String,
        /// Why.
        #[source]
        source: Box<FileFault>,
    },
    /// A list of numbers needs another list that needs another, and so on.
    #[error("at most {expected} lists in one another expected")]
    Depth {
        /// How many there may be.
        expected: u32,
    },
    /// A list of the different numbers has more than there are numbers.
    #[error("1 to {expected} different numbers expected, found {found}")]
    Palette {
        /// The most there may be.
        expected: usize,
        /// How many the file has.
        found: usize,
    },
    /// A number is said to be one that the list of different numbers does not have.
    #[error("one of {expected} different numbers expected, found number {found}")]
    Place {
        /// How many different numbers there are.
        expected: usize,
        /// Which one was meant, from 0.
        found: usize,
    },
    /// Codes of a grid are larger than any are.
    #[error("codes of a magnitude of at most {expected} expected, found {found}")]
    Levels {
        /// The largest magnitude there may be.
        expected: u32,
        /// The file's.
        found: u32,
    },
    /// The content goes on behind the end of the file.
    #[error("the file ends within `{segment}`")]
    Exhausted {
        /// What was being read.
        segment: String,
    },
    /// The end is not as a writer leaves it.
    #[error("expected the end of the coded content, and zeros behind it, found other bytes")]
    Ending,
    /// The file is not as long as its content.
    #[error("{expected} bytes expected, found {found}")]
    Length {
        /// How long it has to be.
        expected: u64,
        /// How long it is.
        found: u64,
    },
}
