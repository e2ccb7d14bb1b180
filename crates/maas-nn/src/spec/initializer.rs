use maas_core::Seed;
use rand_pcg::Pcg64;
use rand_pcg::rand_core::Rng;
use serde::{Deserialize, Serialize};

use crate::Error;

/// How a parameter starts.
///
/// For a shape `[.., in, out]`, with `r` the product of the dimensions before the last two, `fan_in = r · in` and
/// `fan_out = r · out`; a vector of `n` has both equal to `n`. These are Keras' rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Initializer {
    /// Zero everywhere.
    Zeros,
    /// One everywhere.
    Ones,
    /// The same number everywhere.
    Constant(f32),
    /// Uniform from `low` up to `high`.
    Uniform {
        /// The least value.
        low: f32,
        /// The bound above; rounding may reach it.
        high: f32,
    },
    /// Uniform from −l to l with l = √(6 / (fan_in + fan_out)) (Glorot and Bengio, 2010): Keras' default for kernels.
    #[default]
    GlorotUniform,
    /// Uniform from −l to l with l = √(6 / fan_in) (He et al., 2015): for relu and its kin.
    HeUniform,
    /// Uniform from −l to l with l = √(3 / fan_in) (LeCun et al., 1998).
    LecunUniform,
}

impl Initializer {
    /// Fills a row-major parameter of shape `shape`. The same seed gives the same bits on every machine.
    ///
    /// # Errors
    /// [`Error::Setting`] when a number of the initialiser is not finite.
    ///
    /// ```
    /// use maas_core::Seed;
    /// use maas_nn::Initializer;
    ///
    /// let mut kernel = [0.0; 12];
    /// Initializer::GlorotUniform.fill(&mut kernel, &[4, 3], Seed(7))?;
    /// let limit = (6.0_f32 / 7.0).sqrt();
    /// assert!(kernel.iter().all(|w| w.abs() <= limit));
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn fill(self, values: &mut [f32], shape: &[usize], seed: Seed) -> Result<(), Error> {
        self.check()?;
        let (fan_in, fan_out) = fans(shape);
        let limit = |numerator: f64, fan: f64| (numerator / fan.max(1.0)).sqrt() as f32;
        match self {
            Self::Zeros => values.fill(0.0),
            Self::Ones => values.fill(1.0),
            Self::Constant(value) => values.fill(value),
            Self::Uniform { low, high } => uniform(values, low, high, seed),
            Self::GlorotUniform => {
                let limit = limit(6.0, fan_in + fan_out);
                uniform(values, -limit, limit, seed);
            }
            Self::HeUniform => {
                let limit = limit(6.0, fan_in);
                uniform(values, -limit, limit, seed);
            }
            Self::LecunUniform => {
                let limit = limit(3.0, fan_in);
                uniform(values, -limit, limit, seed);
            }
        }
        Ok(())
    }

    pub(crate) fn check(self) -> Result<(), Error> {
        let finite = |name, found: f32| {
            if found.is_finite() {
                Ok(())
            } else {
                Err(Error::Setting {
                    name,
                    expected: "finite",
                    found,
                })
            }
        };
        match self {
            Self::Constant(value) => finite("the initial constant", value),
            Self::Uniform { low, high } => {
                finite("the initial lower bound", low)?;
                finite("the initial upper bound", high)
            }
            _ => Ok(()),
        }
    }
}

fn uniform(values: &mut [f32], low: f32, high: f32, seed: Seed) {
    let [a, b, c, d] = [0, 1, 2, 3].map(|stream| u128::from(seed.derive(stream).0));
    let mut generator = Pcg64::new((a << 64) | b, (c << 64) | d);
    let span = high - low;
    for value in values {
        // 24 bits fill a significand: every value of u is exact.
        let u = (generator.next_u64() >> 40) as f32 / 16_777_216.0;
        *value = low + u * span;
    }
}

fn fans(shape: &[usize]) -> (f64, f64) {
    match *shape {
        [] => (1.0, 1.0),
        [n] => (n as f64, n as f64),
        [ref receptive @ .., fan_in, fan_out] => {
            let field: f64 = receptive.iter().map(|&n| n as f64).product();
            (field * fan_in as f64, field * fan_out as f64)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fans_follow_keras() {
        assert_eq!(fans(&[5]), (5.0, 5.0));
        assert_eq!(fans(&[4, 3]), (4.0, 3.0));
        assert_eq!(fans(&[3, 3, 8, 16]), (72.0, 144.0));
    }

    #[test]
    fn bits_are_fixed() {
        let mut values = [0.0; 3];
        Initializer::Uniform {
            low: 0.0,
            high: 1.0,
        }
        .fill(&mut values, &[3], Seed(1))
        .unwrap();
        let again = values;
        Initializer::Uniform {
            low: 0.0,
            high: 1.0,
        }
        .fill(&mut values, &[3], Seed(1))
        .unwrap();
        assert_eq!(values, again);
        Initializer::Uniform {
            low: 0.0,
            high: 1.0,
        }
        .fill(&mut values, &[3], Seed(2))
        .unwrap();
        assert_ne!(values, again);
    }

    #[test]
    fn spread_is_uniform() {
        let mut values = vec![0.0; 40_000];
        Initializer::LecunUniform
            .fill(&mut values, &[200, 200], Seed(3))
            .unwrap();
        let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / 40_000.0;
        let variance = values.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>() / 40_000.0;
        assert!(mean.abs() < 2e-3, "{mean}");
        assert!((variance * 200.0 - 1.0).abs() < 0.03, "{variance}");
    }
}
