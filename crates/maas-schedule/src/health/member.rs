use std::time::Duration;

use super::ejected::{Ejected, EjectedCounts, Sign};
use super::group::HealthGroup;
use super::probation::{Admission, Probation};
use super::rules::HealthRules;
use super::state::{HealthState, Phase, Probes, State};
use super::window::Window;
use crate::Moment;
use crate::sync::{Arc, AtomicU64, AtomicUsize, Ordering};

/// The health of one member, as its requests and its probes tell it.
///
/// Everything takes `&self`. Asking whether a member that is well [`admits`](Self::admits) a request reads one word.
///
/// | state | how it gets there | what it is given |
/// |---|---|---|
/// | healthy | new | its share |
/// | unhealthy | probes fail | nothing |
/// | ejected | requests fail | nothing, for a time that grows with every ejection |
/// | probation | the time is over | one request |
/// | slow start | that request went well, or probes do again | a share that grows |
///
/// ```
/// use maas_schedule::{Health, HealthRules, Moment};
///
/// let health = Health::new(HealthRules::default());
/// health.record(true, Moment::ZERO);
/// assert!(health.is_available(Moment::ZERO));
/// ```
#[derive(Debug)]
pub struct Health {
    rules: HealthRules,
    group: Option<Arc<HealthGroup>>,
    state: AtomicU64,
    /// Requests that failed since one went well.
    failures: AtomicUsize,
    /// Probes in a row that contradict the state.
    contradictions: AtomicUsize,
    window: Window,
    ejected: Ejected,
}

impl Health {
    /// A healthy member on its own: it may be ejected whatever becomes of others.
    ///
    /// ```
    /// use maas_schedule::{Health, HealthRules, HealthState, Moment};
    /// let health = Health::new(HealthRules::default());
    /// assert_eq!(health.state(Moment::ZERO), HealthState::Healthy);
    /// ```
    #[must_use]
    pub fn new(rules: HealthRules) -> Self {
        Self::with(rules, None)
    }

    /// A healthy member of a group, for as long as it lives.
    ///
    /// ```
    /// use maas_schedule::{Health, HealthGroup, HealthRules};
    /// let group = std::sync::Arc::new(HealthGroup::new());
    /// let health = Health::in_group(HealthRules::default(), &group);
    /// assert_eq!(group.members(), 1);
    /// drop(health);
    /// assert_eq!(group.members(), 0);
    /// ```
    #[must_use]
    pub fn in_group(rules: HealthRules, group: &Arc<HealthGroup>) -> Self {
        group.ejections().join();
        Self::with(rules, Some(Arc::clone(group)))
    }

    /// Whether a request may be given to the member now. A member that is well says yes; the answer of any other may change
    /// its state, so ask when the request is there, and [`is_available`](Self::is_available) before.
    ///
    /// ```
    /// use maas_schedule::{Admission, Health, HealthRules, Moment};
    /// let health = Health::new(HealthRules::default());
    /// assert!(matches!(health.admits(Moment::ZERO), Admission::Yes));
    /// ```
    pub fn admits(&self, now: Moment) -> Admission<&Self> {
        match self.enter(|| now) {
            Entry::Open => Admission::Yes,
            Entry::Trial => Admission::Probation(Probation::of(self)),
            Entry::Closed => Admission::No,
        }
    }

    /// As [`admits`](Self::admits), with a trial that may go to another thread and outlive this borrow.
    ///
    /// ```
    /// use maas_schedule::{Admission, Health, HealthRules, Moment};
    /// let health = std::sync::Arc::new(Health::new(HealthRules::default()));
    /// assert!(matches!(Health::admits_owned(&health, Moment::ZERO), Admission::Yes));
    /// ```
    pub fn admits_owned(
        this: &std::sync::Arc<Self>,
        now: Moment,
    ) -> Admission<std::sync::Arc<Self>> {
        match this.enter(|| now) {
            Entry::Open => Admission::Yes,
            Entry::Trial => Admission::Probation(Probation::of(std::sync::Arc::clone(this))),
            Entry::Closed => Admission::No,
        }
    }

