use std::io;
use std::path::PathBuf;

use maas_nn::FileFault;
use thiserror::Error;

/// What is wrong with a checkpoint.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CheckpointFault {
    /// It could not be written: no space, no permission. The former one is whole.
    #[error("writing failed; an earlier file of that name is whole")]
    Write(#[source] io::Error),
    /// It could not be read.
    #[error("reading failed")]
    Read(#[source] io::Error),
    /// There is none in the folder.
    #[error("there is no checkpoint in this folder")]
    None,
    /// The bytes are cut off, damaged or no checkpoint.
    #[error("the file is damaged, or no checkpoint")]
    File(#[from] FileFault),
    /// It is of another format, or of another version of it.
    #[error("`{key}` is {found:?}, expected {expected:?}")]
    Format {
        /// `format` or `version`.
        key: &'static str,
        /// What this version of the library reads.
        expected: &'static str,
        /// What the file says.
        found: Option<String>,
    },
    /// A part of it is missing, or not as long as the network needs it.
    #[error("`{part}` is missing or does not fit")]
    Part {
        /// Which part.
        part: &'static str,
    },
    /// It was made with something else than what is to go on with it.
    #[error("it is of another {what}: expected {expected}, found {found}")]
    Other {
        /// What differs: `network`, `data set`, `loss`, `batch size`, ...
        what: &'static str,
        /// What this run has; long ones as a digest.
        expected: String,
        /// What the checkpoint has.
        found: String,
    },
    /// It is of another optimiser.
    #[error("it is of another optimiser")]
    Optimizer(#[source] Box<crate::Error>),
    /// A callback refused its state.
    #[error("a callback does not take its state")]
    Callback(#[source] Box<crate::Error>),
    /// It was made within a pass over a stream that is now shorter.
    #[error("it was made behind chunk {chunk} of a stream that ends before")]
    Stream {
        /// The chunk, counted from 1.
        chunk: usize,
    },
}

impl CheckpointFault {
    pub(crate) fn at(self, path: impl Into<PathBuf>) -> crate::Error {
        crate::Error::Checkpoint {
            path: path.into(),
            source: self,
        }
    }
}
