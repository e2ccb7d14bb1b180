use super::{Metric, MetricBatch, classes};
use crate::Targets;

/// Which classes a precision, a recall or an F1 speaks of.
///
/// A class that neither occurs nor is predicted does not enter averages, as in scikit-learn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ClassAverage {
    /// Of this class alone; of a network with one output, 1 is the class of predictions above the threshold.
    Class(usize),
    /// The plain mean over classes.
    Macro,
    /// Of all decisions together, which is the accuracy.
    Micro,
    /// The mean over classes by how often they occur.
    Weighted,
}

impl ClassAverage {
    fn name(self, figure: &str) -> String {
        match self {
            Self::Class(class) => format!("{figure}_class_{class}"),
            Self::Macro => format!("{figure}_macro"),
            Self::Micro => format!("{figure}_micro"),
            Self::Weighted => format!("{figure}_weighted"),
        }
    }

    /// The average of what `figure` makes of each class's right, predicted and actual rows.
    fn of(self, accumulators: &[f64], figure: impl Fn(f64, f64, f64) -> f64) -> f64 {
        let counts = accumulators.chunks_exact(COUNTS);
        let of_class = |class: &[f64]| figure(class[0], class[1], class[2]);
        let total = |index: usize| counts.clone().map(|class| class[index]).sum::<f64>();
        match self {
            Self::Class(class) => counts.clone().nth(class).map_or(f64::NAN, of_class),
            Self::Micro => figure(total(0), total(1), total(2)),
            Self::Macro => {
                let there = counts.filter(|class| class[1] + class[2] > 0.0);
                let (sum, count) = there.fold((0.0, 0.0), |(sum, count), class| {
                    (sum + of_class(class), count + 1.0)
                });
                sum / count
            }
            Self::Weighted => {
                let weighted = counts.clone().map(|class| class[2] * of_class(class));
                weighted.sum::<f64>() / total(2)
            }
        }
    }
}

/// A class's rows that are rightly predicted, that are predicted, and that there are.
const COUNTS: usize = 3;

pub(super) fn precision(right: f64, predicted: f64, _actual: f64) -> f64 {
    ratio(right, predicted)
}

pub(super) fn recall(right: f64, _predicted: f64, actual: f64) -> f64 {
    ratio(right, actual)
}

pub(super) fn f1(right: f64, predicted: f64, actual: f64) -> f64 {
    ratio(2.0 * right, predicted + actual)
}

/// 0 where nothing is to be divided by.
fn ratio(a: f64, b: f64) -> f64 {
    if b == 0.0 { 0.0 } else { a / b }
}

macro_rules! figure {
    ($(#[$doc:meta])* $metric:ident, $name:literal, $figure:path) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $metric {
            average: ClassAverage,
            threshold: f32,
            name: String,
        }

        impl $metric {
            /// Of these classes.
            ///
            /// See the type for an example.
            #[must_use]
            pub fn new(average: ClassAverage) -> Self {
                Self { average, threshold: 0.5, name: average.name($name) }
            }

            /// Of this class.
            ///
            /// See the type for an example.
            #[must_use]
            pub fn of_class(class: usize) -> Self {
                Self::new(ClassAverage::Class(class))
            }

            /// What a prediction has to be above to mean class 1, where the network has one output; ½ unless set.
            ///
            /// See the type for an example.
            #[must_use]
            pub fn threshold(mut self, threshold: f32) -> Self {
                self.threshold = threshold;
                self
            }
        }

        impl Metric for $metric {
            fn name(&self) -> &str {
                &self.name
            }

            fn accepts(&self, targets: Targets<'_>) -> bool {
                matches!(targets, Targets::Values(_) | Targets::Labels(_))
            }

            fn accumulators(&self, width: usize) -> usize {
                COUNTS * classes::count(width)
            }

            fn update(&self, batch: &MetricBatch<'_>, accumulators: &mut [f64]) {
                count(batch, self.threshold, accumulators);
            }

            fn value(&self, accumulators: &[f64]) -> f64 {
                self.average.of(accumulators, $figure)
            }
        }
    };
}

figure! {
    /// The share of what was predicted that is right: true positives / (true + false positives), 0 where nothing was
    /// predicted.
    ///
    /// ```
    /// use maas_nn::Targets;
    /// use maas_nn::metric::{ClassAverage, Metric, MetricBatch, Precision};
    ///
    /// let batch = MetricBatch::new(&[0.9, 0.8, 0.6, 0.1], Targets::Labels(&[1, 1, 0, 0]), 1);
    /// assert_eq!(Precision::of_class(1).measure(&batch), 2.0 / 3.0);
    /// assert_eq!(Precision::of_class(1).threshold(0.7).measure(&batch), 1.0);
    /// assert_eq!(Precision::new(ClassAverage::Macro).measure(&batch), (2.0 / 3.0 + 1.0) / 2.0);
    /// ```
    Precision, "precision", precision
}

figure! {
    /// The share of what there is that was found: true positives / (true positives + false negatives), 0 where there
    /// is nothing.
    ///
    /// ```
    /// use maas_nn::Targets;
    /// use maas_nn::metric::{ClassAverage, Metric, MetricBatch, Recall};
    ///
    /// let batch = MetricBatch::new(&[0.9, 0.2, 0.6, 0.1], Targets::Labels(&[1, 1, 0, 1]), 1);
    /// assert_eq!(Recall::of_class(1).measure(&batch), 1.0 / 3.0);
    /// assert_eq!(Recall::of_class(1).threshold(0.15).measure(&batch), 2.0 / 3.0);
    /// assert_eq!(Recall::new(ClassAverage::Weighted).measure(&batch), 0.25);
    /// ```
    Recall, "recall", recall
}

figure! {
    /// The harmonic mean of precision and recall: 2·true positives / (predicted + actual), 0 where there is neither.
    ///
    /// ```
    /// use maas_nn::Targets;
    /// use maas_nn::metric::{ClassAverage, F1, Metric, MetricBatch};
    ///
    /// let batch = MetricBatch::new(&[0.9, 0.8, 0.6, 0.1], Targets::Labels(&[1, 1, 0, 0]), 1);
    /// assert_eq!(F1::of_class(1).measure(&batch), 0.8);
    /// assert_eq!(F1::of_class(1).threshold(0.7).measure(&batch), 1.0);
    /// assert_eq!(F1::new(ClassAverage::Micro).measure(&batch), 0.75);
    /// ```
    F1, "f1", f1
}

fn count(batch: &MetricBatch<'_>, threshold: f32, accumulators: &mut [f64]) {
    classes::each(batch, threshold, |actual, predicted| {
        accumulators[COUNTS * predicted + 1] += 1.0;
        if let Some(count) = accumulators.get_mut(COUNTS * actual + 2) {
            *count += 1.0;
        }
        if actual == predicted {
            accumulators[COUNTS * actual] += 1.0;
        }
    });
}