    /// Whether the member would take a request now: for choosing, it takes no trial.
    ///
    /// ```
    /// use maas_schedule::{Health, HealthRules, Moment};
    /// assert!(Health::new(HealthRules::default()).is_available(Moment::ZERO));
    /// ```
    #[must_use]
    pub fn is_available(&self, now: Moment) -> bool {
        let state = self.load();
        state.is_well() || state.is_due(now, &self.rules) || self.is_panicking()
    }

    /// The part of its weight with which the member takes part in choosing, from 0 to 1: grows in a slow start, is the
    /// start's minimum for a trial, and 0 where it takes no request.
    ///
    /// ```
    /// use maas_schedule::{Health, HealthRules, Moment};
    /// assert_eq!(Health::new(HealthRules::default()).weight(Moment::ZERO), 1.0);
    /// ```
    #[must_use]
    pub fn weight(&self, now: Moment) -> f32 {
        let state = self.load();
        if !state.is_well() && !self.is_panicking() && state.is_due(now, &self.rules) {
            self.rules.slow_start.share(Duration::ZERO)
        } else {
            self.share(|| now)
        }
    }

    /// Counts how a request ended, other than one on probation.
    ///
    /// ```
    /// use maas_schedule::{Health, HealthRules, HealthState, Moment};
    /// let health = Health::new(HealthRules::default().consecutive_failures(2));
    /// health.record(false, Moment::ZERO);
    /// assert_eq!(health.state(Moment::ZERO), HealthState::Healthy);
    /// health.record(false, Moment::ZERO);
    /// assert!(matches!(health.state(Moment::ZERO), HealthState::Ejected { .. }));
    /// ```
    pub fn record(&self, ok: bool, now: Moment) {
        self.window.record(ok, now);
        if ok {
            reset(&self.failures);
            return;
        }
        let failures = self.failures.fetch_add(1, Ordering::Relaxed) + 1;
        if failures >= self.rules.consecutive_failures {
            self.eject(Sign::ConsecutiveFailures, now);
        } else if self.fails_often(now) {
            self.eject(Sign::FailureShare, now);
        }
    }

    /// Counts how a probe ended.
    ///
    /// An ejected member whose probes failed and go well again is on probation at once: it may have been started anew.
    ///
    /// ```
    /// use maas_schedule::{Health, HealthRules, HealthState, Moment};
    /// let health = Health::new(HealthRules::default().probes(1, 1));
    /// health.probe_result(false, Moment::ZERO);
    /// assert_eq!(health.state(Moment::ZERO), HealthState::Unhealthy);
    /// health.probe_result(true, Moment::ZERO);
    /// assert_eq!(health.state(Moment::ZERO), HealthState::SlowStart { share: 0.1 });
    /// ```
    pub fn probe_result(&self, ok: bool, now: Moment) {
        let (from, to, enough) = if ok {
            (Probes::Down, Probes::Up, self.rules.rise)
        } else {
            (Probes::Up, Probes::Down, self.rules.fall)
        };
        if self.load().probes != from {
            reset(&self.contradictions);
            return;
        }
        if self.contradictions.fetch_add(1, Ordering::Relaxed) + 1 < enough {
            return;
        }
        let turned = self.change(|state| {
            let turned = state.probed(to);
            let after = match (to, state.phase) {
                (Probes::Up, Phase::Sound | Phase::Returned) => turned.returned(now),
                (Probes::Up, Phase::Ejected) => turned.due(now),
                _ => turned,
            };
            (state.probes == from).then_some(after)
        });
        if turned.is_some() {
            if to == Probes::Down {
                self.ejected.count(Sign::Probes);
            }
            self.forget();
        }
    }

