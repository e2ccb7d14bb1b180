//! The learning-rate range test.

use std::error::Error as StdError;

use maas_data::Dataset;
use maas_nn::Network;
use serde::{Deserialize, Serialize};

use super::plot;
use crate::{Callback, Error, Flow, LearningRate, Span, Trainer, Training};

/// Finds a learning rate: a copy of the network is trained with rates that grow from step to step, and the loss of each
/// batch shows which rates train and which ones do not (Smith, *Cyclical learning rates for training neural networks*,
/// 2015).
///
/// ```
/// use maas_core::Seed;
/// use maas_data::Dataset;
/// use maas_nn::{MeanSquaredError, Sequential};
/// use maas_train::{Adam, Progress, RangeTest, Trainer};
/// use ndarray::Array2;
///
/// let x = Array2::from_shape_fn((256, 2), |(row, column)| ((row * 7 + column * 13) % 32) as f32 / 16.0 - 1.0);
/// let y = Array2::from_shape_fn((256, 1), |(row, _)| x[[row, 0]] - 2.0 * x[[row, 1]]);
/// let data = Dataset::new(x.view(), y.view())?;
/// let network = Sequential::new(data.features()).dense(16).relu().dense(1).build(Seed(7))?;
///
/// let trainer = Trainer::new(Adam::new(1e-3), MeanSquaredError).progress(Progress::Quiet);
/// let curve = RangeTest::new().run(&trainer, &network, &data)?;
/// let rate = curve.suggestion().expect("some rate trains this network");
/// assert!((1e-4..1.0).contains(&rate));
/// assert!(curve.to_svg().starts_with("<svg"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use]
pub struct RangeTest {
    from: f32,
    to: f32,
    steps: u32,
    smoothing: f32,
    stop_at: f32,
}

impl Default for RangeTest {
    fn default() -> Self {
        Self {
            from: 1e-7,
            to: 10.0,
            steps: 200,
            smoothing: 0.9,
            stop_at: 4.0,
        }
    }
}

impl RangeTest {
    /// From 10⁻⁷ to 10 in 200 steps, losses smoothed by a running mean that keeps 0.9, and stopped where that is four
    /// times its lowest.
    ///
    /// ```
    /// let test = maas_train::RangeTest::new();
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// The first and the last rate, 0 < from < to.
    ///
    /// ```
    /// let test = maas_train::RangeTest::new().rates(1e-5, 1.0);
    /// ```
    pub fn rates(self, from: f32, to: f32) -> Self {
        Self { from, to, ..self }
    }

    /// How many steps, at least 2.
    ///
    /// ```
    /// let test = maas_train::RangeTest::new().steps(100);
    /// ```
    pub fn steps(self, steps: u32) -> Self {
        Self { steps, ..self }
    }

    /// The share 0 ≤ β < 1 of the running mean that each step keeps.
    ///
    /// ```
    /// let test = maas_train::RangeTest::new().smoothing(0.98);
    /// ```
    pub fn smoothing(self, smoothing: f32) -> Self {
        Self { smoothing, ..self }
    }

    /// Stop where the smoothed loss is this many times its lowest; above 1.
    ///
    /// ```
    /// let test = maas_train::RangeTest::new().stop_at(10.0);
    /// ```
    pub fn stop_at(self, stop_at: f32) -> Self {
        Self { stop_at, ..self }
    }

    /// Trains a copy of the network with the trainer's optimiser, loss, batches and seed; the network stays as it is.
    /// Validation, callbacks and early stopping have no part in it.
    ///
    /// # Errors
    /// [`Error::Coefficient`] when a number of the test makes no sense, and what
    /// [`Trainer::fit`](crate::Trainer::fit) finds wrong with the data. A loss or gradient that stops being finite ends
    /// the curve and is no error.
    pub fn run(
        &self,
        trainer: &Trainer<'_>,
        network: &Network,
        data: &Dataset,
    ) -> Result<RangeCurve, Error> {
        self.check()?;
        let growth = f64::from(self.to) / f64::from(self.from);
        let over = Span::steps(u64::from(self.steps) - 1);
        let rate = LearningRate::exponential(self.from, growth as f32, over);
        let mut watch = Watch {
            test: *self,
            mean: 0.0,
            weight: 0.0,
            lowest: f64::INFINITY,
            points: Vec::with_capacity(self.steps as usize),
        };
        let outcome = trainer
            .bare(trainer.optimizer().clone().learning_rate(rate))
            .epochs(self.steps as usize)
            .callback(&mut watch)
            .fit(&mut network.clone(), data);
        match outcome {
            Ok(_)
            | Err(
                Error::NonFiniteLoss { .. }
                | Error::NonFiniteGradient { .. }
                | Error::NonFiniteWeights { .. },
            ) => Ok(RangeCurve {
                points: watch.points,
            }),
            Err(error) => Err(error),
        }
    }

    fn check(&self) -> Result<(), Error> {
        let Self {
            from,
            to,
            steps,
            smoothing,
            stop_at,
        } = *self;
        let checks = [
            (from > 0.0 && from.is_finite(), "from", "(0, ∞)", from),
            (to > from && to.is_finite(), "to", "(from, ∞)", to),
            (steps >= 2, "steps", "[2, ∞)", steps as f32),
            (
                (0.0..1.0).contains(&smoothing),
                "smoothing",
                "[0, 1)",
                smoothing,
            ),
            (stop_at > 1.0, "stop_at", "(1, ∞)", stop_at),
        ];
        for (fits, name, range, value) in checks {
            if !fits {
                return Err(Error::Coefficient { name, range, value });
            }
        }
        Ok(())
    }
}

