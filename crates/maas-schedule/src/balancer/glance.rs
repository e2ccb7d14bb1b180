use std::time::Duration;

use crate::{Clock, Moment};

/// A look at a clock that serves for a few picks, where they follow each other so closely that it says the same for all.
#[derive(Debug, Default)]
pub(super) struct Glance {
    at: Moment,
    /// How many more picks it serves for.
    left: u8,
}

impl Glance {
    #[inline]
    pub(super) fn now(&mut self, clock: &dyn Clock) -> Moment {
        match self.left.checked_sub(1) {
            Some(left) => self.left = left,
            None => self.look(clock),
        }
        self.at
    }

    fn look(&mut self, clock: &dyn Clock) {
        let now = clock.now();
        let is_close = now >= self.at && now.since(self.at) < CLOSE;
        self.left = if is_close { PICKS - 1 } else { 0 };
        self.at = now;
    }
}

/// Picks that one look serves for.
const PICKS: u8 = 16;

/// So long after the last look one serves for several picks: what is known of members fades in seconds.
const CLOSE: Duration = Duration::from_millis(1);

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::ManualClock;

    #[test]
    fn picks_that_are_rare_have_a_look_each() {
        let clock = ManualClock::new();
        let mut glance = Glance::default();
        for second in 1..5 {
            clock.advance(Duration::from_secs(1));
            assert_eq!(glance.now(&clock).as_nanos(), second * 1_000_000_000);
        }
    }

    #[test]
    fn close_ones_share_a_look() {
        let clock = ManualClock::new();
        let mut glance = Glance::default();
        let moments: Vec<_> = (0..17)
            .map(|_| {
                clock.advance(Duration::from_micros(1));
                glance.now(&clock).as_nanos()
            })
            .collect();
        assert_eq!(moments, [[1_000; 16].as_slice(), &[17_000]].concat());
    }
}
