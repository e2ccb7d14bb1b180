use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use maas_schedule::{Candidate, Candidates, Clock, InFlight, Policy, RoundRobin, SystemClock};

use crate::{Description, InferRequest, InferResponse, Load, Readiness, ServeError, Service};

/// Services that take turns: a policy picks who serves a request, and another one is asked when that one cannot.
///
/// A request is tried at most once on each member. An error that another member would give as well (a wrong shape, a
/// model that fails) comes back at once. The response's `replica` says which member answered.
///
/// ```
/// # use maas_core::{DType, Error, FnModel, Outputs, Signature, TensorSpec, TensorView};
/// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[1]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
/// # let model = || FnModel::new(signature.clone(), |inputs: &[TensorView<'_>], outputs: &mut Outputs<'_>| {
/// #     outputs.copy(0, &inputs[0])
/// # });
/// use maas_schedule::RoundRobin;
/// use maas_service::{Balanced, LocalModel, Service};
///
/// let pool = Balanced::over([LocalModel::new(model()), LocalModel::new(model())])?.balanced_by(RoundRobin::default());
/// pool.predict(ndarray::array![[1.0]].view())?;
/// pool.predict(ndarray::array![[2.0]].view())?;
/// assert_eq!([pool.served(0), pool.served(1)], [Some(1), Some(1)]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Balanced<S, P = RoundRobin> {
    members: Vec<Member<S>>,
    policy: P,
    clock: Arc<dyn Clock>,
    description: Arc<Description>,
}

#[derive(Debug)]
struct Member<S> {
    service: S,
    in_flight: InFlight,
    served: AtomicU64,
}

impl<S: Service> Balanced<S> {
    /// A pool of these services, asked in turn.
    ///
    /// # Errors
    ///
    /// [`ServeError::EmptyPool`] without services, [`ServeError::DifferentSignatures`] when they are not of one model.
    ///
    /// ```
    /// use maas_service::{Balanced, LocalModel, ServeError};
    /// assert!(matches!(Balanced::<LocalModel>::over([]), Err(ServeError::EmptyPool)));
    /// ```
    pub fn over(services: impl IntoIterator<Item = S>) -> Result<Self, ServeError> {
        let services: Vec<S> = services.into_iter().collect();
        let description = services.first().ok_or(ServeError::EmptyPool)?.describe();
        let differs = |service: &S| service.describe().signature != description.signature;
        if let Some(index) = services.iter().position(differs) {
            return Err(ServeError::DifferentSignatures { index });
        }
        Ok(Self::described(services, description))
    }

    pub(crate) fn described(services: Vec<S>, description: Arc<Description>) -> Self {
        let member = |service| Member {
            service,
            in_flight: InFlight::new(),
            served: AtomicU64::new(0),
        };
        Self {
            members: services.into_iter().map(member).collect(),
            policy: RoundRobin::default(),
            clock: Arc::new(SystemClock),
            description,
        }
    }
}