/// Losses over rates, as a [`RangeTest`] found them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RangeCurve {
    /// One point a step, in ascending order of rates.
    pub points: Vec<RangePoint>,
}

/// One step of a [`RangeTest`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RangePoint {
    /// The rate of the step.
    pub rate: f32,
    /// The loss of its batch, before the step.
    pub loss: f32,
    /// The running mean of losses.
    pub smoothed: f32,
}

impl RangePoint {
    /// A point.
    ///
    /// ```
    /// assert_eq!(maas_train::RangePoint::new(0.1, 2.0, 2.5).rate, 0.1);
    /// ```
    #[must_use]
    pub const fn new(rate: f32, loss: f32, smoothed: f32) -> Self {
        Self {
            rate,
            loss,
            smoothed,
        }
    }
}

impl RangeCurve {
    /// A curve of these points.
    ///
    /// ```
    /// use maas_train::{RangeCurve, RangePoint};
    /// assert_eq!(RangeCurve::new([RangePoint::new(0.1, 2.0, 2.0)]).points.len(), 1);
    /// ```
    #[must_use]
    pub fn new(points: impl IntoIterator<Item = RangePoint>) -> Self {
        Self {
            points: points.into_iter().collect(),
        }
    }

    /// The rate at which the smoothed loss falls fastest over the logarithm of the rate, of those before its lowest
    /// point; `None` where it does not fall. It is a good constant rate, or the highest one of a schedule.
    ///
    /// ```
    /// use maas_train::{RangeCurve, RangePoint};
    ///
    /// let losses = [(1e-6, 1.0), (1e-5, 0.99), (1e-4, 0.9), (1e-3, 0.5), (1e-2, 0.4), (0.1, 0.38), (1.0, 0.9)];
    /// let points = losses.map(|(rate, loss)| RangePoint::new(rate, loss, loss));
    /// assert_eq!(RangeCurve::new(points).suggestion(), Some(1e-3));
    /// assert_eq!(RangeCurve::default().suggestion(), None);
    /// ```
    #[must_use]
    pub fn suggestion(&self) -> Option<f32> {
        self.steepest().map(|index| self.points[index].rate)
    }

    /// The curve as an SVG that needs no other file: losses over rates on a logarithmic axis, the smoothed ones and the
    /// suggestion.
    ///
    /// ```
    /// use maas_train::{RangeCurve, RangePoint};
    /// let curve = RangeCurve::new([RangePoint::new(0.01, 2.0, 2.0), RangePoint::new(0.1, 1.0, 1.5)]);
    /// assert!(curve.to_svg().contains("learning rate"));
    /// ```
    #[must_use]
    pub fn to_svg(&self) -> String {
        plot::svg(&self.points, self.steepest())
    }

    /// Write [`to_svg`](Self::to_svg) to a file.
    ///
    /// ```no_run
    /// maas_train::RangeCurve::default().save_svg("rates.svg")?;
    /// # Ok::<(), maas_train::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Write`].
    pub fn save_svg(&self, path: impl AsRef<std::path::Path>) -> Result<(), Error> {
        std::fs::write(path, self.to_svg()).map_err(Error::Write)
    }

    /// The number of the point about which the smoothed loss falls fastest: a line is laid through a fifth of the points,
    /// so that the noise of batches is not taken for a fall, and the beginning, where few batches make the mean, is left
    /// out.
    fn steepest(&self) -> Option<usize> {
        let points = &self.points;
        let lowest =
            (0..points.len()).min_by(|&a, &b| points[a].smoothed.total_cmp(&points[b].smoothed))?;
        let reach = (points.len() / 10).max(1);
        let slope = |index: usize| {
            let window = &points[index - reach..(index + reach + 1).min(points.len())];
            let x = |point: &RangePoint| super::math::ln(point.rate.into());
            let y = |point: &RangePoint| f64::from(point.smoothed);
            let count = window.len() as f64;
            let (x_mean, y_mean) = (
                window.iter().map(x).sum::<f64>() / count,
                window.iter().map(y).sum::<f64>() / count,
            );
            let covariance = window.iter().map(|p| (x(p) - x_mean) * (y(p) - y_mean));
            let variance = window.iter().map(|p| (x(p) - x_mean) * (x(p) - x_mean));
            covariance.sum::<f64>() / variance.sum::<f64>()
        };
        (2 * reach..lowest)
            .map(|index| (index, slope(index)))
            .filter(|(_, slope)| *slope < 0.0)
            .min_by(|a, b| a.1.total_cmp(&b.1))
            .map(|(index, _)| index)
    }
}

/// Notes losses, and stops where they are too high.
struct Watch {
    test: RangeTest,
    mean: f64,
    /// What the mean would be if every loss were 1.
    weight: f64,
    lowest: f64,
    points: Vec<RangePoint>,
}

impl Callback for Watch {
    fn name(&self) -> &str {
        "range test"
    }

    fn batch_end(
        &mut self,
        training: &Training<'_>,
    ) -> Result<Flow, Box<dyn StdError + Send + Sync>> {
        let Some(loss) = training.loss else {
            return Ok(Flow::Continue);
        };
        let keep = f64::from(self.test.smoothing);
        self.mean = keep * self.mean + (1.0 - keep) * f64::from(loss);
        self.weight = keep * self.weight + (1.0 - keep);
        let smoothed = self.mean / self.weight;
        self.lowest = self.lowest.min(smoothed);
        self.points.push(RangePoint::new(
            training.learning_rate,
            loss,
            smoothed as f32,
        ));
        let over = self.points.len() >= self.test.steps as usize
            || smoothed > f64::from(self.test.stop_at) * self.lowest;
        Ok(if over { Flow::Stop } else { Flow::Continue })
    }
}
