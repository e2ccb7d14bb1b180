use std::sync::Arc;
use std::time::Duration;

use maas_core::Tensor;
use ndarray::Array2;

use crate::{InferRequest, NamedTensor, Parameters, ServeError, tabular};

/// What an answer took, as far as whoever gave it knows.
///
/// ```
/// use maas_service::Spent;
/// assert_eq!(Spent::default().batch_rows, 0);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Spent {
    /// The time that the request waited until the model ran.
    pub queue: Duration,
    /// The time that the model ran, for all rows of its batch. Where it runs for microseconds on the thread that asks, that of
    /// a run of as many rows shortly before.
    pub compute: Duration,
    /// The rows that the model ran at once, those of other requests included; 0 where nobody said.
    pub batch_rows: usize,
}

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
    /// What the answer took.
    pub spent: Spent,
    /// The name of the pool's member that answered, if one did; of the innermost pool where pools nest.
    pub replica: Option<Arc<str>>,
    /// Everything else.
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
            spent: Spent::default(),
            replica: None,
            parameters: Parameters::default(),
        }
    }

    /// The answer to a request that is not needed any more.
    #[inline]
    pub(crate) fn from_parts(
        request: InferRequest,
        outputs: Vec<NamedTensor>,
        spent: Spent,
    ) -> Self {
        Self {
            model: request.model,
            version: request.version,
            id: request.id,
            outputs,
            spent,
            replica: None,
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

    /// The first output as rows × columns; rows that have a shape come back flat.
    ///
    /// # Errors
    ///
    /// [`ServeError::NotTabular`] without outputs, [`ServeError::Model`] when the output is not of type FP32.
    ///
    /// ```
    /// use maas_service::{InferRequest, InferResponse, NamedTensor};
    /// use maas_core::Tensor;
    ///
    /// let mut response = InferResponse::to(&InferRequest::new("wine"));
    /// response.outputs.push(NamedTensor::new("y", Tensor::from_slice([2, 1], &[5.0_f32, 6.0])?));
    /// assert_eq!(response.rows()?, ndarray::array![[5.0], [6.0]]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn rows(&self) -> Result<Array2<f32>, ServeError> {
        tabular::answer(self)
    }
}
