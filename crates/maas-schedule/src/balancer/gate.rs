use super::stripe::{Line, Stripe};

/// How many are inside, how many have ever entered, and whether anybody may still enter.
///
/// It has one count, or one for each of a few stripes, so that threads that enter by different stripes write to different cache
/// lines.
///
/// `enter` and `leave` say whether the gate is closed and empty since; more than one may be told so. Who finds the gate closed
/// sees all that was done before it was.
#[derive(Debug)]
pub(crate) struct Gate {
    single: Stripe,
    /// None where there is one count.
    lines: Box<[Line]>,
}

/// What became of an attempt to enter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// Who entered has to leave, by the same stripe.
    Open,
    /// So many are inside as may be.
    Full,
    /// The gate is closed.
    Closed { empty: bool },
}

impl Gate {
    /// With one count, whatever the stripe.
    pub(crate) fn open() -> Self {
        Self::striped(0)
    }

    /// With a count for each of so many stripes.
    pub(crate) fn striped(stripes: usize) -> Self {
        Self {
            single: Stripe::open(),
            lines: (0..stripes).map(|_| Line::default()).collect(),
        }
    }

    #[inline]
    pub(crate) fn enter(&self, stripe: usize) -> Entry {
        let stripe = self.stripe(stripe);
        if stripe.enter() {
            Entry::Open
        } else {
            self.turn_away(stripe)
        }
    }

    #[cold]
    fn turn_away(&self, stripe: &Stripe) -> Entry {
        Entry::Closed {
            empty: stripe.turned_away() && self.is_over(),
        }
    }

    /// As [`enter`](Self::enter) by the stripe [`SHARED`], unless `most` or more are inside.
    pub(crate) fn enter_below(&self, most: usize) -> Entry {
        let others: usize = self.lines.iter().map(|line| line.count()).sum();
        if self.single.enter_below(most.saturating_sub(others)) {
            Entry::Open
        } else if self.single.is_open() {
            Entry::Full
        } else {
            Entry::Closed { empty: false }
        }
    }

    #[inline]
    #[must_use]
    pub(crate) fn leave(&self, stripe: usize) -> bool {
        self.stripe(stripe).leave() && self.is_over()
    }

    /// Whether nobody is inside.
    #[must_use]
    pub(crate) fn close(&self) -> bool {
        self.stripes().for_each(Stripe::close);
        self.is_over()
    }

    #[inline]
    pub(crate) fn is_open(&self, stripe: usize) -> bool {
        self.stripe(stripe).is_open()
    }

    /// Who is inside, and for a moment who knocks at a closed gate.
    #[inline]
    pub(crate) fn count(&self) -> usize {
        self.single.count() + self.lines.iter().map(|line| line.count()).sum::<usize>()
    }

    /// How many have ever entered.
    pub(crate) fn entries(&self) -> u64 {
        self.stripes().map(Stripe::entries).sum()
    }

    /// Whether nobody is inside and nobody will be.
    ///
    /// Two may leave two stripes as the last ones. Each says so in its own stripe before it looks at the other, and a look that
    /// writes comes before or behind what the other has written, never beside it: so at least one of them sees both.
    #[cold]
    fn is_over(&self) -> bool {
        self.stripes().all(Stripe::is_over)
    }

    /// The count of those who enter by `stripe`.
    #[inline]
    fn stripe(&self, stripe: usize) -> &Stripe {
        match self.lines.get(stripe) {
            Some(line) => line,
            None => &self.single,
        }
    }

    fn stripes(&self) -> impl Iterator<Item = &Stripe> {
        let lines = self.lines.iter().map(|line| &**line);
        lines.chain([&self.single])
    }
}

/// The stripe of those who have to share one count.
pub(crate) const SHARED: usize = usize::MAX;

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_all_stripes_is_told() {
        let gate = Gate::striped(3);
        assert_eq!(
            [0, 1, 1, 2].map(|stripe| gate.enter(stripe)),
            [Entry::Open; 4]
        );
        assert!(!gate.leave(0) && !gate.close());
        assert_eq!((gate.count(), gate.entries()), (3, 4));
        assert_eq!(
            [0, 1, 2].map(|stripe| gate.enter(stripe)),
            [Entry::Closed { empty: false }; 3]
        );
        assert!(!gate.leave(1) && !gate.leave(2));
        assert!(gate.leave(1));
        assert_eq!(gate.enter(0), Entry::Closed { empty: true });
        assert_eq!((gate.count(), gate.entries()), (0, 4));
    }

    #[test]
    fn a_limit_counts_all_stripes() {
        let gate = Gate::striped(2);
        assert_eq!([0, 1].map(|stripe| gate.enter(stripe)), [Entry::Open; 2]);
        assert_eq!(
            [2, 3].map(|most| gate.enter_below(most)),
            [Entry::Full, Entry::Open]
        );
        assert!(!gate.leave(SHARED) && !gate.close());
        assert_eq!(gate.enter_below(3), Entry::Closed { empty: false });
    }
}
