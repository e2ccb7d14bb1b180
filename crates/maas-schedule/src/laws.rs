//! What every policy has to keep.

use std::fmt;
use std::thread;
use std::time::Duration;

use crate::{Candidate, Candidates, Error, Moment, Policy, Prepared};

/// Runs every law that a policy has to keep, for tests of a [`Policy`] of your own; `make` makes a fresh one.
///
/// The laws are those of [`Law`]. A panic of the policy goes through.
///
/// ```
/// use maas_schedule::laws::{Law, check_policy};
/// use maas_schedule::{Error, FnPolicy, RoundRobin};
///
/// check_policy(RoundRobin::default)?;
///
/// let first = || FnPolicy::new(|members, _now| (!members.is_empty()).then_some(0));
/// let error = check_policy(first).unwrap_err();
/// assert!(matches!(error, Error::BrokenLaw { law: Law::PicksWhoIsThere, .. }));
/// # Ok::<(), Error>(())
/// ```
///
/// # Errors
/// [`Error::BrokenLaw`] names the first law that is broken.
pub fn check_policy<P: Policy>(make: impl Fn() -> P) -> Result<(), Error> {
    for (law, holds) in LAWS {
        let policy = make();
        if !holds(&policy) {
            return Err(Error::BrokenLaw {
                policy: format!("{policy:?}"),
                law: *law,
            });
        }
    }
    Ok(())
}

/// What a policy has to keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Law {
    /// Of no members it picks none.
    NobodyThere,
    /// A pick, with a key or without, is an available member; none is picked exactly when none is available.
    PicksWhoIsThere,
    /// Members may come and vanish between picks.
    Churn,
    /// Loads, weights and moments may be as large as can be written, or make no sense.
    Extremes,
    /// Where some members weigh nothing, somebody who is available is picked; where all do, none or somebody who is.
    NoWeight,
    /// What [`Policy::prepare`] makes for members keeps the laws for them.
    Prepared,
    /// Threads may share it, while members change their minds.
    Threads,
}

impl fmt::Display for Law {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NobodyThere => "of no members none is picked",
            Self::PicksWhoIsThere => "an available member is picked, if there is one",
            Self::Churn => "members may come and vanish between picks",
            Self::Extremes => "any loads, weights and moments are taken",
            Self::NoWeight => "members may weigh nothing",
            Self::Prepared => "what is prepared for members keeps the laws for them",
            Self::Threads => "threads may share it",
        })
    }
}

/// Whether a policy keeps a law.
type Check = fn(&dyn Policy) -> bool;

const LAWS: &[(Law, Check)] = &[
    (Law::NobodyThere, |policy| is_right(policy, &[])),
    (Law::PicksWhoIsThere, |policy| {
        patterns(5).all(|members| are_right(policy, &members))
    }),
    (Law::Churn, |policy| {
        [3, 1, 40, 0, 17, 2, 40, 1]
            .iter()
            .all(|&count| are_right(policy, &mixed(count)))
    }),
    (Law::Extremes, extremes),
    (Law::NoWeight, no_weight),
    (Law::Prepared, prepared),
    (Law::Threads, threads),
];

/// Picks that follow each other.
const PICKS: u64 = 130;

fn are_right(policy: &dyn Policy, members: &[Candidate]) -> bool {
    (0..PICKS).all(|_| is_right(policy, members))
}

/// Whether a pick with a key and one without are right.
fn is_right(policy: &dyn Policy, members: &[Candidate]) -> bool {
    let candidates = members.to_vec();
    let is_right = |pick: Option<usize>| match pick {
        Some(pick) => pick < members.len() && members[pick].is_available(),
        None => !members.iter().any(Candidate::is_available),
    };
    is_right(policy.pick(&candidates, Moment::ZERO))
        && is_right(policy.pick_for(7, &candidates, Moment::ZERO))
}

