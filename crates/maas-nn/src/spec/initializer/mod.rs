mod draw;
mod orthogonal;
#[cfg(test)]
mod tests;

use maas_core::Seed;
use serde::{Deserialize, Serialize};

use crate::Error;
use draw::{normal, truncated_normal, uniform};

/// How a parameter starts.
///
/// For a shape `[.., in, out]`, with `r` the product of the dimensions before the last two, `fan_in = r · in` and
/// `fan_out = r · out`; a vector of `n` has both equal to `n`. These are Keras' rules.
///
/// The normal forms of Glorot, He and LeCun are Keras': a normal law cut off at two standard deviations and widened by
/// 1 / 0.8796, so that what is left has the variance that is meant.
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
    /// Normal. Keras' defaults are 0 and 0.05.
    Normal {
        /// The mean.
        mean: f32,
        /// The standard deviation.
        deviation: f32,
    },
    /// Normal, but for what lies more than two deviations from the mean. Keras' defaults are 0 and 0.05.
    TruncatedNormal {
        /// The mean.
        mean: f32,
        /// The standard deviation before the law is cut off; that of what is left is 0.8796 times it.
        deviation: f32,
    },
    /// Uniform from −l to l with l = √(6 / (fan_in + fan_out)) (Glorot and Bengio, 2010): Keras' default for kernels.
    #[default]
    GlorotUniform,
    /// Truncated normal of variance 2 / (fan_in + fan_out) (Glorot and Bengio, 2010).
    GlorotNormal,
    /// Uniform from −l to l with l = √(6 / fan_in) (He et al., 2015): for relu and its kin.
    HeUniform,
    /// Truncated normal of variance 2 / fan_in (He et al., 2015): for relu and its kin.
    HeNormal,
    /// Uniform from −l to l with l = √(3 / fan_in) (LeCun et al., 1998).
    LecunUniform,
    /// Truncated normal of variance 1 / fan_in (LeCun et al., 1998): for selu.
    LecunNormal,
    /// `gain` times a matrix with orthonormal columns, or rows where it has fewer rows, uniform among them (Saxe et al.,
    /// 2014). All dimensions but the last are rows; there must be two dimensions or more. Keras' gain is 1.
    Orthogonal {
        /// The factor.
        gain: f32,
    },
}

impl Initializer {
    /// Fills a row-major parameter of shape `shape`. The same seed gives the same bits on every machine.
    ///
    /// # Errors
    /// [`Error::Setting`] when a number of the initialiser makes no sense: one that is not finite, a lower bound above
    /// the upper one, a negative deviation. [`Error::InitializerShape`] for an orthogonal vector, and
    /// [`Error::Length`] when there are not as many values as the shape says.
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
        self.check(shape)?;
        let expected = shape.iter().product();
        if values.len() != expected {
            return Err(Error::Length {
                expected,
                found: values.len(),
            });
        }
        let (fan_in, fan_out) = fans(shape);
        let fans = fan_in + fan_out;
        let limit = |numerator: f64, fan: f64| (numerator / fan.max(1.0)).sqrt() as f32;
        let within = |values: &mut [f32], limit: f32| uniform(values, -limit, limit, seed);
        let of_variance = |values: &mut [f32], numerator: f64, fan: f64| {
            let deviation = (numerator / fan.max(1.0)).sqrt() / DEVIATION_WITHIN_2;
            truncated_normal(values, 0.0, deviation, seed);
        };
        match self {
            Self::Zeros => values.fill(0.0),
            Self::Ones => values.fill(1.0),
            Self::Constant(value) => values.fill(value),
            Self::Uniform { low, high } => uniform(values, low, high, seed),
            Self::Normal { mean, deviation } => normal(values, mean, deviation, seed),
            Self::TruncatedNormal { mean, deviation } => {
                truncated_normal(values, f64::from(mean), f64::from(deviation), seed);
            }
            Self::GlorotUniform => within(values, limit(6.0, fans)),
            Self::GlorotNormal => of_variance(values, 2.0, fans),
            Self::HeUniform => within(values, limit(6.0, fan_in)),
            Self::HeNormal => of_variance(values, 2.0, fan_in),
            Self::LecunUniform => within(values, limit(3.0, fan_in)),
            Self::LecunNormal => of_variance(values, 1.0, fan_in),
            Self::Orthogonal { gain } => {
                let columns = shape.last().copied().unwrap_or(0);
                orthogonal::fill(values, columns, gain, seed)?;
            }
        }
        Ok(())
    }

    pub(crate) fn check(self, shape: &[usize]) -> Result<(), Error> {
        let sound = |name, expected, found: f32, sound: bool| match sound {
            true => Ok(()),
            false => Err(Error::Setting {
                name,
                expected,
                found,
            }),
        };
        let finite = |name, found: f32| sound(name, "finite", found, found.is_finite());
        match self {
            Self::Constant(value) => finite("the initial constant", value),
            Self::Uniform { low, high } => {
                finite("the initial lower bound", low)?;
                finite("the initial upper bound", high)?;
                sound(
                    "the initial upper bound",
                    "at least the lower one",
                    high,
                    low <= high,
                )
            }
            Self::Normal { mean, deviation } | Self::TruncatedNormal { mean, deviation } => {
                finite("the initial mean", mean)?;
                sound(
                    "the initial deviation",
                    "finite and at least 0",
                    deviation,
                    deviation.is_finite() && deviation >= 0.0,
                )
            }
            Self::Orthogonal { gain } => {
                finite("the initial gain", gain)?;
                if shape.len() < 2 {
                    return Err(Error::InitializerShape {
                        found: shape.to_vec(),
                    });
                }
                Ok(())
            }
            _ => Ok(()),
        }
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

/// The standard deviation of a normal law of deviation 1 that is cut off at ±2.
const DEVIATION_WITHIN_2: f64 = 0.879_625_661_034_239_8;
