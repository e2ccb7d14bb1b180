use std::sync::Arc;
use std::time::Duration;

use maas_core::{Signature, Tensor};
use maas_schedule::{Clock, Moment, Priority, SystemClock};
use ndarray::ArrayView2;

use crate::{Parameter, Parameters, ServeError, tabular};

/// A tensor and its name. A clone shares the tensor.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct NamedTensor {
    /// The name of the model's input or output.
    pub name: Arc<str>,
    /// The values.
    pub tensor: Arc<Tensor>,
}

impl NamedTensor {
    /// A tensor called `name`.
    ///
    /// ```
    /// use maas_core::{DType, Tensor};
    /// let x = maas_service::NamedTensor::new("x", Tensor::zeros(DType::Fp32, [1, 2])?);
    /// assert_eq!(&*x.name, "x");
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    #[must_use]
    pub fn new(name: impl Into<Arc<str>>, tensor: impl Into<Arc<Tensor>>) -> Self {
        Self {
            name: name.into(),
            tensor: tensor.into(),
        }
    }
}

/// An output that the caller wants to have.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RequestedOutput {
    /// The output's name.
    pub name: Arc<str>,
    /// How it is wanted.
    pub parameters: Parameters,
}

impl RequestedOutput {
    /// The output `name` in its usual form.
    ///
    /// ```
    /// let output = maas_service::RequestedOutput::new("y");
    /// assert!(output.parameters.is_empty());
    /// ```
    #[must_use]
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self {
            name: name.into(),
            parameters: Parameters::default(),
        }
    }
}

/// The way by which a request came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Protocol {
    /// From this process.
    #[default]
    Local,
    /// By HTTP.
    Http,
    /// By gRPC.
    Grpc,
}

impl Protocol {
    /// The way in a word, for labels of metrics: `local`, `http`, `grpc`.
    ///
    /// ```
    /// assert_eq!(maas_service::Protocol::Http.name(), "http");
    /// ```
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Http => "http",
            Self::Grpc => "grpc",
        }
    }
}

/// What a caller asks of a model. A clone shares the tensors.
///
/// ```
/// use maas_core::Tensor;
/// use maas_service::InferRequest;
///
/// let request = InferRequest::new("wine")
///     .input("x", Tensor::from_slice([1, 2], &[0.5_f32, 0.7])?)
///     .output("y")
///     .id("42");
/// assert_eq!(request.inputs.len(), 1);
/// # Ok::<(), maas_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct InferRequest {
    /// The name under which the model is served. A service that is one model does not look at it.
    pub model: Arc<str>,
    /// The version of the model, if the caller wants a certain one.
    pub version: Option<Arc<str>>,
    /// The caller's own name for this request; the response repeats it.
    pub id: Option<String>,
    /// The inputs in any order.
    pub inputs: Vec<NamedTensor>,
    /// The outputs that are wanted; none says all.
    pub outputs: Vec<RequestedOutput>,
    /// From when on the answer is of no use, by the [`SystemClock`]. A service that sees that it cannot answer in time refuses.
    pub deadline: Option<Moment>,
    /// Which requests go first where they wait.
    pub priority: Priority,
    /// Whose request it is: where requests wait, tenants share what there is.
    pub tenant: Option<Arc<str>>,
    /// The way by which it came, for those who count.
    pub protocol: Protocol,
    /// Everything else.
    pub parameters: Parameters,
}

impl InferRequest {
    /// A request to `model` without inputs.
    ///
    /// ```
    /// assert!(maas_service::InferRequest::new("wine").inputs.is_empty());
    /// ```
    #[must_use]
    pub fn new(model: impl Into<Arc<str>>) -> Self {
        Self {
            model: model.into(),
            version: None,
            id: None,
            inputs: Vec::new(),
            outputs: Vec::new(),
            deadline: None,
            priority: Priority::default(),
            tenant: None,
            protocol: Protocol::default(),
            parameters: Parameters::default(),
        }
    }

