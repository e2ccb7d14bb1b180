//! The request that nearly all are: an inference.

use std::borrow::Cow;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use bytes::Bytes;
use hyper::body::Body;
use maas_service::Protocol;
use percent_encoding::percent_decode_str;

use super::{Refusal, Shelves, answer, body, terms, unknown};
use crate::access::Caller;
use crate::shared::Shared;
use crate::wire::{Form, Rejection, read, urgency, write};

/// What the path of an inference names, as it stands there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Target<'a> {
    model: &'a str,
    version: Option<&'a str>,
}

impl<'a> Target<'a> {
    /// `/v2/models/MODEL/infer` or `/v2/models/MODEL/versions/VERSION/infer`.
    pub(crate) fn of(path: &'a str) -> Option<Self> {
        let names = path.strip_prefix("/v2/models/")?.strip_suffix("/infer")?;
        let (model, version) = match names.split_once('/') {
            Some((model, rest)) => (model, Some(rest.strip_prefix("versions/")?)),
            None => (names, None),
        };
        let is_name = |name: &str| !name.is_empty() && !name.contains('/');
        (is_name(model) && version.is_none_or(is_name)).then_some(Self { model, version })
    }
}

/// Answers an inference request, whose path names its [`Target`].
pub(crate) async fn infer(
    shared: &Shared,
    caller: Option<Caller>,
    head: Parts,
    body: impl Body<Data = Bytes> + Unpin,
) -> Result<Response, Refusal> {
    let target = Target::of(head.uri.path()).ok_or_else(|| unknown(&head.uri))?;
    let headers = &head.headers;
    let model = decode(target.model)?;
    let version = target.version.map(decode).transpose()?;
    let version = version.as_deref();
    let hosted = shared.models.find(&model)?;
    let header_length = body::header_length(headers)?;
    let body = shared.read(headers, header_length, body).await?;
    let (mut request, form) = match header_length {
        Some(0) => {
            let signature = &hosted.status(version)?.description.signature;
            let request = read::raw_request(body, signature, &hosted.name, version)?;
            (request, Form::binary())
        }
        _ => read::request(&body, header_length, &hosted.name, version)?,
    };
    request.protocol = Protocol::Http;
    urgency(&mut request).map_err(Rejection::from)?;
    terms::apply(headers, caller.as_ref(), &mut request)?;
    let response = shared.infer(&hosted, request).await?;
    let message = write::response(&response, &form).map_err(|reason| unwritable(&reason))?;
    Ok(answer::answer(message, headers).await)
}

/// [`infer`] behind a router, which has looked at the path.
pub(super) async fn routed(
    State(shared): Shelves,
    caller: Option<Extension<Caller>>,
    request: Request,
) -> Result<Response, Refusal> {
    let (head, body) = request.into_parts();
    infer(&shared, caller.map(|Extension(caller)| caller), head, body).await
}

/// A name as it is meant; a path has some characters in hexadecimal.
fn decode(name: &str) -> Result<Cow<'_, str>, Refusal> {
    let decoded = percent_decode_str(name).decode_utf8();
    decoded.map_err(|_| Refusal::bad(format!("`{name}` in the path is no UTF-8")))
}

fn unwritable(reason: &write::Unwritable) -> Refusal {
    let status = match reason {
        write::Unwritable::Type { .. } => StatusCode::NOT_IMPLEMENTED,
        write::Unwritable::Value { .. } => StatusCode::INTERNAL_SERVER_ERROR,
    };
    Refusal::new(status, format!("the answer cannot be sent: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_an_inference_names_a_model_and_may_name_a_version() {
        let of = |path| Target::of(path).map(|target| (target.model, target.version));
        for (path, target) in [
            ("/v2/models/wine/infer", Some(("wine", None))),
            ("/v2/models/a%2Fb/infer", Some(("a%2Fb", None))),
            ("/v2/models/versions/infer", Some(("versions", None))),
            (
                "/v2/models/wine/versions/3/infer",
                Some(("wine", Some("3"))),
            ),
            ("/v2/models//infer", None),
            ("/v2/models/infer", None),
            ("/v2/models/wine/versions//infer", None),
            ("/v2/models/wine/versions/infer", None),
            ("/v2/models/wine/labels/3/infer", None),
            ("/v2/models/wine/versions/3/4/infer", None),
            ("/v2/models/wine/infer/", None),
            ("/v2/models/wine/ready", None),
            ("/own/v2/models/wine/infer", None),
        ] {
            assert_eq!(of(path), target, "{path}");
        }
    }
}
