use std::sync::Arc;

use maas_schedule::{Emptied, Policy, Retries, RoundRobin};

use crate::{
    Balanced, Description, InferRequest, InferResponse, Load, LocalModel, Readiness, Report,
    ServeError, Service, Timer,
};

/// Replicas that share one model and take turns; each can be stopped and brought back while requests come in.
///
/// The model is shared, not copied: a replica is a scratch, and where it has workers of its own, threads and a queue.
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
pub struct Replicas<P = RoundRobin> {
    pool: Balanced<Arc<LocalModel>, P>,
    replicas: Vec<Arc<LocalModel>>,
}

impl Replicas {
    /// So many replicas of `model`, or of a [`LocalModel`] that says how each of them runs it, asked in turn. Without any, each
    /// request ends in [`ServeError::NoneReady`].
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
    pub fn of(model: impl Into<LocalModel>, replicas: usize) -> Self {
        let model = model.into();
        Self::from_replicas(
            (0..replicas).map(|_| model.sibling()).collect(),
            model.describe(),
        )
    }

    fn from_replicas(replicas: Vec<LocalModel>, description: Arc<Description>) -> Self {
        let replicas: Vec<_> = replicas.into_iter().map(Arc::new).collect();
        let pool = Balanced::described(description);
        for (index, replica) in replicas.iter().enumerate() {
            let added = pool.add(index.to_string(), Arc::clone(replica));
            debug_assert!(
                added.is_ok(),
                "numbers differ, and siblings have one signature"
            );
        }
        Self { pool, replicas }
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
        Replicas {
            pool: self.pool.balanced_by(policy),
            replicas: self.replicas,
        }
    }

    /// How requests are tried again; see [`Balanced::retrying`].
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # use maas_service::Replicas;
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[2]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
    /// let pool = Replicas::of(model, 3).retrying(maas_schedule::Retries::default().tries(2));
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    #[must_use]
    pub fn retrying(self, retries: Retries) -> Self {
        let pool = self.pool.retrying(retries);
        Self { pool, ..self }
    }

    /// Has `timer` tell the time and wait; see [`Balanced::timer`].
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # use maas_service::Replicas;
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[2]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
    /// let pool = Replicas::of(model, 3).timer(maas_service::ManualTimer::new());
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    #[must_use]
    pub fn timer(self, timer: impl Timer + 'static) -> Self {
        let pool = self.pool.timer(timer);
        Self { pool, ..self }
    }

    /// Takes nothing new and finishes all that was taken; see [`LocalModel::shut_down`].
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # use maas_service::Replicas;
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[2]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
    /// use maas_service::{Readiness, Service};
    /// let pool = Replicas::of(model, 3);
    /// pool.shut_down().into_iter().for_each(|replica| replica.wait());
    /// assert!(!pool.ready().is_ready());
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    pub fn shut_down(&self) -> Vec<Emptied> {
        self.replicas
            .iter()
            .map(|replica| replica.shut_down())
            .collect()
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
        self.replicas
            .get(index)
            .map(|replica| &**replica)
            .ok_or(ServeError::UnknownReplica {
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
        self.replicas.len()
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
        self.replicas.is_empty()
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
        Some(self.replicas.get(index)?.in_flight())
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
        Some(self.replicas.get(index)?.served())
    }
}

impl<P: Policy> Service for Replicas<P> {
    async fn infer(&self, request: InferRequest) -> Result<InferResponse, ServeError> {
        self.pool.infer(request).await
    }

    fn describe(&self) -> Arc<Description> {
        self.pool.describe()
    }

    fn ready(&self) -> Readiness {
        self.pool.ready()
    }

    fn load(&self) -> Load {
        self.pool.load()
    }

    fn report(&self) -> Report {
        self.pool.report()
    }
}
