use maas_nn::{Acts, Block, Network, Segment, Step, Transform};
use serde_json::Value;

use super::Codebook;
use super::palette::Palette;
use crate::Error;
use crate::prune::check_finite;

/// A link of an optimiser: keeps layers on a codebook while a network trains, so that what is trained is what is served.
///
/// Behind each step every weight takes the nearest of its layer's values. What rounding takes from it is kept and given
/// back before the next step, so that small steps add up until a weight changes to another value: gradients go
/// straight through the rounding (Bengio, Léonard and Courville, *Estimating or Propagating Gradients Through Stochastic
/// Neurons*, 2013). The values themselves go along: each is the mean of the weights that are nearest to it. They begin as
/// k-means, or as what weights there are, where a layer has no more different ones than the codebook.
///
/// Masks stay; layers that the network has frozen are left alone, and what the chain alone freezes has to be
/// [excluded](Codebook::exclude). The link may stand anywhere in the chain, but what another one averages is on no codebook. It
/// wants a rate lower than that of training, for the network is nearly where it should be.
///
/// ```
/// use maas_compress::{Codebook, CodebookTraining, Compressor, HardThreshold};
/// use maas_core::Seed;
/// use maas_data::Dataset;
/// use maas_nn::{MeanSquaredError, Network, Sequential};
/// use maas_train::{Adam, Chain, Progress, Trainer};
/// use ndarray::Array2;
///
/// let x = Array2::from_shape_fn((200, 4), |(row, column)| ((row * 7 + column * 13) % 20) as f32 / 10.0 - 1.0);
/// let y = Array2::from_shape_fn((200, 1), |(row, _)| 2.0 * x[[row, 0]] - x[[row, 1]]);
/// let data = Dataset::new(x.view(), y.view())?;
/// let mut network = Sequential::new(data.features()).dense(16).relu().dense(1).build(Seed(7))?;
///
/// let codebook = Codebook::new(4).with_biases();
/// let trainer = |chain: Chain| Trainer::new(chain, MeanSquaredError).epochs(20).progress(Progress::Quiet);
/// let plain = trainer(Adam::new(1e-2).into());
/// let rounding = trainer(Chain::from(Adam::new(1e-3)).then(CodebookTraining::new(codebook.clone())));
/// let (compact, report) = Compressor::new(HardThreshold::to_sparsity(0.5))
///     .fine_tune(|network: &mut Network| plain.fit(network, &data))
///     .quantize(codebook)
///     .fine_tune_quantized(|network: &mut Network| rounding.fit(network, &data))
///     .run(&mut network, &data)?;
/// assert!(report.metric_after < 0.2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct CodebookTraining {
    codebook: Codebook,
}

impl CodebookTraining {
    /// Rounds what this codebook rounds.
    ///
    /// See the type for an example.
    pub fn new(codebook: Codebook) -> Self {
        Self { codebook }
    }

    fn segments(&self, network: &Network) -> Result<Vec<Segment>, Error> {
        let mut segments = self.codebook.segments(network)?;
        segments.retain(|segment| segment.trainable);
        check_finite(network, &segments)?;
        Ok(segments)
    }
}

impl Transform for CodebookTraining {
    fn name(&self) -> &str {
        "codebook_training"
    }

    fn config(&self) -> Value {
        self.codebook.config()
    }

    fn check(&self) -> Result<(), maas_nn::Error> {
        match self.codebook.values() {
            0 => Err(maas_nn::Error::Setting {
                name: "values",
                expected: "[1, ∞)",
                found: 0.0,
            }),
            _ => Ok(()),
        }
    }

    /// The numbers before they are rounded, and after.
    fn buffers(&self) -> usize {
        2
    }

    fn start(&self, block: &mut Block<'_>) {
        for buffer in block.state.many([0, 1]) {
            buffer.copy_from_slice(block.parameters);
        }
    }

    fn acts(&self) -> Acts {
        Acts::AfterStep
    }

    fn apply(&self, _: &Step, _: &mut Block<'_>) {}

    fn revises(&self, _: &Step) -> bool {
        true
    }

    fn revise(
        &self,
        _: &Step,
        buffers: &mut [f32],
        network: &mut Network,
    ) -> Result<(), maas_nn::Error> {
        let segments = self.segments(network).map_err(maas_nn::Error::custom)?;
        let parameters = network.parameters_mut();
        let (full, rounded) = buffers.split_at_mut(parameters.len());
        for Segment { range, .. } in segments {
            let full = &mut full[range.clone()];
            let rounded = &mut rounded[range.clone()];
            let parameters = &mut parameters[range];
            for ((full, rounded), parameter) in full.iter_mut().zip(&*rounded).zip(&*parameters) {
                *full += parameter - rounded;
            }
            let mut palette = Palette::of(rounded, self.codebook.values());
            palette.follow(full);
            for ((full, rounded), parameter) in full.iter().zip(rounded).zip(parameters) {
                *rounded = palette.nearest(*full);
                *parameter = *rounded;
            }
        }
        Ok(())
    }
}
