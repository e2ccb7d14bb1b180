//! Keys and what they open.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::bucket::{Bucket, RateLimit};
use crate::Error;

const SCHEME: &str = "Bearer ";
const HEADER: &str = "x-api-key";

#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub(super) enum Scope {
    Infer,
    /// Whatever there is.
    Admin,
}

/// A secret that a client sends as `Authorization: Bearer SECRET` or `X-API-Key: SECRET`, and what it may do with it.
///
/// The secret itself is not kept, and takes as long to compare whatever is wrong with it. The name is the tenant of its
/// requests.
///
/// ```
/// use maas_server::{ApiKey, RateLimit, Server};
///
/// let server = Server::new()
///     .key(ApiKey::infer("shop", "correct horse battery staple").limit(RateLimit::per_second(100.0).burst(200)))
///     .key(ApiKey::admin("operator", "Tr0ub4dor&3 and more"));
/// ```
pub struct ApiKey {
    name: Arc<str>,
    digest: [u8; 32],
    scope: Scope,
    bucket: Option<Bucket>,
    usable: bool,
}

impl ApiKey {
    /// A key that may ask models, and read what is said of them and of the server.
    ///
    /// ```
    /// let key = maas_server::ApiKey::infer("shop", "correct horse battery staple");
    /// ```
    #[must_use]
    pub fn infer(name: impl Into<Arc<str>>, secret: impl AsRef<[u8]>) -> Self {
        Self::new(name.into(), secret.as_ref(), Scope::Infer)
    }

    /// A key that may load and unload models too.
    ///
    /// ```
    /// let key = maas_server::ApiKey::admin("operator", "correct horse battery staple");
    /// ```
    #[must_use]
    pub fn admin(name: impl Into<Arc<str>>, secret: impl AsRef<[u8]>) -> Self {
        Self::new(name.into(), secret.as_ref(), Scope::Admin)
    }

    fn new(name: Arc<str>, secret: &[u8], scope: Scope) -> Self {
        Self {
            usable: !name.is_empty() && !secret.is_empty(),
            name,
            digest: digest(secret),
            scope,
            bucket: None,
        }
    }

    /// Takes no more requests with this key than that.
    ///
    /// ```
    /// use maas_server::{ApiKey, RateLimit};
    /// let key = ApiKey::infer("shop", "correct horse battery staple").limit(RateLimit::per_second(10.0));
    /// ```
    #[must_use]
    pub fn limit(mut self, limit: RateLimit) -> Self {
        self.bucket = Some(Bucket::new(limit));
        self
    }

    pub(super) fn name(&self) -> &Arc<str> {
        &self.name
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        if self.usable {
            return Ok(());
        }
        Err(Error::EmptyKey {
            name: self.name.to_string(),
        })
    }

    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.name == other.name || self.digest == other.digest
    }

    pub(super) fn may(&self, scope: Scope) -> bool {
        self.scope >= scope
    }

    /// Counts a request, or says when the next one may come.
    pub(super) fn take(&self) -> Result<(), Duration> {
        self.bucket.as_ref().map_or(Ok(()), Bucket::take)
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKey")
            .field("name", &self.name)
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}

/// The secret that a request has with it.
pub(super) fn secret(headers: &HeaderMap) -> Option<&[u8]> {
    let bearer = headers.get(AUTHORIZATION).and_then(|value| {
        let (scheme, secret) = value.as_bytes().split_at_checked(SCHEME.len())?;
        scheme
            .eq_ignore_ascii_case(SCHEME.as_bytes())
            .then_some(secret)
    });
    bearer.or_else(|| Some(headers.get(HEADER)?.as_bytes()))
}

/// Looks at all keys, so that time does not tell which one was nearly right.
pub(super) fn find<'a>(keys: &'a [ApiKey], secret: &[u8]) -> Option<&'a ApiKey> {
    let digest = digest(secret);
    keys.iter().fold(None, |found, key| {
        let same = bool::from(key.digest.ct_eq(&digest));
        if same { Some(key) } else { found }
    })
}

fn digest(secret: &[u8]) -> [u8; 32] {
    Sha256::digest(secret).into()
}
