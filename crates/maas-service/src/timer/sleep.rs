use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::alarm::Asleep;
use super::thread::Threaded;

/// A future that ends at a moment; dropped, it leaves nothing behind.
///
/// Those of a [`ThreadTimer`](crate::ThreadTimer) are in no box; a timer of one's own boxes what it waits for.
///
/// ```
/// use maas_service::Sleep;
/// let over = Sleep::new(std::future::ready(()));
/// pollster::block_on(over);
/// ```
#[must_use = "a sleep passes only while it is awaited"]
pub struct Sleep(Kind);

enum Kind {
    Threaded(Asleep<Threaded>),
    Other(Pin<Box<dyn Future<Output = ()> + Send>>),
}

impl Sleep {
    /// A sleep that ends with this future, for timers of one's own.
    ///
    /// See the type for an example.
    pub fn new(future: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(Kind::Other(Box::pin(future)))
    }

    pub(super) fn threaded(sleep: Asleep<Threaded>) -> Self {
        Self(Kind::Threaded(sleep))
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        match &mut self.0 {
            Kind::Threaded(sleep) => Pin::new(sleep).poll(context),
            Kind::Other(future) => future.as_mut().poll(context),
        }
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleep").finish_non_exhaustive()
    }
}
