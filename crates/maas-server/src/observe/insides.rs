//! The figures of pools and queues, of services that tell.

use maas_schedule::{ClosedCounts, EjectedCounts, HealthState, QueueStats, RefusedCounts};
use maas_service::{MemberReport, Report};

use super::exposition::{Exposition, Kind};
use super::metrics::Figures;

/// A member of a pool, or of a pool in a pool, by the names on the way to it.
struct Member<'a> {
    of: &'a Figures,
    name: String,
    report: &'a MemberReport,
}

/// A queue of a version or of a member.
struct Queue<'a> {
    of: &'a Figures,
    name: String,
    stats: &'a QueueStats,
}

pub(super) fn insides(exposition: &mut Exposition, versions: &[Figures]) {
    let (mut members, mut queues) = (Vec::new(), Vec::new());
    for of in versions {
        collect(of, "", &of.report, &mut members, &mut queues);
    }
    pools(exposition, &members);
    ejections(exposition, &members);
    queued(exposition, &queues);
}

fn collect<'a>(
    of: &'a Figures,
    name: &str,
    report: &'a Report,
    members: &mut Vec<Member<'a>>,
    queues: &mut Vec<Queue<'a>>,
) {
    if let Some(stats) = &report.queue {
        let name = name.to_owned();
        queues.push(Queue { of, name, stats });
    }
    for report in &report.members {
        let between = if name.is_empty() { "" } else { "/" };
        let name = format!("{name}{between}{}", report.status.name);
        collect(of, &name, &report.report, members, queues);
        members.push(Member { of, name, report });
    }
}

fn pools(exposition: &mut Exposition, members: &[Member<'_>]) {
    let mut gauge = |name, help, value: fn(&MemberReport) -> usize| {
        let mut family = exposition.family(name, Kind::Gauge, help);
        for member in members {
            let [model, version] = member.of.labels();
            family.sample(
                &[model, version, ("replica", &member.name)],
                value(member.report),
            );
        }
    };
    gauge(
        "maas_replica_available",
        "Whether a member of a pool is given requests.",
        |member| usize::from(is_available(member)),
    );
    gauge(
        "maas_replica_ejected",
        "Whether a member of a pool gets no requests since those before failed.",
        |member| {
            usize::from(matches!(
                member.status.health,
                Some(HealthState::Ejected { .. })
            ))
        },
    );
    gauge(
        "maas_replica_requests_in_flight",
        "Requests that a member of a pool has.",
        |member| member.status.in_flight,
    );
    let mut family = exposition.family(
        "maas_replica_requests_total",
        Kind::Counter,
        "Requests that a member of a pool has ended.",
    );
    for member in members {
        let [model, version] = member.of.labels();
        let status = &member.report.status;
        for (result, count) in [("ok", status.served), ("failed", status.failed)] {
            let labels = [
                model,
                version,
                ("replica", &member.name),
                ("result", result),
            ];
            family.sample(&labels, count);
        }
    }
}

fn ejections(exposition: &mut Exposition, members: &[Member<'_>]) {
    let mut family = exposition.family(
        "maas_replica_ejections_total",
        Kind::Counter,
        "How often a member of a pool was given no more requests, by what told that it is ill.",
    );
    for member in members {
        let [model, version] = member.of.labels();
        let counts = member.report.status.ejected.iter();
        for (reason, count) in counts.flat_map(ejected) {
            let labels = [
                model,
                version,
                ("replica", &*member.name),
                ("reason", reason),
            ];
            family.sample(&labels, count);
        }
    }
}

pub(super) fn ejected(counts: &EjectedCounts) -> Vec<(&'static str, u64)> {
    vec![
        ("consecutive_failures", counts.consecutive_failures),
        ("failure_share", counts.failure_share),
        ("outlier", counts.outlier),
        ("trial", counts.trial),
        ("probes", counts.probes),
    ]
}

pub(super) fn is_available(member: &MemberReport) -> bool {
    member.status.is_available && member.readiness.is_ready()
}

fn queued(exposition: &mut Exposition, queues: &[Queue<'_>]) {
    let mut gauge = |name, help, value: fn(&QueueStats) -> usize| {
        let mut family = exposition.family(name, Kind::Gauge, help);
        for queue in queues {
            let [model, version] = queue.of.labels();
            family.sample(
                &[model, version, ("replica", &queue.name)],
                value(queue.stats),
            );
        }
    };
    gauge(
        "maas_queue_requests",
        "Requests that wait in a queue.",
        |stats| stats.queued,
    );
    gauge("maas_queue_rows", "Rows that wait in a queue.", |stats| {
        stats.queued_rows
    });
    let mut counter = |name, help, reasons: fn(&QueueStats) -> Vec<(&'static str, u64)>| {
        let mut family = exposition.family(name, Kind::Counter, help);
        for queue in queues {
            let [model, version] = queue.of.labels();
            for (reason, count) in reasons(queue.stats) {
                let labels = [
                    model,
                    version,
                    ("replica", &*queue.name),
                    ("reason", reason),
                ];
                family.sample(&labels, count);
            }
        }
    };
    counter(
        "maas_batches_closed_total",
        "Batches that a queue gave to a worker, by why no more was added.",
        |stats| closed(&stats.closed),
    );
    counter(
        "maas_queue_refused_total",
        "Requests that a queue did not take or gave up, by the reason.",
        |stats| {
            let mut reasons = refused(&stats.refused);
            reasons.extend([("expired", stats.expired), ("cancelled", stats.cancelled)]);
            reasons
        },
    );
}

fn closed(counts: &ClosedCounts) -> Vec<(&'static str, u64)> {
    vec![
        ("full", counts.full),
        ("delay", counts.delay),
        ("worker_free", counts.worker_free),
        ("shape_changed", counts.shape_changed),
        ("closing", counts.closing),
        ("deadline", counts.deadline),
    ]
}

fn refused(counts: &RefusedCounts) -> Vec<(&'static str, u64)> {
    vec![
        ("size", counts.size),
        ("rows", counts.rows),
        ("bytes", counts.bytes),
        ("tenant", counts.tenant),
        ("wait", counts.wait),
        ("deadline", counts.deadline),
        ("closed", counts.closed),
    ]
}
