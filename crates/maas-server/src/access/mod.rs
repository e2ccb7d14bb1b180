//! Who may ask, for what, and how often.

mod answer;
mod bucket;
mod key;
mod near;
mod need;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::middleware::{self, Next};
use axum::response::Response;

pub use bucket::RateLimit;
pub use key::ApiKey;

use crate::Error;
use answer::Denial;
use key::Scope;
use need::Need;

/// Whose request it is, where keys tell it.
#[derive(Clone, Debug)]
pub(crate) struct Caller(pub(crate) Arc<str>);

/// Who can reach the server without a key.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Reach {
    /// Programs on this machine.
    Machine,
    Network,
}

#[derive(Debug)]
pub(crate) struct Access {
    keys: Vec<ApiKey>,
    reach: Reach,
}

impl Access {
    pub(crate) fn new(keys: Vec<ApiKey>, reach: Reach) -> Result<Self, Error> {
        for (index, key) in keys.iter().enumerate() {
            key.check()?;
            if keys[..index].iter().any(|other| other.is_like(key)) {
                return Err(Error::DuplicateKey {
                    name: key.name().to_string(),
                });
            }
        }
        Ok(Self { keys, reach })
    }

    /// The paths, and before them the check of who asks.
    pub(crate) fn guard(self, paths: Router) -> Router {
        paths.layer(middleware::from_fn_with_state(Arc::new(self), check))
    }

    /// Whose request it is, if it may be answered.
    pub(crate) fn judge(&self, request: &Parts) -> Result<Option<Caller>, Denial> {
        let need = Need::at(&request.method, request.uri.path());
        if need == Need::Nothing {
            return Ok(None);
        }
        if self.keys.is_empty() {
            return match (need, self.reach) {
                (Need::Scope(Scope::Admin), Reach::Network) => Err(Denial::AdminOff),
                (Need::Scope(Scope::Admin), Reach::Machine) if !near::is_near(request) => {
                    Err(Denial::Far)
                }
                _ => Ok(None),
            };
        }
        let secret = key::secret(&request.headers).ok_or(Denial::NoKey)?;
        let key = key::find(&self.keys, secret).ok_or(Denial::WrongKey)?;
        key.take().map_err(|wait| Denial::TooMany { wait })?;
        match need {
            Need::Scope(scope) if !key.may(scope) => Err(Denial::Scope),
            _ => Ok(Some(Caller(Arc::clone(key.name())))),
        }
    }
}

async fn check(State(access): State<Arc<Access>>, request: Request, next: Next) -> Response {
    let (mut head, body) = request.into_parts();
    match access.judge(&head) {
        Ok(caller) => {
            if let Some(caller) = caller {
                head.extensions.insert(caller);
            }
            next.run(Request::from_parts(head, body)).await
        }
        Err(denial) => denial.answer(&head),
    }
}
