//! Which weights are pruned: those of least magnitude.

use crate::Error;
use crate::pruning::check_fraction;

/// How much is pruned.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Amount {
    /// Every weight within λ of zero.
    Lambda(f32),
    /// This fraction of all weights.
    Sparsity(f64),
}

impl Amount {
    /// A share of it, from 0 to 1.
    pub(crate) fn part(self, share: f64) -> Result<Self, Error> {
        check_fraction(share)?;
        Ok(match self {
            Self::Lambda(lambda) => Self::Lambda((f64::from(lambda) * share) as f32),
            Self::Sparsity(sparsity) => Self::Sparsity(sparsity * share),
        })
    }

    pub(crate) fn check(self) -> Result<(), Error> {
        match self {
            Self::Lambda(lambda) => check_lambda(lambda),
            Self::Sparsity(sparsity) => check_fraction(sparsity),
        }
    }
}

pub(crate) fn check_lambda(lambda: f32) -> Result<(), Error> {
    if lambda.is_finite() && lambda >= 0.0 {
        Ok(())
    } else {
        Err(Error::Lambda { found: lambda })
    }
}

/// A line between pruned and kept weights: all below a magnitude, and as many of that very magnitude as are still
/// needed, in the order in which [`Cut::mask`] meets them.
#[derive(Debug)]
pub(crate) struct Cut {
    pub(crate) lambda: f32,
    /// The bits of a magnitude; for numbers that are not negative they are ordered as the numbers are.
    level: u32,
    ties: usize,
}

impl Cut {
    /// The cut through these weights, which are finite. `amount` has been checked.
    pub(crate) fn new<'a>(amount: Amount, weights: impl Iterator<Item = &'a [f32]>) -> Self {
        match amount {
            Amount::Lambda(lambda) => Self {
                lambda,
                level: lambda.abs().to_bits(),
                ties: usize::MAX,
            },
            Amount::Sparsity(sparsity) => {
                let mut magnitudes: Vec<u32> = weights
                    .flatten()
                    .map(|weight| weight.abs().to_bits())
                    .collect();
                let count = (sparsity * magnitudes.len() as f64).round() as usize;
                let Some(last) = count.checked_sub(1) else {
                    return Self {
                        lambda: 0.0,
                        level: 0,
                        ties: 0,
                    };
                };
                let (below, &mut level, _) = magnitudes.select_nth_unstable(last);
                let less = below.iter().filter(|&&magnitude| magnitude < level).count();
                Self {
                    lambda: f32::from_bits(level),
                    level,
                    ties: count - less,
                }
            }
        }
    }

    /// One bit a weight, set for those that are kept.
    pub(crate) fn mask(&mut self, weights: &[f32]) -> Vec<u64> {
        let bits = |weights: &[f32]| {
            (0..)
                .zip(weights)
                .fold(0, |word, (bit, &weight)| word | self.keep(weight) << bit)
        };
        weights.chunks(64).map(bits).collect()
    }

    fn keep(&mut self, weight: f32) -> u64 {
        let magnitude = weight.abs().to_bits();
        if magnitude == self.level && self.ties > 0 {
            self.ties -= 1;
            return 0;
        }
        u64::from(magnitude >= self.level)
    }
}

/// The position and value of the first weight that is not finite.
pub(crate) fn first_not_finite(weights: &[f32]) -> Option<(usize, f32)> {
    weights
        .iter()
        .copied()
        .enumerate()
        .find(|(_, weight)| !weight.is_finite())
}
