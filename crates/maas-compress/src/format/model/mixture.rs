use super::estimate::Estimate;
use super::logistic::{Squash, stretch};
use crate::format::coder::Coder;

/// `N` estimates of a bit, one for each of its contexts, and their mixture: the sum of their stretched probabilities with
/// weights that are learnt as bits come.
#[derive(Clone, Debug)]
pub(in crate::format) struct Mixture<const N: usize> {
    estimates: [Vec<Estimate>; N],
    /// In 1/65536.
    weights: [i32; N],
    squash: Squash,
}

impl<const N: usize> Mixture<N> {
    /// Estimates for so many contexts of each kind.
    pub(in crate::format) fn new(contexts: [usize; N]) -> Self {
        Self {
            estimates: contexts.map(|contexts| vec![Estimate::NEW; contexts]),
            weights: [(1 << 16) / N as i32; N],
            squash: Squash::new(),
        }
    }

    /// Codes a bit under these contexts, and learns from it.
    #[inline]
    pub(in crate::format) fn bit(
        &mut self,
        coder: &mut impl Coder,
        contexts: [usize; N],
        bit: bool,
    ) -> bool {
        let mut inputs = [0; N];
        let mut total = 0;
        for kind in 0..N {
            let one = self.estimates[kind][contexts[kind]].one;
            inputs[kind] = i64::from(stretch(one.into()));
            total += inputs[kind] * i64::from(self.weights[kind]);
        }
        let one = self.squash.one(total >> 16);
        let bit = coder.bit(one, bit);
        let error = (i64::from(bit) << 16) - i64::from(one);
        for kind in 0..N {
            let weight = self.weights[kind] + ((error * inputs[kind]) >> SLOWNESS) as i32;
            self.weights[kind] = weight.clamp(-LARGEST, LARGEST);
            self.estimates[kind][contexts[kind]].update(bit);
        }
        bit
    }
}

/// A change of a weight is error · input / 2¹⁶ in the weights' own unit.
const SLOWNESS: u32 = 16;

/// The largest weight: 16.
const LARGEST: i32 = 1 << 20;
