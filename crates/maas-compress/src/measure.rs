//! The metrics that need no choice: the error of numbers, the accuracy of classes.

use maas_core::Values;
use maas_data::{Dataset, Targets};
use maas_nn::Network;

use crate::Error;

/// A metric's name and value.
pub(crate) type Measured = (String, f64);

/// The root mean squared error of a regression, the accuracy of a classification.
pub(crate) fn measure(network: &Network, data: &Dataset) -> Result<Measured, Error> {
    let inputs: Vec<Values<'_>> = data.inputs().iter().map(|input| input.values()).collect();
    let answers = network.predict_values(data.rows(), &inputs)?;
    let width = network.output_width();
    match data.targets() {
        Targets::Labels {
            classes,
            data: labels,
        } => {
            // One output tells two classes apart.
            if *classes != width && (width != 1 || *classes > 2) {
                return Err(maas_nn::Error::Width {
                    expected: *classes,
                    found: width,
                }
                .into());
            }
            let right = answers
                .rows()
                .into_iter()
                .zip(labels)
                .filter(|(row, label)| {
                    let class = if width == 1 {
                        usize::from(row[0] > 0.5)
                    } else {
                        largest(row.iter().copied())
                    };
                    class == **label as usize
                });
            Ok((
                "accuracy".to_owned(),
                right.count() as f64 / data.rows() as f64,
            ))
        }
        _ => {
            let targets = data.y();
            if targets.ncols() != width {
                return Err(maas_nn::Error::Width {
                    expected: width,
                    found: targets.ncols(),
                }
                .into());
            }
            let squares = answers
                .iter()
                .zip(targets)
                .map(|(&answer, &target)| f64::from(answer - target).powi(2));
            let mean = squares.sum::<f64>() / (data.rows() * width) as f64;
            Ok(("root mean squared error".to_owned(), mean.sqrt()))
        }
    }
}

/// The first of the largest values; NaN is never larger.
fn largest(values: impl Iterator<Item = f32>) -> usize {
    let first = (0, f32::NEG_INFINITY);
    values
        .enumerate()
        .fold(
            first,
            |best, (index, value)| if value > best.1 { (index, value) } else { best },
        )
        .0
}
