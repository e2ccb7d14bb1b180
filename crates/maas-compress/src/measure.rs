//! The metrics that need no choice: the error of numbers, the accuracy of classes.

use maas_core::Values;
use maas_data::{Dataset, Targets};
use maas_nn::Network;
use maas_nn::metric::{Accuracy, Metric, MetricBatch, RootMeanSquaredError};

use crate::Error;

/// A metric's name and value.
pub(crate) type Measured = (String, f64);

/// The root mean squared error of a regression, the accuracy of a classification.
pub(crate) fn measure(network: &Network, data: &Dataset) -> Result<Measured, Error> {
    let inputs: Vec<Values<'_>> = data.inputs().iter().map(|input| input.values()).collect();
    let answers = network.predict_values(data.rows(), &inputs)?;
    let predictions: Vec<f32> = answers.iter().copied().collect();
    let width = network.output_width();
    let (metric, targets, expected, found): (&dyn Metric, _, _, _) = match data.targets() {
        Targets::Labels { classes, data } => {
            // One output tells two classes apart.
            let fits = width == 1 && *classes <= 2;
            let expected = if fits { width } else { *classes };
            let targets = maas_nn::Targets::Labels(data);
            (&Accuracy, targets, expected, width)
        }
        _ => {
            let targets = data.y();
            let values = targets.to_slice().expect("targets lie row by row");
            let values = maas_nn::Targets::Values(values);
            (&RootMeanSquaredError, values, width, targets.ncols())
        }
    };
    if found != expected {
        return Err(maas_nn::Error::Width { expected, found }.into());
    }
    let value = metric.measure(&MetricBatch::new(&predictions, targets, width));
    Ok((metric.name().replace('_', " "), value))
}
