//! The health of a balancer's members.

use std::cell::Cell;

use crate::health::Entry;
use crate::random::{RandomNumbers, fraction, mix};
use crate::sync::{Arc, AtomicBool, AtomicU64, Ordering};
use crate::{Clock, Health, HealthGroup, HealthRules, Moment, Outcome, ProbeTiming};

/// What the members of a balancer have in common.
#[derive(Debug)]
pub(super) struct Watch {
    rules: HealthRules,
    pub(super) group: Arc<HealthGroup>,
    /// When members were compared last, in nanoseconds.
    compared: AtomicU64,
    /// Whether the next request has to compare them.
    is_due: AtomicBool,
    draws: RandomNumbers,
}

impl Watch {
    pub(super) fn new(rules: HealthRules, group: HealthGroup) -> Self {
        Self {
            rules,
            group: Arc::new(group),
            compared: AtomicU64::new(0),
            is_due: AtomicBool::new(false),
            draws: RandomNumbers::seeded(0),
        }
    }

    /// Whether members are to be compared now, by whoever asks first.
    #[inline]
    pub(super) fn takes_comparison(&self) -> bool {
        self.is_comparison_due() && self.is_due.swap(false, Ordering::Relaxed)
    }

    #[inline]
    pub(super) fn is_comparison_due(&self) -> bool {
        self.is_due.load(Ordering::Relaxed)
    }

    /// A window of time has passed since members were compared: or the clock was put back, and nobody knows.
    fn note(&self, now: Moment) {
        let last = self.compared.load(Ordering::Relaxed);
        let since = Moment::from_nanos(last);
        if now.since(since) < self.rules.window && now >= since {
            return;
        }
        let claim = self.compared.compare_exchange(
            last,
            now.as_nanos(),
            Ordering::Relaxed,
            Ordering::Relaxed,
        );
        if claim.is_ok() {
            self.is_due.store(true, Ordering::Relaxed);
        }
    }
}

/// The health of one member.
#[derive(Debug)]
pub(super) struct Watched {
    pub(super) health: Health,
    watch: Arc<Watch>,
    /// Begins and ends of trials: odd while one goes on, whose number it is.
    trials: AtomicU64,
    /// When it is probed next, in nanoseconds.
    due: AtomicU64,
    is_probed: AtomicBool,
}

impl Watched {
    pub(super) fn new(watch: &Arc<Watch>) -> Self {
        Self {
            health: Health::in_group(watch.rules, &watch.group),
            watch: Arc::clone(watch),
            trials: AtomicU64::new(0),
            due: AtomicU64::new(0),
            is_probed: AtomicBool::new(false),
        }
    }

    /// As [`new`](Self::new), of who was not there at the start.
    pub(super) fn newcomer(watch: &Arc<Watch>, now: Moment) -> Self {
        let watched = Self::new(watch);
        if watch.rules.newcomers_start_slowly {
            watched.health.start_slowly(now);
        }
        watched
    }

    /// The request that the member was entered by is the one that tries it. Returns the number of the trial.
    pub(super) fn begins_trial(&self) -> u64 {
        self.trials.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// The trial ends without a word, unless it has ended.
    pub(super) fn leave_trial(&self, number: u64) {
        if self.ends_trial(number) {
            self.health.leave_probation();
        }
    }

    /// Whether this trial ends now. As long as it has not, no other one begins.
    fn ends_trial(&self, number: u64) -> bool {
        let order = Ordering::Relaxed;
        let end = self
            .trials
            .compare_exchange(number, number + 1, order, order);
        end.is_ok()
    }

    pub(super) fn record(&self, outcome: Outcome, trial: Option<u64>, now: Moment) {
        let ok = outcome == Outcome::Success;
        if trial.is_some_and(|number| self.ends_trial(number)) {
            self.health.end_probation(ok, now);
        } else {
            self.health.record(ok, now);
        }
        self.watch.note(now);
    }

    pub(super) fn due(&self) -> Moment {
        Moment::from_nanos(self.due.load(Ordering::Relaxed))
    }

    /// Whether a probe begins now, which then has to end, by this caller only. A probe that goes on until the next one is due
    /// has failed.
    pub(super) fn begins_probe(&self, now: Moment, timing: &ProbeTiming) -> bool {
        let due = self.due();
        // Later than in an interval only since a clock was put back.
        if now < due && due.since(now) <= timing.interval {
            return false;
        }
        let next = (now + timing.pause(self.watch.draws.fraction())).as_nanos();
        let (order, due) = (Ordering::Relaxed, due.as_nanos());
        let claim = self.due.compare_exchange(due, next, order, order);
        if claim.is_err() {
            return false;
        }
        let goes_on = self.is_probed.swap(true, Ordering::AcqRel);
        if goes_on {
            self.health.probe_result(false, now);
        }
        !goes_on
    }

    pub(super) fn ends_probe(&self) {
        self.is_probed.store(false, Ordering::Release);
    }
}

/// How one request sees the health of members: always the same as long as it does not change.
#[derive(Debug)]
pub(super) struct Look<'a> {
    watch: &'a Watch,
    clock: &'a dyn Clock,
    now: Cell<Option<Moment>>,
    draw: Cell<Option<u64>>,
    /// Whether members that start slowly are seen as any other.
    is_keen: Cell<bool>,
    /// Whether someone was not seen who starts slowly.
    held_back: Cell<bool>,
}

impl<'a> Look<'a> {
    pub(super) fn new(watch: &'a Watch, clock: &'a dyn Clock) -> Self {
        Self {
            watch,
            clock,
            now: Cell::new(None),
            draw: Cell::new(None),
            is_keen: Cell::new(false),
            held_back: Cell::new(false),
        }
    }

    pub(super) fn keen(self) -> Self {
        self.is_keen.set(true);
        self
    }

    pub(super) fn sees(&self, identity: u64, watched: &Watched) -> bool {
        let share = watched.health.share(|| self.now());
        if share <= 0.0 || share >= 1.0 || self.is_keen.get() {
            return share > 0.0;
        }
        let is_seen = fraction(mix(self.draw() ^ identity)) < f64::from(share);
        if !is_seen {
            self.held_back.set(true);
        }
        is_seen
    }

    pub(super) fn enter(&self, watched: &Watched) -> Entry {
        watched.health.enter(|| self.now())
    }

    /// Whether it sees more now: those that start slowly serve when nobody else does.
    pub(super) fn grows_keen(&self) -> bool {
        self.held_back.get() && !self.is_keen.replace(true)
    }

    fn now(&self) -> Moment {
        lazily(&self.now, || self.clock.now())
    }

    fn draw(&self) -> u64 {
        lazily(&self.draw, || self.watch.draws.next())
    }
}

fn lazily<V: Copy>(known: &Cell<Option<V>>, make: impl FnOnce() -> V) -> V {
    known.get().unwrap_or_else(|| {
        let value = make();
        known.set(Some(value));
        value
    })
}
