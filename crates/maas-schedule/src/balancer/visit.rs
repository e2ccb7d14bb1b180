/// How a request is at a member. One plain word, as a lease is handed over in registers then.
#[derive(Clone, Copy, Debug)]
pub(super) struct Visit(u64);

impl Visit {
    #[inline]
    pub(super) fn by(stripe: usize) -> Self {
        Self(stripe as u64 & STRIPE)
    }

    /// The request tries the member, as the trial of this number, which is not 0.
    pub(super) fn trying(self, number: u64) -> Self {
        Self(number << STRIPE_BITS | self.0 & STRIPE)
    }

    #[inline]
    pub(super) fn trial(self) -> Option<u64> {
        let number = self.0 >> STRIPE_BITS;
        (number != 0).then_some(number)
    }

    #[inline]
    pub(super) fn stripe(self) -> usize {
        (self.0 & STRIPE) as usize
    }
}

const STRIPE_BITS: u32 = 16;
const STRIPE: u64 = (1 << STRIPE_BITS) - 1;
