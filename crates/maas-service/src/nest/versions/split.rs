use std::sync::Arc;

use maas_schedule::{ConsistentHash, Policy, WeightedRoundRobin};

use super::table::hash;
use crate::InferRequest;

/// How requests that ask for no version are divided, by the versions' weights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Split {
    /// Each request by itself: every version gets its share, give or take one request, never in bursts.
    #[default]
    Even,
    /// All requests of a tenant to one version; those without a tenant are drawn.
    ByTenant,
    /// All requests of one id to one version; those without an id are drawn.
    ById,
}

impl Split {
    pub(super) fn policy(self) -> Arc<dyn Policy> {
        match self {
            Self::Even => Arc::new(WeightedRoundRobin::new()),
            // A bound on loads would send a tenant elsewhere when it is busy.
            Self::ByTenant | Self::ById => Arc::new(ConsistentHash::new().bound(f64::INFINITY)),
        }
    }

    pub(super) fn key(self, request: &InferRequest) -> Option<u64> {
        match self {
            Self::Even => None,
            Self::ByTenant => request.tenant.as_deref().map(hash),
            Self::ById => request.id.as_deref().map(hash),
        }
    }
}
