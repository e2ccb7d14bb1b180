//! The metrics that need no choice: the error of numbers, the accuracy of classes.

use maas_data::{Dataset, Targets};
use maas_nn::Network;
use maas_nn::metric::{Accuracy, Goal, Metric, MetricBatch, RootMeanSquaredError};

use crate::inputs::values;
use crate::{Error, Interval};

/// A metric of a network.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    pub(crate) name: String,
    pub(crate) value: f64,
    pub(crate) interval: Option<Interval>,
}

/// Which way the metric of these data is better.
pub(crate) fn goal(data: &Dataset) -> Goal {
    match data.targets() {
        Targets::Labels { .. } => Accuracy.goal(),
        _ => RootMeanSquaredError.goal(),
    }
}

/// The root mean squared error of a regression, the accuracy of a classification.
pub(crate) fn measure(network: &Network, data: &Dataset) -> Result<Measured, Error> {
    let answers = network.predict_values(data.rows(), &values(data))?;
    let predictions: Vec<f32> = answers.iter().copied().collect();
    let width = network.output_width();
    let fits = |expected: usize, found: usize| match found == expected {
        true => Ok(()),
        false => Err(maas_nn::Error::Width { expected, found }),
    };
    match data.targets() {
        Targets::Labels {
            classes,
            data: labels,
        } => {
            // One output tells two classes apart.
            let expected = if width == 1 && *classes <= 2 {
                width
            } else {
                *classes
            };
            fits(expected, width)?;
            let targets = maas_nn::Targets::Labels(labels);
            let accuracy = Accuracy.measure(&MetricBatch::new(&predictions, targets, width));
            let interval = Interval::of_fraction(accuracy, data.rows());
            Ok(measured(&Accuracy, accuracy, interval))
        }
        _ => {
            let targets = data.y();
            fits(width, targets.ncols())?;
            let values = targets.to_slice().expect("targets lie row by row");
            let batch = MetricBatch::new(&predictions, maas_nn::Targets::Values(values), width);
            let pairs = predictions.iter().zip(values);
            let squares: Vec<f64> = pairs
                .map(|(&prediction, &target)| (f64::from(prediction) - f64::from(target)).powi(2))
                .collect();
            let error = RootMeanSquaredError.measure(&batch);
            let interval = Interval::of_root_mean(&squares);
            Ok(measured(&RootMeanSquaredError, error, interval))
        }
    }
}

fn measured(metric: &dyn Metric, value: f64, interval: Interval) -> Measured {
    Measured {
        name: metric.name().replace('_', " "),
        value,
        interval: Some(interval),
    }
}
