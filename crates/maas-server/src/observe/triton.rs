//! The same figures under the names that dashboards for Triton know.

use std::time::Duration;

use maas_service::{ErrorKind, Report};

use super::exposition::{Exposition, Kind};
use super::metrics::Figures;
use crate::hub::{Outcome, Read};

pub(super) fn compatible(exposition: &mut Exposition, versions: &[Figures]) {
    let mut counter = |name, help, value: fn(&Read) -> u64| {
        let mut family = exposition.family(name, Kind::Counter, help);
        for of in versions {
            family.sample(&of.labels(), value(&of.read));
        }
    };
    counter(
        "nv_inference_request_success",
        "Requests that were answered.",
        |read| read.succeeded().0,
    );
    counter(
        "nv_inference_count",
        "Rows of requests that were answered.",
        |read| read.rows,
    );
    counter(
        "nv_inference_exec_count",
        "How often the model ran.",
        Read::executions,
    );
    counter(
        "nv_inference_request_duration_us",
        "How long answered requests took together, in microseconds.",
        |read| microseconds(read.succeeded().1),
    );
    counter(
        "nv_inference_queue_duration_us",
        "How long answered requests waited together, in microseconds.",
        |read| microseconds(read.queue.sum),
    );
    counter(
        "nv_inference_compute_infer_duration_us",
        "How long the model ran for answered requests together, in microseconds.",
        |read| microseconds(read.compute.sum),
    );
    failures(exposition, versions);
    let mut family = exposition.family(
        "nv_inference_pending_request_count",
        Kind::Gauge,
        "Requests that wait in queues.",
    );
    for of in versions {
        family.sample(&of.labels(), pending(&of.report));
    }
}

/// In the queues of a service and of its members.
fn pending(report: &Report) -> usize {
    let own = report.queue.as_ref().map_or(0, |queue| queue.queued);
    let members = report.members.iter().map(|member| pending(&member.report));
    own + members.sum::<usize>()
}

fn failures(exposition: &mut Exposition, versions: &[Figures]) {
    let mut family = exposition.family(
        "nv_inference_request_failure",
        Kind::Counter,
        "Requests that were not answered, by the reason.",
    );
    for of in versions {
        let [model, version] = of.labels();
        for reason in ["REJECTED", "CANCELED", "BACKEND", "OTHER"] {
            let ways = of.read.protocols.iter();
            let counts = ways.flat_map(|way| way.counts.iter().zip(Outcome::ALL));
            let of_reason = counts.filter(|(_, (outcome, _))| reason_of(*outcome) == Some(reason));
            let count: u64 = of_reason.map(|(count, _)| count).sum();
            family.sample(&[model, version, ("reason", reason)], count);
        }
    }
}

fn reason_of(outcome: Outcome) -> Option<&'static str> {
    match outcome {
        Outcome::Ok => None,
        Outcome::Cancelled => Some("CANCELED"),
        Outcome::Failed(ErrorKind::Overloaded | ErrorKind::Limited | ErrorKind::Deadline) => {
            Some("REJECTED")
        }
        Outcome::Failed(ErrorKind::Internal) => Some("BACKEND"),
        Outcome::Failed(_) => Some("OTHER"),
    }
}

fn microseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
