use super::entropy::least_divergence;
use crate::Error;

/// How the range of a layer's inputs is found from examples of them: what lies beyond it becomes its end.
///
/// ```
/// use maas_compress::Calibration;
///
/// let mut inputs = vec![0.5; 999];
/// inputs.push(100.0); // an outlier
/// assert_eq!(Calibration::MinMax.range(&inputs)?, 100.0);
/// assert_eq!(Calibration::Percentile(99.0).range(&inputs)?, 0.5);
/// assert!(Calibration::MinMax.range(&[]).is_err());
/// # Ok::<(), maas_compress::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Calibration {
    /// The largest magnitude.
    #[default]
    MinMax,
    /// The magnitude that so many of a hundred do not exceed, such as 99.99.
    Percentile(f64),
    /// The range whose 128 levels keep most of the distribution of magnitudes: the least Kullback-Leibler divergence
    /// (Migacz, 2017), of a histogram without the zeros, which every range has, and as smooth as there are few inputs.
    Entropy,
    /// The range with the least mean squared error of the rounded inputs.
    MeanSquaredError,
}

impl Calibration {
    /// The end of the range of these inputs.
    ///
    /// # Errors
    /// [`Error::NoRows`] without inputs, [`Error::Percentile`], [`Error::InputNotFinite`].
    ///
    /// See the type for an example.
    pub fn range(self, inputs: &[f32]) -> Result<f32, Error> {
        if inputs.is_empty() {
            return Err(Error::NoRows);
        }
        if let Some(&found) = inputs.iter().find(|input| !input.is_finite()) {
            return Err(Error::InputNotFinite { found });
        }
        let largest = inputs
            .iter()
            .fold(0.0_f32, |largest, x| largest.max(x.abs()));
        if largest < f32::MIN_POSITIVE {
            return Ok(1.0);
        }
        let range = match self {
            Self::MinMax => largest,
            Self::Percentile(percentile) => percentile_of(inputs, percentile)?,
            Self::Entropy => least_divergence(&Histogram::new(inputs, largest)),
            Self::MeanSquaredError => least_error(&Histogram::new(inputs, largest)),
        };
        // A range of which nothing but zeros is left would round everything away.
        Ok(if range > 0.0 { range } else { largest })
    }
}

/// Magnitudes, counted in bins of equal width. Zeros are left out: every grid has them.
pub(super) struct Histogram {
    pub(super) counts: Vec<f64>,
    pub(super) width: f64,
}

impl Histogram {
    fn new(inputs: &[f32], largest: f32) -> Self {
        let width = f64::from(largest) / BINS as f64;
        let mut counts = vec![0.0; BINS];
        for input in inputs.iter().filter(|&&input| input != 0.0) {
            let bin = (f64::from(input.abs()) / width) as usize;
            counts[bin.min(BINS - 1)] += 1.0;
        }
        Self { counts, width }
    }

    /// Each count spread evenly over as many bins as the sample is too small to tell apart: the rule of Scott (1979) for
    /// the width of bins, a seventh of it to either side.
    pub(super) fn smooth(&self) -> Vec<f64> {
        let count: f64 = self.counts.iter().sum();
        let middles = (0..).map(|bin| f64::from(bin) + 0.5);
        let squares = self.counts.iter().zip(middles).map(|(n, x)| n * x * x);
        let deviation = (squares.sum::<f64>() / count).sqrt();
        let reach = (0.5 * deviation / count.cbrt()) as usize;
        let last = self.counts.len() - 1;
        // Below zero are the magnitudes of the other sign; beyond the last bin there is nothing.
        let mut smooth = vec![0.0; last + 1];
        for (bin, n) in self.counts.iter().enumerate() {
            let share = n / (2 * reach + 1) as f64;
            let around = bin.saturating_sub(reach)..=(bin + reach).min(last);
            let mirrored = ..reach.saturating_sub(bin);
            smooth[around].iter_mut().for_each(|to| *to += share);
            smooth[mirrored].iter_mut().for_each(|to| *to += share);
        }
        smooth
    }

    /// The upper end of so many bins.
    pub(super) fn end(&self, bins: usize) -> f32 {
        (self.width * bins as f64) as f32
    }
}

fn percentile_of(inputs: &[f32], percentile: f64) -> Result<f32, Error> {
    if !(percentile > 0.0 && percentile <= 100.0) {
        return Err(Error::Percentile { found: percentile });
    }
    let mut magnitudes: Vec<f32> = inputs.iter().map(|input| input.abs()).collect();
    let rank = (percentile / 100.0 * magnitudes.len() as f64).ceil() as usize;
    let (_, &mut magnitude, _) = magnitudes.select_nth_unstable_by(rank.max(1) - 1, f32::total_cmp);
    Ok(magnitude)
}

