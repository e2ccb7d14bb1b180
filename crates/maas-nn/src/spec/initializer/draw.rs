//! Numbers drawn from a stream.

use maas_core::Seed;
use maas_kernels::normal_quantile as quantile;
use rand_pcg::Pcg64;
use rand_pcg::rand_core::Rng;

pub(super) fn uniform(values: &mut [f32], low: f32, high: f32, seed: Seed) {
    let mut generator = generator(seed);
    let span = high - low;
    for value in values {
        // 24 bits fill a significand: every value of u is exact.
        let u = (generator.next_u64() >> 40) as f32 / 16_777_216.0;
        *value = low + u * span;
    }
}

pub(super) fn normal(values: &mut [f32], mean: f32, deviation: f32, seed: Seed) {
    let (mean, deviation) = (f64::from(mean), f64::from(deviation));
    let mut generator = generator(seed);
    for value in values {
        *value = (mean + deviation * quantile(open(&mut generator))) as f32;
    }
}

/// Of the normal law between −2 and 2 deviations, by its quantiles: nothing is drawn in vain.
pub(super) fn truncated_normal(values: &mut [f32], mean: f64, deviation: f64, seed: Seed) {
    let mut generator = generator(seed);
    for value in values {
        let u = open(&mut generator);
        let p = BELOW_MINUS_2 + u * (1.0 - 2.0 * BELOW_MINUS_2);
        *value = (mean + deviation * quantile(p)) as f32;
    }
}

/// Standard normal numbers.
pub(super) fn normals(seed: Seed) -> impl Iterator<Item = f64> {
    let mut generator = generator(seed);
    std::iter::repeat_with(move || quantile(open(&mut generator)))
}

/// Uniform between 0 and 1, neither of which is reached.
fn open(generator: &mut Pcg64) -> f64 {
    ((generator.next_u64() >> 12) as f64 + 0.5) / 4_503_599_627_370_496.0
}

fn generator(seed: Seed) -> Pcg64 {
    let [a, b, c, d] = [0, 1, 2, 3].map(|stream| u128::from(seed.derive(stream).0));
    Pcg64::new((a << 64) | b, (c << 64) | d)
}

/// The probability that a standard normal number is less than −2.
const BELOW_MINUS_2: f64 = 0.022_750_131_948_179_21;