    /// How the member is.
    ///
    /// ```
    /// use maas_schedule::{Health, HealthRules, HealthState, Moment};
    /// let health = Health::new(HealthRules::default());
    /// assert_eq!(health.state(Moment::ZERO), HealthState::Healthy);
    /// ```
    #[must_use]
    pub fn state(&self, now: Moment) -> HealthState {
        let state = self.load();
        match (state.probes, state.phase) {
            (Probes::Down, _) => HealthState::Unhealthy,
            (_, Phase::Sound) => HealthState::Healthy,
            (_, Phase::Ejected) => HealthState::Ejected { until: state.at() },
            (_, Phase::Probation) => HealthState::Probation,
            (_, Phase::Returned) => {
                let share = state.share(now, &self.rules.slow_start);
                if share < 1.0 {
                    HealthState::SlowStart { share }
                } else {
                    HealthState::Healthy
                }
            }
        }
    }

    /// How often it was given no more requests, and why.
    ///
    /// ```
    /// use maas_schedule::{Health, HealthRules, Moment};
    /// let health = Health::new(HealthRules::default().probes(1, 1));
    /// health.probe_result(false, Moment::ZERO);
    /// assert_eq!(health.ejected().probes, 1);
    /// ```
    #[must_use]
    pub fn ejected(&self) -> EjectedCounts {
        self.ejected.counts()
    }

    /// The share of the window's requests that went well, where there were enough to tell and the member is not ejected.
    ///
    /// ```
    /// use maas_schedule::{Health, HealthRules, Moment};
    /// assert_eq!(Health::new(HealthRules::default()).success_rate(Moment::ZERO), None);
    /// ```
    #[must_use]
    pub fn success_rate(&self, now: Moment) -> Option<f64> {
        let counts = self.window.counts(now);
        let tells = self.load().is_in() && counts.total() >= self.rules.minimum_requests;
        tells.then(|| 1.0 - counts.failure_share())
    }

    /// Whether the member takes all of its requests, as most do most of the time.
    #[inline]
    pub(crate) fn takes_all(&self, now: impl FnOnce() -> Moment) -> bool {
        let state = self.load();
        let has_started = || state.share(now(), &self.rules.slow_start) >= 1.0;
        state.is_well() && (state.phase != Phase::Returned || has_started())
    }

    /// The part of its requests that the member takes: all of them where one may try it, for which it need not wait. `now` is
    /// asked for only where it matters.
    #[inline]
    pub(crate) fn share(&self, now: impl FnOnce() -> Moment) -> f32 {
        let state = self.load();
        if state.is_well() {
            match state.phase {
                Phase::Returned => state.share(now(), &self.rules.slow_start),
                _ => 1.0,
            }
        } else if self.is_panicking() || state.is_due(now(), &self.rules) {
            1.0
        } else {
            0.0
        }
    }

    /// A new member starts as one that came back.
    pub(crate) fn start_slowly(&self, now: Moment) {
        self.change(|state| (state == State::NEW).then(|| state.returned(now)));
    }

    /// The group counts the member no more.
    pub(crate) fn leave_group(&self) {
        let left = self.change(|state| (!state.is_gone).then(|| state.gone()));
        if let (Some(state), Some(group)) = (left, self.group()) {
            if !state.is_in() {
                group.ejections().remove();
            }
            if !state.is_well() {
                group.count_well();
            }
            group.ejections().leave();
        }
    }

    /// Whether the member was ejected by this.
    pub(super) fn eject(&self, sign: Sign, now: Moment) -> bool {
        if !self.load().is_in() || !self.group().is_none_or(|group| group.ejections().add()) {
            return false;
        }
        let ejected = |state: State| {
            let may_be = state.is_in() && !state.is_gone;
            may_be.then(|| state.ejected(now, &self.rules))
        };
        let ejected = self.change(ejected).is_some();
        if ejected {
            self.ejected.count(sign);
            reset(&self.failures);
        } else if let Some(group) = self.group() {
            group.ejections().remove();
        }
        ejected
    }

