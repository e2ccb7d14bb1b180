use std::sync::Arc;

use maas_core::Tensor;

use crate::{InferRequest, NamedTensor, Parameters};

/// A model's answer.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct InferResponse {
    /// The model that the request named.
    pub model: Arc<str>,
    /// The version that answered, where models have versions.
    pub version: Option<Arc<str>>,
    /// The request's own name.
    pub id: Option<String>,
    /// The outputs that were asked for, in the order asked for.
    pub outputs: Vec<NamedTensor>,
    /// Everything else: a balanced pool says here which `replica` answered.
    pub parameters: Parameters,
}

impl InferResponse {
    /// An answer to `request` that has its model and id, and no outputs yet.
    ///
    /// ```
    /// use maas_service::{InferRequest, InferResponse};
    /// let response = InferResponse::to(&InferRequest::new("wine").id("42"));
    /// assert_eq!(response.id.as_deref(), Some("42"));
    /// ```
    #[must_use]
    pub fn to(request: &InferRequest) -> Self {
        Self {
            model: Arc::clone(&request.model),
            version: request.version.clone(),
            id: request.id.clone(),
            outputs: Vec::new(),
            parameters: Parameters::default(),
        }
    }

    /// The output called `name`.
    ///
    /// ```
    /// use maas_service::{InferRequest, InferResponse};
    /// assert!(InferResponse::to(&InferRequest::new("wine")).output("y").is_none());
    /// ```
    #[must_use]
    pub fn output(&self, name: &str) -> Option<&Tensor> {
        self.outputs
            .iter()
            .find(|output| &*output.name == name)
            .map(|output| &*output.tensor)
    }
}
