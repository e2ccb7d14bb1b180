use std::f64::consts::TAU;
use std::time::Duration;

use crate::random::mix;

/// Random numbers of one seed.
#[derive(Debug)]
pub(super) struct Draws(u64);

impl Draws {
    pub(super) fn seeded(seed: u64) -> Self {
        Self(mix(seed))
    }

    /// Between 0 and 1, neither of them.
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        ((mix(self.0) >> 12) as f64 + 0.5) / (1_u64 << 52) as f64
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
        ((self.uniform() * bound as f64) as usize).min(bound - 1)
    }

    /// Exponential.
    pub(super) fn pause(&mut self, mean: f64) -> Duration {
        seconds(-self.uniform().ln() * mean)
    }

    /// Lognormal: `sigma` is the deviation of its logarithm.
    pub(super) fn work(&mut self, mean: f64, sigma: f64) -> Duration {
        let radius = (-2.0 * self.uniform().ln()).sqrt();
        let normal = radius * (TAU * self.uniform()).cos();
        seconds(mean * (sigma * normal - sigma * sigma / 2.0).exp())
    }
}

pub(super) fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
}
