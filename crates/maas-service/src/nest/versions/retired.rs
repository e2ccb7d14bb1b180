use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_channel::oneshot;

/// A version that was removed, until the requests that it has are finished and its service is dropped.
///
/// To be waited for by a thread, or awaited by a task; who has no use for the news may drop it.
///
/// See [`Versions::remove`](crate::Versions::remove) for an example.
#[must_use = "says when the version has nothing to do any more; to be dropped if that does not matter"]
pub struct Retired(oneshot::Receiver<()>);

impl Retired {
    /// The channel is never sent to: its sender is dropped.
    pub(super) fn when_gone(receiver: oneshot::Receiver<()>) -> Self {
        Self(receiver)
    }

    /// Whether the service is gone.
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[1]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = || FnModel::new(signature.clone(), |_, _| Ok::<(), Error>(()));
    /// # use maas_service::{LocalModel, Versions};
    /// let wine = Versions::new("wine", "1", LocalModel::new(model()));
    /// wine.add("2", LocalModel::new(model()))?;
    /// assert!(wine.remove("2")?.is_over());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn is_over(&mut self) -> bool {
        self.0.try_recv().map_or(true, |sent| sent.is_some())
    }

    /// Blocks the thread until the service is gone.
    ///
    /// See [`Versions::remove`](crate::Versions::remove) for an example.
    pub fn wait(self) {
        pollster::block_on(self);
    }
}

impl Future for Retired {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.0).poll(context).map(|_| ())
    }
}

impl fmt::Debug for Retired {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Retired").finish_non_exhaustive()
    }
}
