use std::fmt;
use std::pin::pin;
use std::sync::Arc;

use futures_core::Stream;

use super::generate::{Piece, generate, next};
use crate::{
    BoxService, Description, InferRequest, InferResponse, Load, Parameter, Readiness, Report,
    ServeError, Service,
};

/// A service, and another one that is asked when the first cannot answer.
///
/// The second is asked when the first one's error is [retryable](ServeError::is_retryable), or as a closure of one's own
/// [says](Self::when). Its error is the caller's then. Of a stream, only the first piece decides.
///
/// The response's parameter `fallback` says who answered: 0 is the first. Chains nest to the right, and count on:
/// of `Fallback::new(a, Fallback::new(b, c)?)?`, `c` is 2.
///
/// ```
/// # use maas_core::{DType, Error, FnModel, Outputs, Signature, TensorSpec, TensorView};
/// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[1]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
/// # let model = || FnModel::new(signature.clone(), |inputs: &[TensorView<'_>], outputs: &mut Outputs<'_>| {
/// #     outputs.copy(0, &inputs[0])
/// # });
/// use maas_service::{Fallback, InferRequest, Limit, LocalModel, Parameter, Service};
///
/// let large = Limit::new(LocalModel::new(model()), 0); // takes nothing
/// let service = Fallback::new(large, LocalModel::new(model()))?;
///
/// let request = InferRequest::of_rows(&service.describe().signature, ndarray::array![[1.0]].view())?;
/// let response = service.infer_blocking(request)?;
/// assert_eq!(response.parameters.get("fallback"), Some(&Parameter::Int(1)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Fallback<A, B, F = fn(&ServeError) -> bool> {
    first: A,
    second: B,
    when: F,
}

impl<A: Service, B: Service> Fallback<A, B> {
    /// Asks `first`, and `second` when that cannot answer.
    ///
    /// # Errors
    ///
    /// [`ServeError::DifferentSignatures`] when they do not take or give the same.
    ///
    /// See the type for an example.
    pub fn new(first: A, second: B) -> Result<Self, ServeError> {
        if first.describe().signature != second.describe().signature {
            return Err(ServeError::DifferentSignatures {
                name: "1".to_owned(),
            });
        }
        Ok(Self {
            first,
            second,
            when: ServeError::is_retryable,
        })
    }
}

impl Fallback<BoxService, BoxService> {
    /// A chain of any length: each is asked when those before it cannot answer.
    ///
    /// # Errors
    ///
    /// [`ServeError::EmptyPool`] without services, and as [`new`](Self::new).
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[2]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = || FnModel::new(signature.clone(), |_, _| Ok::<(), Error>(()));
    /// use maas_service::{BoxService, Fallback, LocalModel, Replicas, Service};
    ///
    /// let large = BoxService::new(Replicas::of(model(), 2));
    /// let small = BoxService::new(LocalModel::new(model()));
    /// let service = Fallback::chain([large, small])?;
    /// assert!(service.ready().is_ready());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn chain(services: impl IntoIterator<Item = BoxService>) -> Result<BoxService, ServeError> {
        let services: Vec<BoxService> = services.into_iter().collect();
        let mut backwards = services.into_iter().enumerate().rev();
        let (_, last) = backwards.next().ok_or(ServeError::EmptyPool)?;
        backwards.try_fold(last, |rest, (index, service)| {
            match Fallback::new(service, rest) {
                Ok(both) => Ok(BoxService::new(both)),
                Err(_) => Err(ServeError::DifferentSignatures {
                    name: (index + 1).to_string(),
                }),
            }
        })
    }
}

impl<A: Service, B: Service, F: Fn(&ServeError) -> bool + Send + Sync> Fallback<A, B, F> {
    /// Asks the second service for those errors of the first for which `when` says so, in place of the retryable ones.
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[2]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = || FnModel::new(signature.clone(), |_, _| Ok::<(), Error>(()));
    /// use maas_service::{ErrorKind, Fallback, LocalModel, ServeError};
    ///
    /// let service = Fallback::new(LocalModel::new(model()), LocalModel::new(model()))?
    ///     .when(|error: &ServeError| error.is_retryable() || error.kind() == ErrorKind::Internal);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn when<G: Fn(&ServeError) -> bool + Send + Sync>(self, when: G) -> Fallback<A, B, G> {
        let Self { first, second, .. } = self;
        Fallback {
            first,
            second,
            when,
        }
    }
}

const PARAMETER: &str = "fallback";

/// Says that so many services were passed over, beside those that the response knows of.
fn passed_over(mut response: InferResponse, services: u64) -> InferResponse {
    let before = response.parameters.get(PARAMETER);
    let before = before.and_then(Parameter::as_u64).unwrap_or(0);
    response
        .parameters
        .set(PARAMETER, before.saturating_add(services));
    response
}

impl<A: Service, B: Service, F: Fn(&ServeError) -> bool + Send + Sync> Service
    for Fallback<A, B, F>
{
    async fn infer(&self, request: InferRequest) -> Result<InferResponse, ServeError> {
        match self.first.infer(request.clone()).await {
            Err(error) if (self.when)(&error) => {
                let answer = self.second.infer(request).await;
                answer.map(|response| passed_over(response, 1))
            }
            answer => answer.map(|response| passed_over(response, 0)),
        }
    }

    fn answers(&self, request: InferRequest) -> impl Stream<Item = Piece> + Send {
        generate(async move |out| {
            {
                let mut pieces = pin!(self.first.answers(request.clone()));
                let mut piece = next(&mut pieces).await;
                if !matches!(&piece, Some(Err(error)) if (self.when)(error)) {
                    while let Some(answer) = piece {
                        let answer = answer.map(|response| passed_over(response, 0));
                        out.give(answer).await;
                        piece = next(&mut pieces).await;
                    }
                    return;
                }
            }
            let mut pieces = pin!(self.second.answers(request));
            while let Some(piece) = next(&mut pieces).await {
                out.give(piece.map(|response| passed_over(response, 1)))
                    .await;
            }
        })
    }

    fn describe(&self) -> Arc<Description> {
        self.first.describe()
    }

    /// Ready as soon as one of them is.
    fn ready(&self) -> Readiness {
        match self.first.ready() {
            Readiness::Ready => Readiness::Ready,
            first => match self.second.ready() {
                Readiness::Ready => Readiness::Ready,
                _ => first,
            },
        }
    }

    /// The load of the first, with what the second has to do.
    fn load(&self) -> Load {
        let mut load = self.first.load();
        load.in_flight = load.in_flight.saturating_add(self.second.load().in_flight);
        load
    }

    /// The first's.
    fn report(&self) -> Report {
        self.first.report()
    }
}

impl<A: fmt::Debug, B: fmt::Debug, F> fmt::Debug for Fallback<A, B, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fallback")
            .field("first", &self.first)
            .field("second", &self.second)
            .finish_non_exhaustive()
    }
}
