use std::fmt;
use std::sync::Arc;

use crate::{InferRequest, InferResponse, ServeError};

/// A version that gets copies of requests, whose answers nobody waits for.
///
/// ```
/// use maas_service::Shadow;
///
/// // A tenth of the requests, at most 16 of them at a time.
/// let shadow = Shadow::of("2").share(0.1).at_most(16).compare(|compared| {
///     if let Ok(shadow) = &compared.shadow {
///         println!("{}", shadow.outputs == compared.answer.outputs);
///     }
/// });
/// ```
#[derive(Clone)]
#[must_use = "a shadow begins when it is given to `Versions::shadow`"]
pub struct Shadow {
    pub(super) version: Arc<str>,
    pub(super) share: f64,
    pub(super) at_most: usize,
    pub(super) compare: Option<Compare>,
}

pub(super) type Compare = Arc<dyn Fn(&Compared) + Send + Sync>;

/// What a caller got, and what the shadow would have answered.
#[derive(Debug)]
#[non_exhaustive]
pub struct Compared {
    /// What was asked.
    pub request: InferRequest,
    /// What the caller got.
    pub answer: InferResponse,
    /// What the shadow answered.
    pub shadow: Result<InferResponse, ServeError>,
}

impl Shadow {
    /// Copies of all requests to this version, 64 at a time.
    ///
    /// See the type for an example.
    pub fn of(version: impl Into<Arc<str>>) -> Self {
        Self {
            version: version.into(),
            share: 1.0,
            at_most: 64,
            compare: None,
        }
    }

    /// Copies of this share of the requests, from 0 to 1, evenly.
    ///
    /// See the type for an example.
    pub fn share(self, share: f64) -> Self {
        let share = share.clamp(0.0, 1.0);
        Self {
            share: if share.is_nan() { 0.0 } else { share },
            ..self
        }
    }

    /// So many copies at a time: a request that would be one more is not copied.
    ///
    /// See the type for an example.
    pub fn at_most(self, copies: usize) -> Self {
        Self {
            at_most: copies,
            ..self
        }
    }

    /// Has this closure see both answers, where the caller got one. It runs where the shadow does.
    ///
    /// See the type for an example.
    pub fn compare(self, compare: impl Fn(&Compared) + Send + Sync + 'static) -> Self {
        Self {
            compare: Some(Arc::new(compare)),
            ..self
        }
    }
}

impl fmt::Debug for Shadow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shadow")
            .field("version", &self.version)
            .field("share", &self.share)
            .field("at_most", &self.at_most)
            .finish_non_exhaustive()
    }
}
