use std::num::NonZeroUsize;
use std::sync::Arc;

use maas_core::Model;
use maas_schedule::{Clock, Policy, RoundRobin};

use crate::{
    Balanced, Description, InferRequest, InferResponse, Load, LocalModel, Readiness, ServeError,
    Service,
};

/// Workers that share one model and take turns; each can be stopped and brought back while requests come in.
///
/// The model is shared, not copied: a replica is a thread, a queue and a scratch.
///
/// ```
/// use maas_core::{DType, FnModel, Outputs, Signature, TensorSpec, TensorView};
/// use maas_schedule::RoundRobin;
/// use maas_service::{Replicas, Service};
///
/// let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[1]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
/// let identity = FnModel::new(signature, |inputs: &[TensorView<'_>], outputs: &mut Outputs<'_>| {
///     outputs.copy(0, &inputs[0])
/// });
/// let pool = Replicas::of(identity, 3).balanced_by(RoundRobin::default());
///
/// pool.kill(1)?;
/// for _ in 0..6 {
///     pool.predict(ndarray::array![[1.0]].view())?;
/// }
/// assert_eq!([pool.served(0), pool.served(1), pool.served(2)], [Some(3), Some(0), Some(3)]);
/// pool.restart(1)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Replicas<P = RoundRobin>(Balanced<LocalModel, P>);

impl Replicas {
    /// `replicas` workers for `model`, asked in turn. Without any, each request ends in [`ServeError::NoneReady`].
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # use maas_service::Replicas;
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[2]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
    /// assert_eq!(Replicas::of(model, 3).len(), 3);
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    #[must_use]
    pub fn of(model: impl Model, replicas: usize) -> Self {
        let description = Arc::new(Description::of(&model));
        let model: Arc<dyn Model> = Arc::new(model);
        let replica = |_| LocalModel::sharing(Arc::clone(&model), Arc::clone(&description));
        Self(Balanced::described(
            (0..replicas).map(replica).collect(),
            Arc::clone(&description),
        ))
    }
}

impl<P: Policy> Replicas<P> {
    /// Has `policy` pick who serves; [`RoundRobin`] does by default.
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # use maas_service::Replicas;
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[2]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
    /// use maas_schedule::{FnPolicy, RoundRobin};
    /// let pool = Replicas::of(model, 3).balanced_by(RoundRobin::new(3));
    /// let pool = pool.balanced_by(FnPolicy::new(|members, _| (0..members.len()).find(|&i| members.get(i).is_available())));
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    #[must_use]
    pub fn balanced_by<Q: Policy>(self, policy: Q) -> Replicas<Q> {
        Replicas(self.0.balanced_by(policy))
    }

    /// Has `clock` tell the policy the time.
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # use maas_service::Replicas;
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[2]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
    /// let pool = Replicas::of(model, 3).clock(maas_schedule::ManualClock::new());
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    #[must_use]
    pub fn clock(self, clock: impl Clock + 'static) -> Self {
        Self(self.0.clock(clock))
    }

    /// How many requests may wait at each replica; see [`LocalModel::queue`].
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # use maas_service::Replicas;
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[2]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
    /// let pool = Replicas::of(model, 3).queue(64);
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    #[must_use]
    pub fn queue(self, requests: usize) -> Self {
        Self(self.0.map_members(|replica| replica.queue(requests)))
    }

    /// How many rows a request may have; see [`LocalModel::max_rows`].
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # use maas_service::Replicas;
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[2]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
    /// let pool = Replicas::of(model, 3).max_rows(1024);
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    #[must_use]
    pub fn max_rows(self, rows: usize) -> Self {
        Self(self.0.map_members(|replica| replica.max_rows(rows)))
    }

    /// How many threads the model may use for one request, at each replica.
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # use maas_service::Replicas;
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[2]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
    /// let pool = Replicas::of(model, 3).threads(std::num::NonZeroUsize::MIN);
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    #[must_use]
    pub fn threads(self, threads: NonZeroUsize) -> Self {
        Self(self.0.map_members(|replica| replica.threads(threads)))
    }

    /// Stops a replica at once. Requests that it held go to another, or come back as an error when there is none.
    ///
    /// # Errors
    ///
    /// [`ServeError::UnknownReplica`] for an index that is too large.
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # use maas_service::{Replicas, Service};
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[2]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
    /// let pool = Replicas::of(model, 1);
    /// pool.kill(0)?;
    /// assert!(!pool.ready().is_ready());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn kill(&self, index: usize) -> Result<(), ServeError> {
        self.replica(index)?.kill();
        Ok(())
    }

    /// Brings a replica back, with a new worker and a new scratch.
    ///
    /// # Errors
    ///
    /// [`ServeError::UnknownReplica`] for an index that is too large.
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # use maas_service::{Replicas, Service};
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[2]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
    /// let pool = Replicas::of(model, 1);
    /// pool.kill(0)?;
    /// pool.restart(0)?;
    /// assert!(pool.ready().is_ready());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn restart(&self, index: usize) -> Result<(), ServeError> {
        self.replica(index)?.restart();
        Ok(())
    }

    /// The replica `index`.
    ///
    /// # Errors
    ///
    /// [`ServeError::UnknownReplica`] for an index that is too large.
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # use maas_service::{Replicas, ServeError};
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[2]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
    /// let pool = Replicas::of(model, 3);
    /// assert!(matches!(pool.replica(3), Err(ServeError::UnknownReplica { index: 3, members: 3 })));
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    pub fn replica(&self, index: usize) -> Result<&LocalModel, ServeError> {
        self.0.member(index).ok_or(ServeError::UnknownReplica {
            index,
            members: self.len(),
        })
    }

    /// How many replicas there are, stopped ones included.
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # use maas_service::Replicas;
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[2]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
    /// assert_eq!(Replicas::of(model, 2).len(), 2);
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no replicas.
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # use maas_service::Replicas;
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[2]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
    /// assert!(Replicas::of(model, 0).is_empty());
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Requests that the replica `index` has and has not answered; `None` for an index that is too large.
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # use maas_service::Replicas;
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[2]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
    /// assert_eq!(Replicas::of(model, 2).in_flight(0), Some(0));
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    #[must_use]
    pub fn in_flight(&self, index: usize) -> Option<usize> {
        self.0.in_flight(index)
    }

    /// Requests that the replica `index` has answered without error; `None` for an index that is too large.
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # use maas_service::Replicas;
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[2]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
    /// assert_eq!(Replicas::of(model, 2).served(1), Some(0));
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    #[must_use]
    pub fn served(&self, index: usize) -> Option<u64> {
        self.0.served(index)
    }
}

impl<P: Policy> Service for Replicas<P> {
    async fn infer(&self, request: InferRequest) -> Result<InferResponse, ServeError> {
        self.0.infer(request).await
    }

    fn describe(&self) -> Arc<Description> {
        self.0.describe()
    }

    fn ready(&self) -> Readiness {
        self.0.ready()
    }

    fn load(&self) -> Load {
        self.0.load()
    }
}
