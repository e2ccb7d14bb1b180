//! Stopping from outside.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Stops training from elsewhere: another thread, a signal, a window that is closed.
///
/// All clones are one handle. A trainer that has it looks at it after every step, which costs a load; training then ends
/// with the network at that step, a history whose [`ending`](crate::History::ending) is
/// [`Ending::StopHandle`](crate::Ending::StopHandle), and a checkpoint, where the trainer writes them, from which
/// [`Trainer::resume`](crate::Trainer::resume) goes on with the same bits.
///
/// ```
/// use maas_core::Seed;
/// use maas_data::Dataset;
/// use maas_nn::{MeanSquaredError, Sequential};
/// use maas_train::{Ending, Event, Progress, Sgd, StopHandle, Trainer};
/// use ndarray::array;
///
/// let data = Dataset::new(array![[1.0], [2.0]].view(), array![[3.0], [5.0]].view())?;
/// let mut network = Sequential::new(data.features()).dense(1).build(Seed(7))?;
/// let stop = StopHandle::new();
/// let trainer = Trainer::new(Sgd::new(0.1), MeanSquaredError)
///     .epochs(1_000_000_000)
///     .progress(Progress::Quiet)
///     .stop(&stop);
/// let history = std::thread::scope(|scope| {
///     let training = scope.spawn(|| trainer.fit(&mut network, &data));
///     stop.stop();
///     training.join().expect("training does not panic")
/// })?;
/// assert_eq!(history.ending, Ending::StopHandle);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct StopHandle(Arc<AtomicBool>);

impl StopHandle {
    /// A handle that has not been used.
    ///
    /// ```
    /// assert!(!maas_train::StopHandle::new().is_stopped());
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The handle that Ctrl-C uses: all calls give the same one. The first Ctrl-C asks runs to end after their step, the
    /// second ends the process, as Ctrl-C does otherwise.
    ///
    /// ```no_run
    /// # use {maas_nn::MeanSquaredError, maas_train::{Adam, Checkpoints, StopHandle, Trainer}};
    /// let trainer = Trainer::new(Adam::new(1e-3), MeanSquaredError)
    ///     .checkpoints(Checkpoints::new("checkpoints"))
    ///     .stop(&StopHandle::ctrl_c()?);
    /// # Ok::<(), maas_train::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::CtrlC`](crate::Error::CtrlC) when something else handles Ctrl-C already, or the system has none.
    #[cfg(feature = "ctrlc")]
    pub fn ctrl_c() -> Result<Self, crate::Error> {
        static HANDLE: std::sync::Mutex<Option<StopHandle>> = std::sync::Mutex::new(None);
        let mut slot = HANDLE
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(handle) = &*slot {
            return Ok(handle.clone());
        }
        let handle = Self::new();
        let asked = handle.clone();
        ctrlc::set_handler(move || {
            if asked.is_stopped() {
                // What a shell reports for a process that an interrupt ended.
                std::process::exit(130);
            }
            asked.stop();
        })
        .map_err(|source| crate::Error::CtrlC(Box::new(source)))?;
        Ok(slot.insert(handle).clone())
    }

    /// Ask every run that has this handle to end after its step. It stays asked for runs to come until
    /// [`clear`](Self::clear).
    ///
    /// ```
    /// let stop = maas_train::StopHandle::new();
    /// stop.clone().stop();
    /// assert!(stop.is_stopped());
    /// ```
    pub fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Let runs go on again.
    ///
    /// ```
    /// let stop = maas_train::StopHandle::new();
    /// stop.stop();
    /// stop.clear();
    /// assert!(!stop.is_stopped());
    /// ```
    pub fn clear(&self) {
        self.0.store(false, Ordering::Relaxed);
    }

    /// Whether runs are asked to end.
    ///
    /// ```
    /// assert!(!maas_train::StopHandle::new().is_stopped());
    /// ```
    #[inline]
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
