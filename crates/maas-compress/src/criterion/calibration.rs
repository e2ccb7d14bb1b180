//! What layers take while a network sees some rows.

use std::fmt;
use std::sync::Arc;

use maas_core::Values;
use maas_data::Dataset;
use maas_nn::{LayerSpec, Network, Segment, Source, ValueType};
use ndarray::Array2;

use crate::Error;

/// Rows that stand for all that a network will see.
#[derive(Clone)]
pub(super) struct Calibration(Arc<Dataset>);

impl Calibration {
    pub(super) fn new(data: &Dataset) -> Self {
        Self(Arc::new(data.clone()))
    }

    pub(super) fn data(&self) -> &Dataset {
        &self.0
    }

    /// The inputs of all rows.
    pub(super) fn values(&self) -> Vec<Values<'_>> {
        self.0.inputs().iter().map(|input| input.values()).collect()
    }

    /// What the dense layer of this kernel takes: as many columns as the kernel has rows.
    ///
    /// # Errors
    /// [`Error::NotApplicable`] when it is no kernel of a dense layer; [`Error::Network`] when the rows are not what the
    /// network takes.
    pub(super) fn inputs_of(
        &self,
        network: &Network,
        kernel: &Segment,
        method: &str,
    ) -> Result<Array2<f32>, Error> {
        self.check(network)?;
        let spec = network.spec();
        let node = kernel
            .name
            .strip_suffix(".kernel")
            .and_then(|layer| spec.nodes.iter().find(|node| node.name == layer))
            .filter(|node| matches!(node.layer, LayerSpec::Dense { .. }))
            .ok_or_else(|| Error::NotApplicable {
                method: method.to_owned(),
                segment: kernel.name.clone(),
                reason: "it is no kernel of a dense layer",
            })?;
        let inputs = self.values();
        let numbers = match node.inputs[0] {
            Source::Node(before) => {
                let part = network.up_to(&spec.nodes[before].name)?;
                let values = part.predict_values(self.0.rows(), &inputs)?;
                values.into_raw_vec_and_offset().0
            }
            Source::Input(input) => match inputs[input] {
                Values::F32(numbers) => numbers.to_vec(),
                _ => {
                    let (expected, found) = (ValueType::F32, ValueType::I32);
                    return Err(maas_nn::Error::ValueType { expected, found }.into());
                }
            },
        };
        let width = kernel.shape[0];
        Ok(
            Array2::from_shape_vec((numbers.len() / width, width), numbers)
                .expect("a dense layer takes vectors as long as its kernel has rows"),
        )
    }

    /// Refuses rows that the network does not take.
    pub(super) fn check(&self, network: &Network) -> Result<(), Error> {
        let (expected, found) = (network.signature().inputs(), self.0.inputs());
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
}

impl fmt::Debug for Calibration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Calibration")
            .field("rows", &self.0.rows())
            .finish_non_exhaustive()
    }
}