/// All ways in which up to `most` members may be available.
fn patterns(most: u32) -> impl Iterator<Item = Vec<Candidate>> {
    (1..=most).flat_map(|count| {
        (0_u32..1 << count).map(move |up| {
            let member = |index| match up >> index & 1 {
                1 => Candidate::busy(index as usize),
                _ => Candidate::idle().unavailable(),
            };
            (0..count).map(member).collect()
        })
    })
}

/// Members of which a third is unavailable, with all kinds of loads.
fn mixed(count: usize) -> Vec<Candidate> {
    let member = |index: usize| {
        let busy = Candidate::busy(index * 7 % 5).weighing(1 + index as u32 % 4);
        match index % 3 {
            0 => busy,
            1 => busy.unavailable(),
            _ => busy.known(Duration::from_millis(index as u64), 0.5),
        }
    };
    (0..count).map(member).collect()
}

fn extremes(policy: &dyn Policy) -> bool {
    let most = Candidate::busy(usize::MAX).weighing(u32::MAX);
    let times = [Duration::ZERO, Duration::MAX];
    let fractions = [0.0, 1.0, -1.0, f32::NAN, f32::INFINITY];
    let mut members = vec![
        most,
        Candidate::idle(),
        Candidate::idle().weighing(u32::MAX),
    ];
    for time in times {
        members.extend(fractions.map(|success| most.known(time, success)));
    }
    let alone = members.iter().all(|&member| are_right(policy, &[member]));
    let last = Moment::from_nanos(u64::MAX);
    let pick = policy.pick(&members, last);
    alone && are_right(policy, &members) && pick.is_some_and(|pick| pick < members.len())
}

fn no_weight(policy: &dyn Policy) -> bool {
    let nothing = Candidate::idle().weighing(0);
    let some = [
        nothing,
        Candidate::idle().unavailable(),
        Candidate::idle(),
        nothing,
    ];
    let none = [nothing, Candidate::idle().unavailable()];
    let none_is_right = (0..PICKS).all(|_| {
        let pick = policy.pick(&none, Moment::ZERO);
        pick.is_none_or(|pick| pick == 0)
    });
    none_is_right && are_right(policy, &some)
}

fn prepared(policy: &dyn Policy) -> bool {
    let mut before = Vec::new();
    let mut current: Option<Prepared> = None;
    for count in [4, 5, 1, 0, 2, 0, 40, 3] {
        let after = mixed(count);
        let next = current_of(current.as_ref(), policy).prepare(&before, &after);
        current = next.or_else(|| if count == 0 { None } else { current.take() });
        if !are_right(current_of(current.as_ref(), policy), &after) {
            return false;
        }
        before = after;
    }
    true
}

fn current_of<'a>(prepared: Option<&'a Prepared>, policy: &'a dyn Policy) -> &'a dyn Policy {
    prepared.map_or(policy, |prepared| prepared)
}

/// Members each of which is available at any time with an even chance, but the last one, which always is.
struct Fickle(std::sync::atomic::AtomicUsize);

impl Candidates for Fickle {
    fn len(&self) -> usize {
        4
    }

    fn get(&self, index: usize) -> Candidate {
        let looks = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let candidate = Candidate::busy(looks % 3);
        if index == 3 || crate::random::mix(looks as u64).is_multiple_of(2) {
            candidate
        } else {
            candidate.unavailable()
        }
    }
}

fn threads(policy: &dyn Policy) -> bool {
    let fickle = Fickle(std::sync::atomic::AtomicUsize::new(0));
    let steady = mixed(9);
    let run = || {
        (0..PICKS * 10).all(|key| {
            let picks = [
                policy.pick(&fickle, Moment::from_nanos(key)),
                policy.pick_for(key, &fickle, Moment::from_nanos(key)),
            ];
            picks.iter().all(|pick| pick.is_some_and(|pick| pick < 4)) && is_right(policy, &steady)
        })
    };
    thread::scope(|scope| {
        let runs: Vec<_> = (0..4).map(|_| scope.spawn(run)).collect();
        // A panic of the policy goes through.
        runs.into_iter().all(|run| {
            run.join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    })
}
