use std::time::Duration;

use super::rules::HealthRules;
use super::slow_start::SlowStart;
use crate::Moment;

/// How a member is.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum HealthState {
    /// It serves its full share.
    Healthy,
    /// Its probes fail.
    Unhealthy,
    /// Its requests failed, and it gets none until then.
    Ejected {
        /// The end of the ejection, where the probation begins.
        until: Moment,
    },
    /// One request is trying it.
    Probation,
    /// It came back not long ago and serves this part of its share.
    SlowStart {
        /// From 0 to 1.
        share: f32,
    },
}

/// All that changes in a member's health, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct State {
    /// Whether its group counts it no more.
    pub(super) is_gone: bool,
    pub(super) probes: Probes,
    pub(super) phase: Phase,
    /// Ejections that are not forgotten.
    ejections: u32,
    /// Ejected and on probation: until when. Returned: since when.
    at: u64,
}

/// What the probes say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Probes {
    Up,
    Down,
}

/// What the requests say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Never ill so far.
    Sound,
    Ejected,
    Probation,
    /// Back, be it for long or not.
    Returned,
}

impl State {
    pub(super) const NEW: Self = Self {
        is_gone: false,
        probes: Probes::Up,
        phase: Phase::Sound,
        ejections: 0,
        at: 0,
    };

    /// Whether it is neither ejected nor on probation.
    pub(super) fn is_in(self) -> bool {
        matches!(self.phase, Phase::Sound | Phase::Returned)
    }

    pub(super) fn is_well(self) -> bool {
        self.is_in() && self.probes == Probes::Up
    }

    /// Whether one request may try it: also where it is ejected for longer than anybody may be, since a clock was put back.
    pub(super) fn is_due(self, now: Moment, rules: &HealthRules) -> bool {
        let longest = rules.longest_ejection.saturating_add(ROUNDING);
        let is_over = || units(now) >= self.at || self.at().since(now) > longest;
        self.phase == Phase::Ejected && self.probes == Probes::Up && is_over()
    }

    /// The share of who returned, which is whole where that was in the future, since a clock was put back.
    pub(super) fn share(self, now: Moment, start: &SlowStart) -> f32 {
        if self.at().since(now) > start.time {
            return 1.0;
        }
        start.share(now.since(self.at()))
    }

    pub(super) fn at(self) -> Moment {
        Moment::from_nanos(self.at << UNIT_BITS)
    }

    pub(super) fn in_phase(self, phase: Phase) -> Self {
        Self { phase, ..self }
    }

    pub(super) fn probed(self, probes: Probes) -> Self {
        Self { probes, ..self }
    }

    pub(super) fn gone(self) -> Self {
        Self {
            is_gone: true,
            ..self
        }
    }

    pub(super) fn returned(self, now: Moment) -> Self {
        Self {
            phase: Phase::Returned,
            at: units(now),
            ..self
        }
    }

    /// Ejected once more: the longer, the more ejections there were that service since has not made forgotten.
    pub(super) fn ejected(self, now: Moment, rules: &HealthRules) -> Self {
        let served = match self.phase {
            Phase::Returned => now.since(self.at()).as_nanos(),
            _ => 0,
        };
        let forgotten = served / rules.forgets_after.as_nanos().max(1);
        let forgotten = u32::try_from(forgotten).unwrap_or(u32::MAX);
        let ejections = (self.ejections.saturating_sub(forgotten) + 1).min(EJECTIONS);
        let lasts = rules
            .base_ejection
            .saturating_mul(ejections)
            .min(rules.longest_ejection);
        Self {
            phase: Phase::Ejected,
            ejections,
            // One more, so that rounding makes no ejection shorter.
            at: units(now + lasts).saturating_add(1).min(LAST),
            ..self
        }
    }

    /// Its ejection ends now, if it had not ended.
    pub(super) fn due(self, now: Moment) -> Self {
        Self {
            at: self.at.min(units(now)),
            ..self
        }
    }

    pub(super) fn pack(self) -> u64 {
        let head =
            (u64::from(self.is_gone) << 1 | self.probes as u64) << PHASE_BITS | self.phase as u64;
        (head << EJECTION_BITS | u64::from(self.ejections)) << AT_BITS | self.at
    }

    pub(super) fn unpack(word: u64) -> Self {
        let head = word >> (AT_BITS + EJECTION_BITS);
        Self {
            is_gone: head >> (PHASE_BITS + 1) != 0,
            probes: match head >> PHASE_BITS & 1 {
                0 => Probes::Up,
                _ => Probes::Down,
            },
            phase: match head & ((1 << PHASE_BITS) - 1) {
                0 => Phase::Sound,
                1 => Phase::Ejected,
                2 => Phase::Probation,
                _ => Phase::Returned,
            },
            ejections: (word >> AT_BITS) as u32 & EJECTIONS,
            at: word & LAST,
        }
    }
}

/// Every moment fits.
fn units(moment: Moment) -> u64 {
    moment.as_nanos() >> UNIT_BITS
}

/// Moments are kept in units of 1024 ns.
const UNIT_BITS: u32 = 10;
/// By so much at most an ejection is longer than it should be.
const ROUNDING: Duration = Duration::from_nanos(2 << UNIT_BITS);
const AT_BITS: u32 = u64::BITS - UNIT_BITS;
const LAST: u64 = (1 << AT_BITS) - 1;
const EJECTION_BITS: u32 = 6;
const EJECTIONS: u32 = (1 << EJECTION_BITS) - 1;
const PHASE_BITS: u32 = 2;

#[cfg(test)]
#[cfg(not(loom))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_state() -> impl Strategy<Value = State> {
        let probes = prop_oneof![Just(Probes::Up), Just(Probes::Down)];
        let phase = prop_oneof![
            Just(Phase::Sound),
            Just(Phase::Ejected),
            Just(Phase::Probation),
            Just(Phase::Returned)
        ];
        let word = (any::<bool>(), probes, phase, 0..=EJECTIONS, 0..=LAST);
        word.prop_map(|(is_gone, probes, phase, ejections, at)| State {
            is_gone,
            probes,
            phase,
            ejections,
            at,
        })
    }

    proptest! {
        #[test]
        fn a_word_holds_a_state(state in any_state()) {
            prop_assert_eq!(State::unpack(state.pack()), state);
        }

        #[test]
        fn an_ejection_lasts_its_time(state in any_state(), now in 0..u64::MAX / 2, base in 0_u64..1_000_000_000_000) {
            let now = Moment::from_nanos(now);
            let base = Duration::from_nanos(base);
            let ejected = state.ejected(now, &HealthRules::default().ejection(base, Duration::MAX));
            prop_assert!(ejected.at().since(now) >= base);
            prop_assert!(ejected.ejections >= 1 && ejected.ejections <= state.ejections + 1);
            prop_assert_eq!(State::unpack(ejected.pack()), ejected);
        }
    }
}
