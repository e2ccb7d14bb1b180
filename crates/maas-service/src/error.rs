use std::error::Error;
use std::io;
use std::time::Duration;

use maas_schedule::QueueError;

use crate::ErrorKind;

/// Why a request was not answered.
///
/// ```
/// use maas_service::{ErrorKind, ServeError};
///
/// let error = ServeError::UnknownModel { model: "wine".into() };
/// assert_eq!(error.to_string(), "no model is called `wine`");
/// assert_eq!(error.kind(), ErrorKind::NotFound);
/// assert!(!error.is_retryable());
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// No model has this name.
    #[error("no model is called `{model}`")]
    UnknownModel {
        /// The name asked for.
        model: String,
    },
    /// The model has no such version.
    #[error("model `{model}` has no version `{version}`")]
    UnknownVersion {
        /// The model asked for.
        model: String,
        /// The version asked for.
        version: String,
    },
    /// The model has a version of this name.
    #[error("model `{model}` has a version `{version}` already")]
    VersionExists {
        /// The model.
        model: String,
        /// The version that was to be added.
        version: String,
    },
    /// A version cannot leave while something points to it.
    #[error("version `{version}` of model `{model}` is in use as {role}")]
    VersionInUse {
        /// The model.
        model: String,
        /// The version that was to be removed.
        version: String,
        /// What points to it.
        role: String,
    },
    /// The model has no such input.
    #[error("the model has no input `{name}`: expected {}", names(.expected))]
    UnknownInput {
        /// The name found.
        name: String,
        /// The model's inputs.
        expected: Vec<String>,
    },
    /// An input is not there.
    #[error("input `{name}` is missing")]
    MissingInput {
        /// The input's name.
        name: String,
    },
    /// An input is there twice.
    #[error("input `{name}` is there more than once")]
    RepeatedInput {
        /// The input's name.
        name: String,
    },
    /// The model has no such output.
    #[error("the model has no output `{name}`: expected {}", names(.expected))]
    UnknownOutput {
        /// The name asked for.
        name: String,
        /// The model's outputs.
        expected: Vec<String>,
    },
    /// An output is asked for twice.
    #[error("output `{name}` is asked for more than once")]
    RepeatedOutput {
        /// The output's name.
        name: String,
    },
    /// The inputs do not have the types or shapes of the model's signature.
    #[error("the inputs do not fit the model: {0}")]
    Input(maas_core::Error),
    /// More rows than the service takes in one request.
    #[error("a request has at most {limit} rows, found {found}: split it")]
    TooManyRows {
        /// The service's limit.
        limit: usize,
        /// Rows of the request.
        found: usize,
    },
    /// Rows and columns of numbers were given to a model that takes or gives something else.
    #[error(
        "the model is no table of numbers to a table of numbers: expected one FP32 tensor, found {found}"
    )]
    NotTabular {
        /// What the model takes or gives instead.
        found: String,
    },
    /// The queue before the model does not take the request, or gave it back.
    #[error("the request cannot wait: {0}")]
    Queue(QueueError),
    /// The service has as many requests as it may have.
    #[error("{limit} requests are being answered, which is the limit: try again later")]
    Limit {
        /// How many requests may be answered at once.
        limit: usize,
        /// When it may be worth trying again.
        retry_after: Duration,
    },
    /// The service finishes what it has and takes nothing new.
    #[error("the service is shutting down")]
    Draining,
    /// The worker that held the request was stopped before it answered.
    #[error("the replica was stopped before it answered")]
    Stopped,
    /// None of the members of a pool can take the request.
    #[error("none of the {members} replicas is ready")]
    NoneReady {
        /// How many members the pool has.
        members: usize,
    },
    /// A pool has no such member.
    #[error("no replica {index}: there are {members}, counted from 0")]
    UnknownReplica {
        /// The index asked for.
        index: usize,
        /// How many members the pool has.
        members: usize,
    },
    /// A pool of no services cannot be made.
    #[error("a pool needs at least 1 service, found 0")]
    EmptyPool,
    /// A service is not of the model that its pool serves.
    #[error("service `{name}` has another signature than the others of the pool")]
    DifferentSignatures {
        /// The service's name.
        name: String,
    },
    /// A pool has no such member, or has one already.
    #[error(transparent)]
    Member(#[from] maas_schedule::Error),
    /// The model failed.
    #[error("the model failed")]
    Model(#[source] maas_core::Error),
    /// The model panicked; its worker goes on with the next request.
    #[error("the model panicked: {message}")]
    Panicked {
        /// What the panic said.
        message: String,
    },
    /// A worker thread could not be started.
    #[error("no worker thread could be started")]
    Worker(#[source] io::Error),
    /// The answer did not come in time.
    #[error("no answer within {limit:?}")]
    Deadline {
        /// How long was waited.
        limit: Duration,
    },
    /// The request's own deadline passed before it was answered.
    #[error("the deadline of the request passed {late:?} ago")]
    Expired {
        /// How long ago.
        late: Duration,
    },
    /// What was asked for is not implemented.
    #[error("{what} is not supported")]
    Unsupported {
        /// What was asked for.
        what: String,
    },
    /// A server elsewhere answered with an error.
    #[error("the server answered {status}: {message}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// What the server said.
        message: String,
        /// When it is worth asking again, if the server said so.
        retry_after: Option<Duration>,
    },
    /// A server elsewhere cannot be reached, or the connection broke.
    #[error("the server at {address} does not answer")]
    Unreachable {
        /// The server's address.
        address: String,
        /// What went wrong.
        #[source]
        source: io::Error,
    },
    /// A server elsewhere and its client do not trust each other: no request was sent, or none was read.
    #[error("there is no trusted connection to the server at {address}")]
    Untrusted {
        /// The server's address.
        address: String,
        /// Who does not trust whom, and why.
        source: Box<dyn Error + Send + Sync>,
    },
    /// A server elsewhere answered with something that is no answer.
    #[error("the server's answer cannot be understood: {reason}")]
    BadAnswer {
        /// What is wrong with it.
        reason: String,
    },
    /// A service of another kind does not take the request.
    #[error("the service does not take requests")]
    NotReady(#[source] Box<dyn Error + Send + Sync>),
    /// A service of another kind failed.
    #[error("the service failed")]
    Other(#[source] Box<dyn Error + Send + Sync>),
}

impl ServeError {
    /// What the error means to who asked.
    ///
    /// ```
    /// use maas_service::{ErrorKind, ServeError};
    /// assert_eq!(ServeError::Draining.kind(), ErrorKind::Unavailable);
    /// ```
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::UnknownModel { .. }
            | Self::UnknownVersion { .. }
            | Self::UnknownReplica { .. }
            | Self::Member(maas_schedule::Error::UnknownMember { .. }) => ErrorKind::NotFound,
            Self::UnknownInput { .. }
            | Self::MissingInput { .. }
            | Self::RepeatedInput { .. }
            | Self::UnknownOutput { .. }
            | Self::RepeatedOutput { .. }
            | Self::Input(_)
            | Self::TooManyRows { .. }
            | Self::NotTabular { .. }
            | Self::VersionExists { .. }
            | Self::VersionInUse { .. }
            | Self::EmptyPool
            | Self::DifferentSignatures { .. }
            | Self::Member(_) => ErrorKind::Invalid,
            Self::Queue(error) => kind_of_queue(error),
            Self::Limit { .. } => ErrorKind::Limited,
            Self::Draining
            | Self::Stopped
            | Self::NoneReady { .. }
            | Self::NotReady(_)
            | Self::Unreachable { .. }
            | Self::Untrusted { .. } => ErrorKind::Unavailable,
            Self::Deadline { .. } | Self::Expired { .. } => ErrorKind::Deadline,
            Self::Unsupported { .. } => ErrorKind::Unsupported,
            // Who says when to come back has too much to do, and is well.
            Self::Refused {
                status: 503,
                retry_after: Some(_),
                ..
            } => ErrorKind::Overloaded,
            Self::Refused { status, .. } => ErrorKind::of_http_status(*status),
            Self::Model(_)
            | Self::Panicked { .. }
            | Self::Worker(_)
            | Self::BadAnswer { .. }
            | Self::Other(_) => ErrorKind::Internal,
        }
    }

    /// Whether another service, or the same one later, may answer the same request.
    ///
    /// ```
    /// use maas_service::ServeError;
    /// assert!(ServeError::Stopped.is_retryable());
    /// assert!(!ServeError::MissingInput { name: "x".into() }.is_retryable());
    /// ```
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self.kind() {
            ErrorKind::Limited | ErrorKind::Overloaded | ErrorKind::Unavailable => true,
            _ => matches!(self, Self::Worker(_) | Self::BadAnswer { .. }),
        }
    }

    /// How long to wait before the request is worth sending again, where that is known.
    ///
    /// ```
    /// use maas_service::ServeError;
    /// use std::time::Duration;
    /// let error = ServeError::Limit { limit: 64, retry_after: Duration::from_secs(1) };
    /// assert_eq!(error.retry_after(), Some(Duration::from_secs(1)));
    /// ```
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Limit { retry_after, .. } => Some(*retry_after),
            Self::Refused { retry_after, .. } => *retry_after,
            Self::Queue(error) => error.retry_after(),
            _ => None,
        }
    }

    /// The model's own verdict: bad input is the caller's fault, everything else the model's.
    pub(crate) fn from_model(error: maas_core::Error) -> Self {
        if error.is_bad_input() {
            Self::Input(error)
        } else {
            Self::Model(error)
        }
    }
}

fn kind_of_queue(error: &QueueError) -> ErrorKind {
    match error {
        QueueError::TenantFull { .. } => ErrorKind::Limited,
        QueueError::RowsFull { .. }
        | QueueError::BytesFull { .. }
        | QueueError::WaitTooLong { .. } => ErrorKind::Overloaded,
        QueueError::DeadlinePassed { .. } | QueueError::DeadlineTooSoon { .. } => {
            ErrorKind::Deadline
        }
        QueueError::Closed => ErrorKind::Unavailable,
        _ => ErrorKind::Invalid,
    }
}

fn names(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    if quoted.is_empty() {
        "none".to_owned()
    } else {
        quoted.join(", ")
    }
}
