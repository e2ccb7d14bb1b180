use maas_data::Dataset;
use maas_nn::{Network, Segment};
use ndarray::Axis;

use super::Criterion;
use super::calibration::Calibration;
use crate::Error;

/// |wᵢⱼ| · ‖xᵢ‖₂: a weight counts as much as what it multiplies. ‖xᵢ‖₂ is taken of feature i of the layer's inputs over
/// rows of calibration, in double precision.
///
/// Sun et al., *A Simple and Effective Pruning Approach for Large Language Models*, 2023, who compare the weights of one
/// output with each other: [`Scope::Output`](crate::Scope::Output). It scores the kernels of dense layers.
///
/// ```
/// use maas_compress::{Prune, Pruner, Scope, Wanda};
/// use maas_core::Seed;
/// use maas_data::Dataset;
/// use maas_nn::Sequential;
/// use ndarray::array;
///
/// // The second feature is hardly ever there, so that its large weight does little.
/// let data = Dataset::unlabelled(array![[1.0, 0.001], [-1.0, 0.0]].view()).unwrap();
/// let mut network = Sequential::new(data.features()).dense(1).build(Seed(7))?;
/// network.segment_mut("dense.kernel")?.assign(&array![[0.5], [4.0]].into_dyn());
/// Pruner::new(Wanda::new(&data), 0.5).scope(Scope::Output).prune(&mut network)?;
/// assert_eq!(network.segment("dense.kernel")?, array![[0.5], [0.0]].into_dyn());
/// # Ok::<(), maas_compress::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Wanda {
    calibration: Calibration,
}

impl Wanda {
    /// Over these rows, of which a copy is kept; targets are not looked at.
    ///
    /// See the type for an example.
    pub fn new(data: &Dataset) -> Self {
        Self {
            calibration: Calibration::new(data),
        }
    }
}

impl Criterion for Wanda {
    fn scores(&self, network: &Network, segments: &[Segment]) -> Result<Vec<f32>, Error> {
        let mut scores = vec![0.0; network.parameters().len()];
        for segment in segments {
            let inputs = self.calibration.inputs_of(network, segment, self.name())?;
            let norms = inputs.axis_iter(Axis(1)).map(|feature| {
                let squares = feature.iter().map(|&x| f64::from(x) * f64::from(x));
                squares.sum::<f64>().sqrt()
            });
            let (range, outputs) = (segment.range.clone(), segment.shape[1]);
            let weights = network.parameters()[range.clone()].chunks_exact(outputs);
            let rows = scores[range].chunks_exact_mut(outputs).zip(weights);
            for ((scores, weights), norm) in rows.zip(norms) {
                for (score, weight) in scores.iter_mut().zip(weights) {
                    *score = (f64::from(weight.abs()) * norm) as f32;
                }
            }
        }
        Ok(scores)
    }
}
