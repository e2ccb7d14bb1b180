use std::io;
use std::path::PathBuf;

use maas_service::{ErrorKind, ServeError};

use crate::SourceError;

/// Why a server does not start, did not stop in order, or cannot be asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Bind {
        /// The address asked for.
        address: String,
        /// What the operating system says.
        #[source]
        source: io::Error,
    },
    /// A model has no name.
    #[error("a model has an empty name")]
    UnnamedModel,
    /// A version has no name.
    #[error("a version of model `{model}` has an empty name")]
    UnnamedVersion {
        /// The model's name.
        model: String,
    },
    /// The models do not fit together, or one elsewhere does not answer.
    #[error(transparent)]
    Model(#[from] ServeError),
    /// Models are to be loaded, and there is nowhere to load them from.
    #[error("no source of models is configured")]
    NoSource,
    /// The source has no such model.
    #[error("the source has no model `{model}`")]
    UnknownModel {
        /// The name asked for.
        model: String,
    },
    /// The source has none of the versions of a model that are to be served.
    #[error("the source has no version of model `{model}` that is to be served: it has {}", found.join(", "))]
    NoVersion {
        /// The model.
        model: String,
        /// The versions that it has.
        found: Vec<String>,
    },
    /// A version of a model cannot be loaded.
    #[error("model `{model}`, version `{version}`, cannot be loaded: {source}")]
    Load {
        /// The model.
        model: String,
        /// The version; empty where it is not known which there are.
        version: String,
        /// What the source says.
        source: SourceError,
    },
    /// Several versions or models cannot be loaded; whatever else was to be loaded is served.
    #[error("{}", listed(failed))]
    LoadSeveral {
        /// What is wrong with each of them.
        failed: Vec<Error>,
    },
    /// There is no tokio runtime around the call.
    #[error("no tokio runtime to spawn on: call `run_in_background` where there is none")]
    NoRuntime,
    /// No runtime or thread could be started.
    #[error("no runtime could be started")]
    Runtime(#[source] io::Error),
    /// A key is of no use.
    #[error("the key `{name}` has no name or no secret")]
    EmptyKey {
        /// The key's name.
        name: String,
    },
    /// Two keys cannot be told from each other.
    #[error("the key `{name}` has the name or the secret of another one")]
    DuplicateKey {
        /// The second key's name.
        name: String,
    },
    /// What should be PEM is not.
    #[error("no {what} can be read")]
    Pem {
        /// What was expected.
        what: &'static str,
        /// What is wrong.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A certificate and a key do not fit each other or the protocol.
    #[error("the certificate and the key cannot be used")]
    Tls(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A file cannot be read.
    #[error("{} cannot be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// The system does not say when the process is asked to end.
    #[error("no signals can be waited for")]
    Signals(#[source] io::Error),
    /// The server was shut down and connections were still busy when the time to drain was over.
    #[error("{connections} connections were cut off when the time to drain was over")]
    CutOff {
        /// How many connections were still busy.
        connections: usize,
    },
    /// The server ended by itself.
    #[error("the server ended before it was shut down")]
    Ended,
    /// A key has characters that no header can carry.
    #[error("a key must be visible ASCII characters")]
    Key,
    /// The text is no address of a server.
    #[error("`{found}` is no address of a server: expected SCHEME://HOST:PORT with one of the schemes {}", SCHEMES.join(", "))]
    Url {
        /// The text.
        found: String,
    },
}

/// Those that clients speak.
const SCHEMES: &[&str] = &[
    "http",
    #[cfg(feature = "tls")]
    "https",
    #[cfg(feature = "grpc")]
    "grpc",
    #[cfg(all(feature = "grpc", feature = "tls"))]
    "grpcs",
];

fn listed(failed: &[Error]) -> String {
    let texts: Vec<_> = failed.iter().map(ToString::to_string).collect();
    texts.join("; ")
}

impl Error {
    /// The one that there is, or all of them.
    pub(crate) fn of_loads(mut failed: Vec<Self>) -> Result<(), Self> {
        match failed.len() {
            0 => Ok(()),
            1 => Err(failed.remove(0)),
            _ => Err(Self::LoadSeveral { failed }),
        }
    }

    /// The errors that this one is made of, or itself.
    ///
    /// ```
    /// use maas_server::{Error, Models};
    /// let error = Models::new().load_all().expect_err("there is no source");
    /// assert!(matches!(error.into_each().as_slice(), [Error::NoSource]));
    /// ```
    #[must_use]
    pub fn into_each(self) -> Vec<Self> {
        match self {
            Self::LoadSeveral { failed } => failed,
            error => vec![error],
        }
    }

    /// What it means to a client that asked for it.
    pub(crate) fn kind(&self) -> ErrorKind {
        match self {
            Self::Model(error) => error.kind(),
            Self::UnknownModel { .. } | Self::NoVersion { .. } => ErrorKind::NotFound,
            Self::NoSource => ErrorKind::Unavailable,
            _ => ErrorKind::Internal,
        }
    }
}