    pub(crate) fn end_probation(&self, ok: bool, now: Moment) {
        if ok {
            self.forget();
        }
        let ended = self.change(|state| {
            let after = if ok {
                state.returned(now)
            } else {
                state.ejected(now, &self.rules)
            };
            (state.phase == Phase::Probation).then_some(after)
        });
        if ended.is_some() && !ok {
            self.ejected.count(Sign::Trial);
        }
        let is_counted = ended.is_some_and(|before| !before.is_gone);
        if let (true, true, Some(group)) = (ok, is_counted, self.group()) {
            group.ejections().remove();
        }
    }

    pub(crate) fn leave_probation(&self) {
        self.change(|state| {
            (state.phase == Phase::Probation).then_some(state.in_phase(Phase::Ejected))
        });
    }

    fn with(rules: HealthRules, group: Option<Arc<HealthGroup>>) -> Self {
        Self {
            rules,
            group,
            state: AtomicU64::new(State::NEW.pack()),
            failures: AtomicUsize::new(0),
            contradictions: AtomicUsize::new(0),
            window: Window::new(rules.window),
            ejected: Ejected::never(),
        }
    }

    /// What a request meets, which is put on trial by this where one may be. `now` is asked for only where it matters.
    pub(crate) fn enter(&self, now: impl FnOnce() -> Moment) -> Entry {
        let state = self.load();
        if state.is_well() {
            return Entry::Open;
        }
        let now = now();
        let takes_trial = |state: State| {
            state
                .is_due(now, &self.rules)
                .then_some(state.in_phase(Phase::Probation))
        };
        if state.is_due(now, &self.rules) && self.change(takes_trial).is_some() {
            return Entry::Trial;
        }
        match self.group() {
            Some(group) if group.is_panicking() => {
                group.count_panic();
                Entry::Open
            }
            _ => Entry::Closed,
        }
    }

    fn fails_often(&self, now: Moment) -> bool {
        let counts = self.window.counts(now);
        counts.total() >= self.rules.minimum_requests
            && counts.failure_share() >= self.rules.failure_share
    }

    /// What was counted of the member as it was before.
    fn forget(&self) {
        self.window.clear();
        reset(&self.failures);
        reset(&self.contradictions);
    }

    fn is_panicking(&self) -> bool {
        self.group().is_some_and(HealthGroup::is_panicking)
    }

    fn group(&self) -> Option<&HealthGroup> {
        self.group.as_deref()
    }

    fn load(&self) -> State {
        State::unpack(self.state.load(Ordering::Acquire))
    }

    /// What the state was before `to` had another one for it. The group is told when that makes the member ill or well.
    fn change(&self, to: impl Fn(State) -> Option<State>) -> Option<State> {
        let step = |word| to(State::unpack(word)).map(State::pack);
        let mut before = self.state.load(Ordering::Acquire);
        while let Some(after) = step(before) {
            let swap =
                self.state
                    .compare_exchange(before, after, Ordering::AcqRel, Ordering::Acquire);
            match swap {
                Ok(_) => {
                    let before = State::unpack(before);
                    self.tell(before, State::unpack(after));
                    return Some(before);
                }
                Err(found) => before = found,
            }
        }
        None
    }

    fn tell(&self, before: State, after: State) {
        if let Some(group) = self.group()
            && !before.is_gone
        {
            match (before.is_well(), after.is_well()) {
                (true, false) => group.count_ill(),
                (false, true) => group.count_well(),
                _ => {}
            }
        }
    }
}

impl Drop for Health {
    fn drop(&mut self) {
        self.leave_group();
    }
}

/// What a request meets.
pub(crate) enum Entry {
    Open,
    /// It is the one that tries the member, and has to end or leave the probation.
    Trial,
    Closed,
}

/// Only written where it is not 0, so that threads that only succeed share the cache line.
fn reset(count: &AtomicUsize) {
    if count.load(Ordering::Relaxed) != 0 {
        count.store(0, Ordering::Relaxed);
    }
}
