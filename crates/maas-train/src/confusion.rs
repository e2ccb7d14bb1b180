use std::ops::Range;

use maas_core::Values;
use maas_data::{Dataset, Input, Targets};
use maas_nn::Network;

use crate::{ConfusionMatrix, Error, MetricBatch};

/// Rows of one pass.
const PASS: usize = 4096;

/// Which classes a network takes the rows of a data set for. Classes have the names that the data give them.
///
/// A network with one output tells two classes apart by the threshold ½.
///
/// # Errors
/// [`Error::TargetKind`] where the data have no labels, [`Error::TargetWidth`] where they have other classes than the network,
/// and what the network says about inputs that do not fit.
///
/// ```
/// use maas_core::Seed;
/// use maas_data::Dataset;
/// use maas_nn::Sequential;
/// use maas_train::confusion_matrix;
/// use ndarray::array;
///
/// let x = array![[0.0_f32, 1.0], [1.0, 0.0], [0.9, 0.2]];
/// let data = Dataset::classification(x.view(), &[0, 1, 1], ["benign", "malignant"])?;
/// let network = Sequential::new(data.features()).dense(2).softmax().build(Seed(7))?;
/// let matrix = confusion_matrix(&network, &data)?;
/// println!("{matrix}\n{}", matrix.report());
/// assert_eq!(matrix.rows(), 3);
/// assert_eq!(matrix.class_names(), ["benign", "malignant"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn confusion_matrix(network: &Network, data: &Dataset) -> Result<ConfusionMatrix, Error> {
    let width = network.output_width();
    let (classes, labels) = match data.targets() {
        Targets::Labels { classes, data } => (*classes, data),
        _ => {
            return Err(Error::TargetKind {
                data: "evaluation",
                loss: "a confusion matrix".to_owned(),
                expected: "labels",
                found: "values",
            });
        }
    };
    // One output tells two classes apart.
    if classes != width && (width != 1 || classes > 2) {
        return Err(Error::TargetWidth {
            data: "evaluation",
            expected: width,
            found: classes,
        });
    }
    let mut matrix = ConfusionMatrix::new(width.max(2));
    if let Some(names) = data.class_labels()
        && names.len() == matrix.classes()
    {
        matrix = matrix.names(names)?;
    }
    for start in (0..data.rows()).step_by(PASS) {
        let rows = start..data.rows().min(start + PASS);
        let inputs = data.inputs().iter().map(|input| part(input, &rows));
        let inputs: Vec<Values<'_>> = inputs.collect();
        let answers = network.predict_values(rows.len(), &inputs)?;
        let predictions: Vec<f32> = answers.iter().copied().collect();
        let targets = maas_nn::Targets::Labels(&labels[rows]);
        matrix.update(&MetricBatch::new(&predictions, targets, width))?;
    }
    Ok(matrix)
}

/// The values of a run of rows.
fn part<'d>(input: &'d Input, rows: &Range<usize>) -> Values<'d> {
    let width = input.row_elements();
    let elements = rows.start * width..rows.end * width;
    match input.values() {
        Values::F32(values) => Values::F32(&values[elements]),
        Values::I32(values) => Values::I32(&values[elements]),
        other => other,
    }
}
