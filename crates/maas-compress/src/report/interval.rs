//! Confidence intervals of 95 %.

use serde::{Deserialize, Serialize};

/// Where a metric's true value lies with a probability of 95 %, for other rows from where these came.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Interval {
    /// Of a fraction of so many rows (Wilson, 1927).
    ///
    /// ```
    /// let interval = maas_compress::Interval::of_fraction(0.9, 100);
    /// assert!((interval.low - 0.826).abs() < 1e-3 && (interval.high - 0.945).abs() < 1e-3);
    /// ```
    pub fn of_fraction(fraction: f64, rows: usize) -> Self {
        let n = rows.max(1) as f64;
        let square = Z * Z / n;
        let middle = fraction + square / 2.0;
        let half = Z * (fraction * (1.0 - fraction) / n + square / (4.0 * n)).sqrt();
        Self {
            low: (middle - half) / (1.0 + square),
            high: (middle + half) / (1.0 + square),
        }
    }

    /// Of the root of the mean of these squares, as the mean of many is normal.
    ///
    /// ```
    /// let interval = maas_compress::Interval::of_root_mean(&[1.0; 50]);
    /// assert_eq!((interval.low, interval.high), (1.0, 1.0));
    /// ```
    pub fn of_root_mean(squares: &[f64]) -> Self {
        let n = squares.len().max(1) as f64;
        let mean = squares.iter().sum::<f64>() / n;
        let deviations = squares.iter().map(|square| (square - mean).powi(2));
        let half = Z * (deviations.sum::<f64>() / n / n).sqrt();
        Self {
            low: (mean - half).max(0.0).sqrt(),
            high: (mean + half).sqrt(),
        }
    }
}

/// 97.5 % of a standard normal number's probability lie below it.
const Z: f64 = 1.959_963_984_540_054;