    /// A request with rows × columns of numbers for a model of this signature, which takes one FP32 input. The input's
    /// rows may have any fixed shape with as many elements as there are columns.
    ///
    /// # Errors
    ///
    /// [`ServeError::NotTabular`] for a model that takes or gives something else.
    ///
    /// ```
    /// use maas_core::{DType, Signature, TensorSpec};
    /// use maas_service::InferRequest;
    ///
    /// let image = TensorSpec::rows("image", DType::Fp32, &[28, 28]);
    /// let signature = Signature::new(image, TensorSpec::rows("y", DType::Fp32, &[10]))?;
    /// let request = InferRequest::of_rows(&signature, ndarray::Array2::zeros((5, 784)).view())?;
    /// assert_eq!(request.inputs[0].tensor.shape().dims(), [5, 28, 28]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a view is handed over by value, as everywhere"
    )]
    pub fn of_rows(signature: &Signature, rows: ArrayView2<'_, f32>) -> Result<Self, ServeError> {
        tabular::request(signature, &rows)
    }

    /// Adds an input.
    ///
    /// ```
    /// use maas_core::Tensor;
    /// let request = maas_service::InferRequest::new("wine").input("x", Tensor::from_slice([1, 1], &[0.5_f32])?);
    /// assert_eq!(&*request.inputs[0].name, "x");
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    #[must_use]
    pub fn input(mut self, name: impl Into<Arc<str>>, tensor: impl Into<Arc<Tensor>>) -> Self {
        self.inputs.push(NamedTensor::new(name, tensor));
        self
    }

    /// Asks for an output; without any, the response has all.
    ///
    /// ```
    /// assert_eq!(maas_service::InferRequest::new("wine").output("y").outputs.len(), 1);
    /// ```
    #[must_use]
    pub fn output(mut self, name: impl Into<Arc<str>>) -> Self {
        self.outputs.push(RequestedOutput::new(name));
        self
    }

    /// Asks for a version of the model.
    ///
    /// ```
    /// assert_eq!(maas_service::InferRequest::new("wine").version("3").version.as_deref(), Some("3"));
    /// ```
    #[must_use]
    pub fn version(mut self, version: impl Into<Arc<str>>) -> Self {
        self.version = Some(version.into());
        self
    }

    /// Names the request.
    ///
    /// ```
    /// assert_eq!(maas_service::InferRequest::new("wine").id("42").id.as_deref(), Some("42"));
    /// ```
    #[must_use]
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Gives up at this moment of the [`SystemClock`].
    ///
    /// ```
    /// use maas_schedule::{Clock, SystemClock};
    /// let now = SystemClock.now();
    /// assert_eq!(maas_service::InferRequest::new("wine").deadline(now).deadline, Some(now));
    /// ```
    #[must_use]
    pub fn deadline(mut self, deadline: Moment) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Gives up after this time from now on.
    ///
    /// ```
    /// use std::time::Duration;
    /// assert!(maas_service::InferRequest::new("wine").within(Duration::from_millis(50)).deadline.is_some());
    /// ```
    #[must_use]
    pub fn within(self, time: Duration) -> Self {
        self.deadline(SystemClock.now() + time)
    }

    /// Says how much haste there is.
    ///
    /// ```
    /// use maas_service::{InferRequest, Priority};
    /// assert_eq!(InferRequest::new("wine").priority(Priority::High).priority, Priority::High);
    /// ```
    #[must_use]
    pub fn priority(mut self, priority: Priority) -> Self {
        self.priority = priority;
        self
    }

    /// Says whose request it is.
    ///
    /// ```
    /// assert_eq!(maas_service::InferRequest::new("wine").tenant("ada").tenant.as_deref(), Some("ada"));
    /// ```
    #[must_use]
    pub fn tenant(mut self, tenant: impl Into<Arc<str>>) -> Self {
        self.tenant = Some(tenant.into());
        self
    }

    /// Sets a parameter.
    ///
    /// ```
    /// let request = maas_service::InferRequest::new("wine").parameter("priority", 1_i64);
    /// assert_eq!(request.parameters.len(), 1);
    /// ```
    #[must_use]
    pub fn parameter(mut self, name: impl Into<String>, value: impl Into<Parameter>) -> Self {
        self.parameters.set(name, value);
        self
    }
}
