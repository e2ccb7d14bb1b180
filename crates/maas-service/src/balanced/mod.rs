//! Services that share the requests.

mod membership;
mod tries;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use maas_schedule::{
    Balancer, HealthGroup, HealthRules, Policy, ProbeTiming, Repeatable, Retries, RoundRobin,
};

use crate::{
    Description, InferRequest, InferResponse, Load, MemberReport, Readiness, Report, ServeError,
    Service, ThreadTimer, Timer,
};

/// Services that share the requests: a policy picks who serves one, and another is asked when that one cannot.
///
/// Members come and go while others call; round robin goes on with who would have been next. A request is tried at most once
/// on each member and as often as the [`Retries`] allow. An error that another member would give as well (a wrong shape, a
/// model that fails) comes back at once; an answer that does not fit the signature counts as none. A panic of a member is
/// its own. The response's `replica` says who answered.
///
/// ```
/// # use maas_core::{DType, Error, FnModel, Outputs, Signature, TensorSpec, TensorView};
/// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[1]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
/// # let model = || FnModel::new(signature.clone(), |inputs: &[TensorView<'_>], outputs: &mut Outputs<'_>| {
/// #     outputs.copy(0, &inputs[0])
/// # });
/// use maas_schedule::LeastCost;
/// use maas_service::{Balanced, LocalModel, Service};
///
/// let pool = Balanced::named([("a", LocalModel::new(model())), ("b", LocalModel::new(model()))])?;
/// let pool = pool.balanced_by(LeastCost::new());
/// pool.predict(ndarray::array![[1.0]].view())?;
///
/// pool.add("c", LocalModel::new(model()))?;
/// pool.remove("a")?.wait(); // its requests are finished
/// assert_eq!(pool.members().len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Balanced<S, P = RoundRobin> {
    members: Balancer<S, P>,
    description: Arc<Description>,
    retries: Retries,
    repeats: Box<Repeats>,
    key: Option<Box<Key>>,
    timer: Arc<dyn Timer>,
}

type Repeats = dyn Fn(&ServeError) -> bool + Send + Sync;
type Key = dyn Fn(&InferRequest) -> u64 + Send + Sync;

impl<S: Service> Balanced<S> {
    /// A pool of these services, asked in turn, called `0`, `1` and so on.
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
        let numbered = services.into_iter().enumerate();
        Self::named(numbered.map(|(number, service)| (number.to_string(), service)))
    }

    /// A pool of these services under their names, asked in turn.
    ///
    /// # Errors
    ///
    /// Those of [`over`](Self::over), and [`ServeError::Member`] when two have one name.
    ///
    /// See the type for an example.
    pub fn named<N: Into<String>>(
        services: impl IntoIterator<Item = (N, S)>,
    ) -> Result<Self, ServeError> {
        let mut services = services.into_iter();
        let (name, first) = services.next().ok_or(ServeError::EmptyPool)?;
        let pool = Self::described(first.describe());
        pool.add(name, first)?;
        for (name, service) in services {
            pool.add(name, service)?;
        }
        Ok(pool)
    }

    /// A pool of services of this description that has none yet.
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[2]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
    /// use maas_service::{Balanced, LocalModel, Service};
    /// let service = LocalModel::new(model);
    /// let pool = Balanced::described(service.describe());
    /// pool.add("first", service)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn described(description: Arc<Description>) -> Self {
        let timer: Arc<dyn Timer> = Arc::new(ThreadTimer);
        Self {
            members: Balancer::new(RoundRobin::default()).clock(Arc::clone(&timer)),
            description,
            retries: Retries::default(),
            repeats: Box::new(|error| {
                error.is_retryable() || matches!(error, ServeError::Deadline { .. })
            }),
            key: None,
            timer,
        }
    }
}

