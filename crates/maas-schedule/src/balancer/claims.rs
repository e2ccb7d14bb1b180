use crate::sync::{AtomicU64, Ordering};

/// Which of at most 64 stripes belong to somebody.
#[derive(Debug)]
pub(super) struct Claims(AtomicU64);

impl Claims {
    pub(super) fn none() -> Self {
        Self(AtomicU64::new(0))
    }

    /// The first of so many stripes that nobody has.
    pub(super) fn claim(&self, stripes: usize) -> Option<Claim<'_>> {
        let free =
            |claimed: u64| Some(claimed.trailing_ones()).filter(|&free| (free as usize) < stripes);
        let taken = |claimed| Some(claimed | 1 << free(claimed)?);
        // Acquire: who had the stripe before has done with it.
        let before = self
            .0
            .fetch_update(Ordering::Acquire, Ordering::Relaxed, taken);
        let stripe = free(before.ok()?)?;
        Some(Claim {
            claims: self,
            stripe: stripe as usize,
        })
    }
}

/// A stripe that belongs to its holder until this is dropped.
#[derive(Debug)]
pub(super) struct Claim<'a> {
    claims: &'a Claims,
    pub(super) stripe: usize,
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        self.claims
            .0
            .fetch_and(!(1 << self.stripe), Ordering::Release);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_stripe_has_one_holder_at_a_time() {
        let claims = Claims::none();
        let first = claims.claim(2);
        let second = claims.claim(2);
        let stripes = [&first, &second].map(|claim| claim.as_ref().map(|claim| claim.stripe));
        assert_eq!(stripes, [Some(0), Some(1)]);
        assert!(claims.claim(2).is_none() && claims.claim(0).is_none());
        drop(first);
        assert_eq!(claims.claim(2).map(|claim| claim.stripe), Some(0));
    }
}
