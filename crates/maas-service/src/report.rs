use maas_schedule::{MemberStatus, QueueStats};

use crate::Readiness;

/// What a service tells its operators of its insides.
///
/// ```
/// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
/// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[1]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
/// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
/// use maas_service::{Replicas, Service};
///
/// let report = Replicas::of(model, 2).report();
/// assert_eq!(report.members[1].status.name, "1");
/// assert!(report.members[1].readiness.is_ready());
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Report {
    /// What its queue counted, where it has one.
    pub queue: Option<QueueStats>,
    /// Who is in it, where it is a pool.
    pub members: Vec<MemberReport>,
}

/// A member of a pool.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct MemberReport {
    /// How the pool sees it.
    pub status: MemberStatus,
    /// Whether it takes requests itself.
    pub readiness: Readiness,
    /// What it tells of itself.
    pub report: Report,
}
