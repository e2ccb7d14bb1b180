//! What layers take while a network sees some rows.

use maas_core::Values;
use maas_data::Dataset;
use maas_nn::{Network, Source, ValueType};

use crate::Error;

/// The values of all rows, by input.
pub(crate) fn values(data: &Dataset) -> Vec<Values<'_>> {
    data.inputs().iter().map(|input| input.values()).collect()
}

/// Refuses rows that the network does not take.
pub(crate) fn check(network: &Network, data: &Dataset) -> Result<(), Error> {
    let (expected, found) = (network.signature().inputs(), data.inputs());
    if expected.len() != found.len() {
        return Err(maas_nn::Error::InputCount {
            expected: expected.len(),
            found: found.len(),
        }
        .into());
    }
    for (expected, found) in expected.iter().zip(found) {
        let shape = expected.fixed_row_shape().unwrap_or_default();
        if shape != found.row_shape() {
            return Err(maas_nn::Error::RowShape {
                expected: shape,
                found: found.row_shape().to_vec(),
            }
            .into());
        }
    }
    Ok(())
}

/// What `source` is for these rows, row by row.
pub(crate) fn values_at(
    network: &Network,
    source: Source,
    rows: usize,
    inputs: &[Values<'_>],
) -> Result<Vec<f32>, Error> {
    match source {
        Source::Node(node) => {
            let part = network.up_to(&network.spec().nodes[node].name)?;
            let values = part.predict_values(rows, inputs)?;
            Ok(values.into_raw_vec_and_offset().0)
        }
        Source::Input(input) => match inputs[input] {
            Values::F32(numbers) => Ok(numbers.to_vec()),
            _ => {
                let (expected, found) = (ValueType::F32, ValueType::I32);
                Err(maas_nn::Error::ValueType { expected, found }.into())
            }
        },
    }
}
