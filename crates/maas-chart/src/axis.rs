//! Scales and ticks.

/// The largest value must be this many times the smallest for a logarithmic axis.
const LOGARITHMIC_FROM: f64 = 25.0;

/// Maps values onto 0..=1 and knows where its ticks are.
///
/// ```
/// let axis = maas_chart::Axis::over([2.0, 9.0].into_iter());
/// assert_eq!((axis.place(0.0), axis.place(10.0)), (0.0, 1.0));
/// assert_eq!(axis.ticks().len(), 6);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    low: f64,
    high: f64,
    scale: Scale,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Scale {
    Counting,
    Linear,
    Logarithmic,
}

impl Axis {
    /// An axis over finite values: logarithmic when they are positive and span enough, else from a round value to one.
    ///
    /// See the type for an example.
    pub fn over(values: impl Iterator<Item = f64> + Clone) -> Self {
        let low = values.clone().fold(f64::INFINITY, f64::min);
        let high = values.fold(f64::NEG_INFINITY, f64::max);
        if low > high {
            return Self {
                low: 0.0,
                high: 1.0,
                scale: Scale::Linear,
            };
        }
        if low > 0.0 && high >= LOGARITHMIC_FROM * low {
            let (low, high) = (floor_125(low), ceil_125(high));
            return Self {
                low,
                high,
                scale: Scale::Logarithmic,
            };
        }
        let low = if low >= 0.0 && low < 0.5 * high {
            0.0
        } else {
            low
        };
        let step = step_for(if high > low {
            high - low
        } else {
            high.abs().max(1.0)
        });
        let (low, mut high) = ((low / step).floor() * step, (high / step).ceil() * step);
        if high <= low {
            high = low + step;
        }
        Self {
            low,
            high,
            scale: Scale::Linear,
        }
    }

    /// An axis of counted things, from the least to the largest.
    pub(crate) fn counting(values: impl Iterator<Item = f64> + Clone) -> Self {
        let low = values.clone().fold(f64::INFINITY, f64::min);
        let high = values.fold(f64::NEG_INFINITY, f64::max);
        let (low, high) = if low < high {
            (low, high)
        } else if low == high {
            (low - 0.5, low + 0.5)
        } else {
            (0.5, 1.5)
        };
        Self {
            low,
            high,
            scale: Scale::Counting,
        }
    }

    /// The value at the low end.
    pub(crate) fn low(&self) -> f64 {
        self.low
    }

    /// Where a value lies: 0 at the low end, 1 at the high end.
    ///
    /// See the type for an example.
    pub fn place(&self, value: f64) -> f64 {
        match self.scale {
            Scale::Counting | Scale::Linear => (value - self.low) / (self.high - self.low),
            Scale::Logarithmic => (value / self.low).ln() / (self.high / self.low).ln(),
        }
    }

    /// Ticks with their labels, ascending.
    ///
    /// See the type for an example.
    pub fn ticks(&self) -> Vec<(f64, String)> {
        match self.scale {
            Scale::Counting => self.whole_ticks(),
            Scale::Linear => self.linear_ticks(step_for(self.high - self.low)),
            Scale::Logarithmic => self.logarithmic_ticks(),
        }
    }

    /// Ticks at whole numbers only.
    fn whole_ticks(&self) -> Vec<(f64, String)> {
        let step = step_for((self.high - self.low) / 2.0).max(1.0).ceil();
        let mut ticks = self.linear_ticks(step);
        ticks.retain(|(value, _)| *value >= 1.0);
        if step > 1.0 && self.low == 1.0 {
            ticks.insert(0, (1.0, "1".into()));
        }
        ticks
    }

    fn linear_ticks(&self, step: f64) -> Vec<(f64, String)> {
        let first = (self.low / step - 1e-9).ceil() as i64;
        let last = (self.high / step + 1e-9).floor() as i64;
        let decimals = (-step.log10().floor()).clamp(0.0, 12.0) as usize;
        (first..=last)
            .map(|i| i as f64 * step)
            .map(|value| (value, label(value, decimals)))
            .collect()
    }

