//! What layers take while a network sees some rows.

use std::fmt;
use std::sync::Arc;

use maas_data::Dataset;
use maas_nn::{LayerSpec, Network, Segment};
use ndarray::Array2;

use crate::Error;
use crate::inputs::{check, values, values_at};

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
        check(network, &self.0)?;
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
        let numbers = values_at(network, node.inputs[0], self.0.rows(), &values(&self.0))?;
        let width = kernel.shape[0];
        Ok(
            Array2::from_shape_vec((numbers.len() / width, width), numbers)
                .expect("a dense layer takes vectors as long as its kernel has rows"),
        )
    }
}

impl fmt::Debug for Calibration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Calibration")
            .field("rows", &self.0.rows())
            .finish_non_exhaustive()
    }
}
