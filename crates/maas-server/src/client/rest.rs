//! The protocol over HTTP, as a client speaks it.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use hyper::{Method, Uri};
use maas_service::{Description, InferRequest, InferResponse, ServeError};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::http::{Answer, Content, Http, Question};
use super::metadata::{Metadata, ServerMetadata, bad_answer};
use crate::wire::{Form, read, write};

/// The extension by which tensors travel as bytes.
const BINARY: &str = "binary_tensor_data";

/// Asks one server.
#[derive(Debug)]
pub(super) struct Rest {
    pub(super) http: Http,
    /// Whether tensors are sent and awaited as bytes. Where nobody has settled it, the server is asked whether it can.
    pub(super) binary: OnceLock<bool>,
}

impl Rest {
    pub(super) fn new(http: Http) -> Self {
        Self {
            http,
            binary: OnceLock::new(),
        }
    }

    pub(super) async fn is_live(&self) -> Result<bool, ServeError> {
        Ok(self.get("/v2/health/live".to_owned()).await?.status == 200)
    }

    pub(super) async fn is_ready(&self) -> Result<bool, ServeError> {
        Ok(self.get("/v2/health/ready".to_owned()).await?.status == 200)
    }

    pub(super) async fn is_model_ready(
        &self,
        model: &str,
        version: Option<&str>,
    ) -> Result<bool, ServeError> {
        let path = format!("{}/ready", model_path(model, version));
        Ok(self.get(path).await?.status == 200)
    }

    pub(super) async fn describe(
        &self,
        model: &str,
        version: Option<&str>,
    ) -> Result<Arc<Description>, ServeError> {
        let answer = self.get(model_path(model, version)).await?.accepted()?;
        let metadata: Metadata = serde_json::from_slice(&answer.body).map_err(bad_answer)?;
        metadata.into_description()
    }

    pub(super) async fn infer(
        &self,
        mut request: InferRequest,
        version: Option<&str>,
        limit: Duration,
    ) -> Result<InferResponse, ServeError> {
        let form = if self.takes_binary().await? {
            // Some servers look here and not at the wish of the whole request.
            for output in &mut request.outputs {
                output.parameters.set("binary_data", true);
            }
            Form::binary()
        } else {
            Form::json()
        };
        let message =
            write::request(&request, &form).map_err(|reason| ServeError::Unsupported {
                what: reason.to_string(),
            })?;
        let question = Question {
            method: Method::POST,
            path: uri(&format!("{}/infer", model_path(&request.model, version)))?,
            content: Some(Content {
                content_type: message.content_type(),
                header_length: message.header_length(),
                parts: message.into_parts(),
            }),
            limit: Some(limit),
        };
        let answer = self.http.ask(&question).await?.accepted()?;
        read::response(&answer.body, answer.header_length).map_err(bad_answer)
    }

    async fn takes_binary(&self) -> Result<bool, ServeError> {
        if let Some(&settled) = self.binary.get() {
            return Ok(settled);
        }
        let answer = self.get("/v2".to_owned()).await?;
        let metadata = serde_json::from_slice(&answer.body).ok();
        let takes_binary = metadata.is_some_and(|metadata: ServerMetadata| {
            metadata.extensions.iter().any(|name| name == BINARY)
        });
        // A server that is too busy, or does not talk to everybody, has said nothing.
        if let 200 | 404 | 405 = answer.status {
            let _ = self.binary.set(takes_binary);
        }
        Ok(takes_binary)
    }

    async fn get(&self, path: String) -> Result<Answer, ServeError> {
        let question = Question {
            method: Method::GET,
            path: uri(&path)?,
            content: None,
            limit: None,
        };
        self.http.ask(&question).await
    }
}

/// Names are quoted where they stand in a path, which may yet become too long for one.
fn uri(path: &str) -> Result<Uri, ServeError> {
    path.parse().map_err(|_| ServeError::Unsupported {
        what: format!("an address of {} bytes", path.len()),
    })
}

fn model_path(model: &str, version: Option<&str>) -> String {
    let quoted = |name| utf8_percent_encode(name, NON_ALPHANUMERIC);
    match version {
        Some(version) => format!("/v2/models/{}/versions/{}", quoted(model), quoted(version)),
        None => format!("/v2/models/{}", quoted(model)),
    }
}
