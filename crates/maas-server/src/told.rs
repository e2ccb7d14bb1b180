//! What is said of an error, and to whom.

use std::borrow::Cow;
use std::error::Error;

use maas_service::ServeError;

/// What clients are told: nothing of the server's insides. What a panic says, and which servers are behind this one, is for
/// the operator's eyes.
pub(crate) fn told(error: &ServeError) -> Cow<'static, str> {
    match error {
        ServeError::Panicked { .. } => "the model panicked".into(),
        ServeError::Unreachable { .. } => "the model's server does not answer".into(),
        ServeError::Untrusted { .. } => "the model's server is not trusted".into(),
        error => error.to_string().into(),
    }
}

/// What operators are told: the error, and behind it its causes.
pub fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