impl<S: Service, P: Policy> Balanced<S, P> {
    /// Has `policy` pick who serves, in place of round robin.
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
        Balanced {
            members: self.members.balanced_by(policy),
            description: self.description,
            retries: self.retries,
            repeats: self.repeats,
            key: self.key,
            timer: self.timer,
        }
    }

    /// How often, how long and within which budget a request is tried, in place of [`Retries::default`]; also a second time beside
    /// a slow first one.
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # use maas_service::{Balanced, LocalModel, ServeError};
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[2]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
    /// use maas_schedule::{Deadlines, Hedge, Retries};
    /// use std::time::Duration;
    ///
    /// let retries = Retries::default().hedge(Hedge::after(0.95));
    /// let retries = retries.deadlines(Deadlines::none().per_try(Duration::from_millis(200)));
    /// let pool = Balanced::over([LocalModel::new(model)])?.retrying(retries);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn retrying(self, retries: Retries) -> Self {
        Self { retries, ..self }
    }

    /// After which errors another member is asked, in place of those that are [retryable](ServeError::is_retryable) and tries
    /// that took too long.
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # use maas_service::{Balanced, LocalModel, ServeError};
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[2]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
    /// let also_panics = |error: &ServeError| error.is_retryable() || matches!(error, ServeError::Panicked { .. });
    /// let pool = Balanced::over([LocalModel::new(model)])?.retrying_after(also_panics);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn retrying_after(
        self,
        repeats: impl Fn(&ServeError) -> bool + Send + Sync + 'static,
    ) -> Self {
        let repeats = Box::new(repeats);
        Self { repeats, ..self }
    }

    /// Watches the health of the members by these rules: who fails too often is given nothing for a while, and then one request
    /// to begin with. See [`Balancer::watched_by`].
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # use maas_service::{Balanced, LocalModel, ServeError, Service};
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[2]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
    /// use maas_schedule::HealthRules;
    /// let pool = Balanced::over([LocalModel::new(model)])?.watched_by(HealthRules::default());
    /// assert!(pool.members()[0].health.is_some());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn watched_by(self, rules: HealthRules) -> Self {
        self.watched_in(HealthGroup::new(), rules)
    }

    /// As [`watched_by`](Self::watched_by), where this group says what must hold of all members together.
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # use maas_service::{Balanced, LocalModel, ServeError, Service};
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[2]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
    /// use maas_schedule::{HealthGroup, HealthRules};
    /// let group = HealthGroup::new().at_most_ejected(0.5);
    /// let pool = Balanced::over([LocalModel::new(model)])?.watched_in(group, HealthRules::default());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn watched_in(self, group: HealthGroup, rules: HealthRules) -> Self {
        let members = self.members.watched_in(group, rules);
        Self { members, ..self }
    }

    /// When [`probe`](Self::probe) is due, in place of every 10 s for 1 s each.
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # use maas_service::{Balanced, LocalModel, ServeError, Service};
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[2]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
    /// use maas_schedule::{HealthRules, ProbeTiming};
    /// use std::time::Duration;
    /// let pool = Balanced::over([LocalModel::new(model)])?
    ///     .watched_by(HealthRules::default())
    ///     .probed(ProbeTiming::default().interval(Duration::from_secs(1)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn probed(self, timing: ProbeTiming) -> Self {
        let members = self.members.probed(timing);
        Self { members, ..self }
    }

    /// Probes the members that are due, by a closure that says whether one is well, and returns how long it is until the next
    /// one is due. To be called again and again from any thread or timer; see [`Balancer::probe`].
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # use maas_service::{Balanced, LocalModel, ServeError, Service};
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[2]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
    /// use maas_schedule::HealthRules;
    /// let pool = Balanced::over([LocalModel::new(model)])?.watched_by(HealthRules::default());
    /// let pause = pool.probe(|_name, service| service.ready().is_ready());
    /// # assert!(!pause.is_zero());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn probe(&self, probe: impl FnMut(&str, &S) -> bool) -> Duration {
        self.members.probe(probe)
    }

    /// Which requests belong together, for policies that go by keys.
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # use maas_service::{Balanced, LocalModel, ServeError};
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[2]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
    /// use maas_schedule::ConsistentHash;
    /// let pool = Balanced::over([LocalModel::new(model)])?
    ///     .balanced_by(ConsistentHash::new())
    ///     .keyed_by(|request| request.tenant.as_deref().map_or(0, |tenant| tenant.len() as u64));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn keyed_by(self, key: impl Fn(&InferRequest) -> u64 + Send + Sync + 'static) -> Self {
        let key: Option<Box<Key>> = Some(Box::new(key));
        Self { key, ..self }
    }

    /// Has `timer` tell the time and wait.
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # use maas_service::{Balanced, LocalModel, ManualTimer, ServeError};
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[2]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
    /// let pool = Balanced::over([LocalModel::new(model)])?.timer(ManualTimer::new());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn timer(self, timer: impl Timer + 'static) -> Self {
        let timer: Arc<dyn Timer> = Arc::new(timer);
        Self {
            members: self.members.clock(Arc::clone(&timer)),
            timer,
            ..self
        }
    }
}

impl<S: Service, P: Policy> Service for Balanced<S, P> {
    async fn infer(&self, request: InferRequest) -> Result<InferResponse, ServeError> {
        let now = self.timer.now();
        let attempts = self.retries.begin(Repeatable::Always, now);
        if self.retries.has_hedges() {
            self.in_a_race(request, attempts, now).await
        } else {
            self.in_turn(request, attempts, now).await
        }
    }

    fn describe(&self) -> Arc<Description> {
        Arc::clone(&self.description)
    }

    /// Ready as soon as one member is.
    fn ready(&self) -> Readiness {
        let members = self.members.values();
        let any = members.iter().any(|member| member.ready().is_ready());
        if any {
            Readiness::Ready
        } else {
            Readiness::Down
        }
    }

    fn load(&self) -> Load {
        let members = self.members.members();
        Load::of(members.iter().map(|member| member.in_flight).sum())
    }

    fn report(&self) -> Report {
        let members = self.members().into_iter().filter_map(|status| {
            // Whoever left between the two looks is left out.
            let service = self.member(&status.name)?;
            Some(MemberReport {
                status,
                readiness: service.ready(),
                report: service.report(),
            })
        });
        Report {
            queue: None,
            members: members.collect(),
        }
    }
}

impl<S, P: fmt::Debug> fmt::Debug for Balanced<S, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Balanced")
            .field("members", &self.members)
            .field("retries", &self.retries)
            .finish_non_exhaustive()
    }
}
