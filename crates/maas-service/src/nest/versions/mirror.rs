//! The shadow at work: which requests are copied, and what becomes of a copy.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_channel::oneshot;
use maas_schedule::ConcurrencyLimit;

use super::shadow::{Compared, Shadow};
use super::table::Version;
use super::worker::Spawn;
use crate::{InferRequest, InferResponse, Service};

pub(super) struct Mirror<S> {
    pub(super) version: Arc<Version<S>>,
    shadow: Shadow,
    requests: AtomicU64,
    limit: Arc<ConcurrencyLimit>,
}

/// Where the caller's answer is told to, where somebody compares.
pub(super) type Told = oneshot::Sender<InferResponse>;

impl<S: Service + 'static> Mirror<S> {
    pub(super) fn new(version: Arc<Version<S>>, shadow: Shadow) -> Self {
        Self {
            version,
            limit: Arc::new(ConcurrencyLimit::new(shadow.at_most)),
            shadow,
            requests: AtomicU64::new(0),
        }
    }

    /// The same for another service of the version.
    pub(super) fn of(&self, version: Arc<Version<S>>) -> Self {
        Self::new(version, self.shadow.clone())
    }

    /// Gives the shadow a copy of the request, if it is its turn and there is room.
    pub(super) fn copy(&self, request: &InferRequest, spawn: &Spawn) -> Option<Told> {
        if !self.turn() {
            return None;
        }
        let permit = self.limit.acquire_owned()?;
        let version = Arc::clone(&self.version);
        let request = request.clone();
        let (tell, told) = oneshot::channel();
        let compare = self.shadow.compare.clone();
        let compares = compare.is_some();
        let run = async move {
            let _permit = permit;
            let _in_flight = version.in_flight.enter();
            let copy = request.clone();
            let shadow = version.service.infer(copy).await;
            if let Some(compare) = compare
                && let Ok(answer) = told.await
            {
                compare(&Compared {
                    request,
                    answer,
                    shadow,
                });
            }
        };
        // What goes wrong with a spawner of one's own is no matter of the caller's.
        let _ = catch_unwind(AssertUnwindSafe(|| spawn(Box::pin(run))));
        compares.then_some(tell)
    }

    /// Whether the share of the requests so far has grown by a whole one.
    fn turn(&self) -> bool {
        let before = self.requests.fetch_add(1, Ordering::Relaxed);
        let copies = |requests: u64| (requests as f64 * self.shadow.share).floor();
        copies(before + 1) > copies(before)
    }
}