impl<S: Service, P: Policy> Balanced<S, P> {
    /// Has `policy` pick who serves.
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # use maas_service::{Balanced, LocalModel, ServeError};
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[2]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
    /// use maas_schedule::FnPolicy;
    ///
    /// let always_first = FnPolicy::new(|members, _now| (0..members.len()).find(|&i| members.get(i).is_available()));
    /// let pool = Balanced::over([LocalModel::new(model)])?.balanced_by(always_first);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn balanced_by<Q: Policy>(self, policy: Q) -> Balanced<S, Q> {
        let Self {
            members,
            clock,
            description,
            ..
        } = self;
        Balanced {
            members,
            policy,
            clock,
            description,
        }
    }

    /// Has `clock` tell the policy the time.
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # use maas_service::{Balanced, LocalModel, ServeError};
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[2]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
    /// use maas_schedule::ManualClock;
    ///
    /// let pool = Balanced::over([LocalModel::new(model)])?.clock(ManualClock::new());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// How many members there are.
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # use maas_service::{Balanced, LocalModel, ServeError};
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[2]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
    /// assert_eq!(Balanced::over([LocalModel::new(model)])?.len(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there are no members.
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # use maas_service::{Balanced, LocalModel, ServeError};
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[2]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
    /// assert!(!Balanced::over([LocalModel::new(model)])?.is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The member `index`.
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # use maas_service::{Balanced, LocalModel, ServeError};
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[2]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
    /// let pool = Balanced::over([LocalModel::new(model)])?;
    /// assert!(pool.member(0).is_some() && pool.member(1).is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn member(&self, index: usize) -> Option<&S> {
        Some(&self.members.get(index)?.service)
    }

    /// Requests that the member `index` has and has not answered.
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # use maas_service::{Balanced, LocalModel, ServeError};
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[2]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
    /// assert_eq!(Balanced::over([LocalModel::new(model)])?.in_flight(0), Some(0));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn in_flight(&self, index: usize) -> Option<usize> {
        Some(self.members.get(index)?.in_flight())
    }

    /// Requests of this pool that the member `index` has answered without error.
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # use maas_service::{Balanced, LocalModel, ServeError};
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[2]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
    /// assert_eq!(Balanced::over([LocalModel::new(model)])?.served(0), Some(0));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn served(&self, index: usize) -> Option<u64> {
        Some(self.members.get(index)?.served.load(Ordering::Relaxed))
    }

    /// A member that was not tried yet.
    fn pick(&self, tried: &[usize]) -> Option<(usize, &Member<S>)> {
        let untried = Untried {
            members: &self.members,
            tried,
        };
        let index = self.policy.pick(&untried, self.clock.now())?;
        Some((index, self.members.get(index)?))
    }

    pub(crate) fn map_members(self, map: impl Fn(S) -> S) -> Self {
        let member = |member: Member<S>| Member {
            service: map(member.service),
            ..member
        };
        Self {
            members: self.members.into_iter().map(member).collect(),
            ..self
        }
    }
}

impl<S: Service, P: Policy> Service for Balanced<S, P> {
    async fn infer(&self, request: InferRequest) -> Result<InferResponse, ServeError> {
        let mut tried = Vec::new();
        let mut last = ServeError::NoneReady {
            members: self.members.len(),
        };
        while tried.len() < self.members.len() {
            let Some((index, member)) = self.pick(&tried) else {
                break;
            };
            let guard = member.in_flight.enter();
            let result = member.service.infer(request.clone()).await;
            drop(guard);
            match result {
                Ok(mut response) => {
                    member.served.fetch_add(1, Ordering::Relaxed);
                    response.replica = Some(index.to_string().into());
                    return Ok(response);
                }
                Err(error) if error.is_retryable() => last = error,
                Err(error) => return Err(error),
            }
            tried.push(index);
        }
        Err(last)
    }

    fn describe(&self) -> Arc<Description> {
        Arc::clone(&self.description)
    }

    /// Ready as soon as one member is.
    fn ready(&self) -> Readiness {
        let mut all = self.members.iter().map(|member| member.service.ready());
        all.find(|readiness| readiness.is_ready())
            .unwrap_or(Readiness::Down)
    }

    fn load(&self) -> Load {
        Load::of(self.members.iter().map(Member::in_flight).sum())
    }
}

impl<S: Service> Member<S> {
    /// What the member says of itself, or what it was given, whichever is more.
    fn in_flight(&self) -> usize {
        self.in_flight.count().max(self.service.load().in_flight)
    }
}

/// The members of a pool as a policy sees them for one request.
struct Untried<'a, S> {
    members: &'a [Member<S>],
    tried: &'a [usize],
}

impl<S: Service> Candidates for Untried<'_, S> {
    fn len(&self) -> usize {
        self.members.len()
    }

    fn get(&self, index: usize) -> Candidate {
        let member = &self.members[index];
        let candidate = Candidate::busy(member.in_flight());
        if self.tried.contains(&index) || !member.service.ready().is_ready() {
            candidate.unavailable()
        } else {
            candidate
        }
    }
}