    fn logarithmic_ticks(&self) -> Vec<(f64, String)> {
        let (first, last) = (
            self.low.log10().floor() as i32,
            self.high.log10().ceil() as i32,
        );
        let multiples: &[f64] = match last - first {
            ..=3 => &[1.0, 2.0, 5.0],
            _ => &[1.0],
        };
        let every = ((last - first) / 8).max(1) as usize;
        (first..=last)
            .step_by(every)
            .flat_map(|exponent| {
                multiples
                    .iter()
                    .map(move |multiple| (multiple * 10f64.powi(exponent), exponent))
            })
            .filter(|(value, _)| {
                *value >= self.low * (1.0 - 1e-9) && *value <= self.high * (1.0 + 1e-9)
            })
            .map(|(value, exponent)| (value, label(value, (-exponent).max(0) as usize)))
            .collect()
    }
}

fn label(value: f64, decimals: usize) -> String {
    if value != 0.0 && !(1e-4..1e6).contains(&value.abs()) {
        format!("{value:e}")
    } else {
        format!("{value:.decimals$}")
    }
}

/// A step of 1, 2 or 5 times a power of ten that cuts the span into 4 to 10 parts.
fn step_for(span: f64) -> f64 {
    let power = 10f64.powf((span / 5.0).log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|multiple| multiple * power)
        .rfind(|step| span / step >= 4.0)
        .unwrap_or(power)
}

fn floor_125(value: f64) -> f64 {
    let power = 10f64.powf(value.log10().floor());
    [5.0, 2.0, 1.0]
        .into_iter()
        .map(|multiple| multiple * power)
        .find(|round| *round <= value)
        .unwrap_or(power)
}

fn ceil_125(value: f64) -> f64 {
    let power = 10f64.powf(value.log10().floor());
    [1.0, 2.0, 5.0]
        .into_iter()
        .map(|multiple| multiple * power)
        .find(|round| *round >= value)
        .unwrap_or(10.0 * power)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(values: &[f64]) -> Vec<String> {
        Axis::over(values.iter().copied())
            .ticks()
            .into_iter()
            .map(|(_, label)| label)
            .collect()
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(
            labels(&[0.07, 0.93]),
            ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]
        );
        assert_eq!(
            labels(&[0.01, 0.9]),
            ["0.01", "0.02", "0.05", "0.1", "0.2", "0.5", "1"]
        );
        assert_eq!(
            labels(&[3e-7, 2.0]).first().map(String::as_str),
            Some("1e-6")
        );
        assert_eq!(
            labels(&[512.0, 519.0]),
            ["512", "513", "514", "515", "516", "517", "518", "519"]
        );
    }

    #[test]
    fn odd_ranges_still_have_an_axis() {
        for values in [
            &[][..],
            &[0.0],
            &[1.0],
            &[-3.0],
            &[2.0, 2.0],
            &[-1.0, 1.0],
            &[1e-30, 1e30],
        ] {
            let axis = Axis::over(values.iter().copied());
            assert!(axis.low < axis.high, "{values:?}: {axis:?}");
            assert!(
                (2..=24).contains(&axis.ticks().len()),
                "{values:?}: {:?}",
                axis.ticks()
            );
            for &value in values {
                assert!(
                    (-1e-9..=1.0 + 1e-9).contains(&axis.place(value)),
                    "{values:?}: {axis:?}"
                );
            }
        }
    }

    #[test]
    fn epochs_are_whole() {
        let labels = |last| {
            Axis::counting([1.0, last].into_iter())
                .ticks()
                .into_iter()
                .map(|(_, label)| label)
                .collect::<Vec<_>>()
        };
        assert_eq!(labels(1.0), ["1"]);
        assert_eq!(labels(3.0), ["1", "2", "3"]);
        assert_eq!(labels(10.0).first().map(String::as_str), Some("1"));
        assert_eq!(
            labels(100.0),
            [
                "1", "10", "20", "30", "40", "50", "60", "70", "80", "90", "100"
            ]
        );
    }
}
