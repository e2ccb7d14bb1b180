//! What a pick of a member costs, and picks of what costs least.

use std::time::Duration;

use crate::random::RandomNumbers;
use crate::{Candidate, Candidates};

/// The cost of a member that may be picked; `None` for one that is unavailable or weighs nothing.
#[inline]
pub(super) fn cost_of(candidate: &Candidate, cost: impl FnOnce(&Candidate) -> f64) -> Option<f64> {
    (candidate.is_available() && candidate.weight > 0).then(|| cost(candidate))
}

/// Requests in flight for each unit of weight.
#[inline]
pub(super) fn load(candidate: &Candidate) -> f64 {
    candidate.load.in_flight as f64 / f64::from(candidate.weight)
}

/// How long a request would take until it ends well, in nanoseconds: (in flight + 1) × service time / success / weight.
/// A member of unknown speed is as fast as `unknown`.
#[inline]
pub(super) fn expected_time(candidate: &Candidate, unknown: Duration) -> f64 {
    let (work, rate) = work_and_rate(candidate, unknown);
    work / rate
}

/// Whether the expected time of a member that may be picked is at most `most`.
#[inline]
pub(super) fn is_within(candidate: &Candidate, unknown: Duration, most: f64) -> bool {
    let (work, rate) = work_and_rate(candidate, unknown);
    candidate.is_available() && candidate.weight > 0 && work <= most * rate
}

/// The parts of the expected time.
#[inline]
fn work_and_rate(candidate: &Candidate, unknown: Duration) -> (f64, f64) {
    let load = &candidate.load;
    let service_time = load.service_time.unwrap_or(unknown).max(FASTEST);
    // Written so that a success that is not a number is the least one.
    let success = if load.success > LEAST_SUCCESS {
        load.success.min(1.0)
    } else {
        LEAST_SUCCESS
    };
    let queue = load.in_flight as f64 + 1.0;
    let rate = f64::from(success) * f64::from(candidate.weight);
    (queue * nanos(service_time), rate)
}

/// Without the division that a number of seconds takes; signed, as processors convert that at once.
#[inline]
fn nanos(time: Duration) -> f64 {
    i64::try_from(time.as_nanos()).unwrap_or(i64::MAX) as f64
}

/// The expected times of members beside each other.
pub(super) fn costs(candidates: &dyn Candidates) -> impl Fn(usize) -> Option<f64> {
    let fastest = fastest_known(all(candidates));
    move |member| cost_of(&candidates.get(member), |one| expected_time(one, fastest))
}

/// Of two different members drawn at random, where a request is expected to end sooner; see [`cheaper_of_two`].
#[inline]
pub(super) fn two_choices(
    candidates: &dyn Candidates,
    random: &RandomNumbers,
    band: f64,
) -> Option<usize> {
    let beside = |one: &Candidate, other: &Candidate| {
        expected_time(one, fastest_known([*one, *other].into_iter()))
    };
    cheaper_of_two(candidates, random, beside, band)
}

/// What a member of unknown speed is taken for beside others: as fast as the fastest that is known.
#[inline]
pub(super) fn fastest_known(candidates: impl Iterator<Item = Candidate>) -> Duration {
    candidates
        .filter_map(|candidate| candidate.load.service_time)
        .min()
        .unwrap_or(FASTEST)
}

/// All of them as they are now.
pub(super) fn all(candidates: &dyn Candidates) -> impl Iterator<Item = Candidate> {
    (0..candidates.len()).map(|member| candidates.get(member))
}

/// The cheaper of two different members drawn at random, either where they cost the same but for the factor `band`, or the one
/// of them that may be picked. `None` when neither may.
#[inline]
pub(super) fn cheaper_of_two(
    candidates: &dyn Candidates,
    random: &RandomNumbers,
    cost: impl Fn(&Candidate, &Candidate) -> f64,
    band: f64,
) -> Option<usize> {
    if candidates.len() < 2 {
        return None;
    }
    let (first, second) = random.two_below(candidates.len());
    let (one, other) = (candidates.get(first), candidates.get(second));
    let costs = (
        cost_of(&one, |one| cost(one, &other)),
        cost_of(&other, |other| cost(other, &one)),
    );
    match costs {
        (Some(one), Some(other)) => Some(if other * band < one { second } else { first }),
        (Some(_), None) => Some(first),
        (None, Some(_)) => Some(second),
        (None, None) => None,
    }
}

/// Of `members`, one of those that cost at most `band` times what the cheapest costs: the one whose turn it is, where `turn`
/// says who of so many.
pub(super) fn cheapest(
    members: usize,
    cost: impl Fn(usize) -> Option<f64>,
    band: f64,
    turn: impl FnOnce(usize) -> usize,
) -> Option<usize> {
    let costs = (0..members).filter_map(|member| Some((member, cost(member)?)));
    let (cheapest, least) = costs.reduce(|best, next| if next.1 < best.1 { next } else { best })?;
    let limit = least * band;
    let within = || (0..members).filter(|&member| cost(member).is_some_and(|cost| cost <= limit));
    let ties = within().count();
    if ties < 2 {
        return Some(cheapest);
    }
    // Costs may have changed between the two looks.
    Some(within().nth(turn(ties)).unwrap_or(cheapest))
}

/// Below a nanosecond nothing is measured, and a queue counts at a member that is said to take no time.
const FASTEST: Duration = Duration::from_nanos(1);

const LEAST_SUCCESS: f32 = 1e-6;