fn least_error(histogram: &Histogram) -> f32 {
    let error = |bins: usize| {
        let step = histogram.width * bins as f64 / 127.0;
        let errors = histogram.counts.iter().enumerate().map(|(bin, count)| {
            let middle = (bin as f64 + 0.5) * histogram.width;
            let rounded = (middle / step).round().min(127.0) * step;
            count * (middle - rounded).powi(2)
        });
        errors.sum::<f64>()
    };
    let ranges = (BINS / 16..=BINS).step_by(BINS / 256);
    let best = ranges.min_by(|&a, &b| error(a).total_cmp(&error(b)));
    histogram.end(best.expect("there are ranges"))
}

const BINS: usize = 2048;

#[cfg(test)]
mod tests {
    use maas_kernels::normal_quantile;

    use super::*;

    fn normal(count: usize) -> Vec<f32> {
        (0..count)
            .map(|index| normal_quantile((index as f64 + 0.5) / count as f64) as f32)
            .collect()
    }

    fn mean_squared_error(inputs: &[f32], range: f32) -> f32 {
        let step = range / 127.0;
        let errors = inputs
            .iter()
            .map(|x| (x - (x / step).round().clamp(-127.0, 127.0) * step).powi(2));
        errors.sum::<f32>() / inputs.len() as f32
    }

    #[test]
    fn outliers_do_not_rule_all_but_the_largest() {
        let mut inputs = normal(20_000);
        inputs.push(60.0);
        assert_eq!(Calibration::MinMax.range(&inputs).unwrap(), 60.0);
        let range = |calibration: Calibration| calibration.range(&inputs).unwrap();
        assert!((3.0..4.0).contains(&range(Calibration::Percentile(99.9))));
        assert!((2.0..30.0).contains(&range(Calibration::Entropy)));
        assert!((30.0..59.0).contains(&range(Calibration::MeanSquaredError)));
    }

    #[test]
    fn the_least_error_is_less_than_that_of_the_others() {
        let mut inputs = normal(20_000);
        inputs.extend([8.0, -9.0]);
        let error = |calibration: Calibration| {
            mean_squared_error(&inputs, calibration.range(&inputs).unwrap())
        };
        let least = error(Calibration::MeanSquaredError);
        for calibration in [
            Calibration::MinMax,
            Calibration::Percentile(99.0),
            Calibration::Entropy,
        ] {
            assert!(least <= 1.01 * error(calibration), "{calibration:?}");
        }
    }

    /// Few examples, and those of a relu, half of which are zeros, tell about as much as many.
    #[test]
    fn entropy_calibration_does_not_cut_off_what_few_examples_or_zeros_hide() {
        let relu = |count: usize| normal(count).into_iter().map(|x| x.max(0.0));
        let relu = |count: usize| relu(count).collect::<Vec<_>>();
        for (of, all) in [
            (&normal as &dyn Fn(usize) -> Vec<f32>, normal(50_000)),
            (&relu, relu(50_000)),
        ] {
            for count in [300, 1_000, 5_000, 50_000] {
                let few = of(count);
                let range = |calibration: Calibration| calibration.range(&few).unwrap();
                let entropy = mean_squared_error(&all, range(Calibration::Entropy));
                let largest = mean_squared_error(&all, range(Calibration::MinMax));
                assert!(entropy < 1.5 * largest, "{count}: {entropy} and {largest}");
            }
        }
    }

    #[test]
    fn zeros_have_a_range() {
        for calibration in [
            Calibration::MinMax,
            Calibration::Entropy,
            Calibration::Percentile(1.0),
        ] {
            assert_eq!(calibration.range(&[0.0; 4]).unwrap(), 1.0);
        }
        let mostly = [0.0, 0.0, 0.0, 2.0];
        assert_eq!(Calibration::Percentile(50.0).range(&mostly).unwrap(), 2.0);
    }

    #[test]
    fn what_makes_no_sense_is_an_error() {
        assert!(matches!(
            Calibration::Percentile(0.0).range(&[1.0]),
            Err(Error::Percentile { found: 0.0 })
        ));
        assert!(matches!(
            Calibration::MinMax.range(&[1.0, f32::INFINITY]),
            Err(Error::InputNotFinite { .. })
        ));
    }
}
