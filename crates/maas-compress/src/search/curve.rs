//! What a layer's compression costs and spoils.

use maas_data::Dataset;
use maas_nn::Network;

use super::plan::{Bits, LayerPlan};
use crate::Error;
use crate::compile::Sample;
use crate::inputs::check;

/// All that may become of a layer.
pub(super) struct Curve {
    pub(super) options: Vec<Choice>,
}

/// One thing that may become of a layer.
pub(super) struct Choice {
    pub(super) plan: LayerPlan,
    /// Bytes of the file.
    cost: f64,
    /// The change of the network's answers, in proportion to the answers, squared.
    damage: f64,
}

impl Curve {
    /// The choice that costs least where a unit of damage costs so much.
    pub(super) fn best(&self, price: f64) -> &Choice {
        let total = |choice: &&Choice| choice.cost + price * choice.damage;
        let best = self
            .options
            .iter()
            .min_by(|a, b| total(a).total_cmp(&total(b)));
        best.expect("a layer has choices")
    }
}

/// The curve of each dense layer: each choice is tried alone, on the answers for these data.
pub(super) fn curves(
    network: &Network,
    data: &Dataset,
    sparsities: &[f64],
    bits: &[Bits],
) -> Result<Vec<Curve>, Error> {
    let sample = Sample::of(data, data.rows().min(MOST_ROWS));
    check(network, data)?;
    let answers = sample.at(network, network.spec().output)?;
    let power: f64 = answers.iter().map(|&y| f64::from(y).powi(2)).sum();
    let mut curves = Vec::new();
    for node in &network.spec().nodes {
        if network.arithmetic(&node.name).is_err() {
            continue;
        }
        let weights = network.segment(&format!("{}.kernel", node.name))?.len();
        let mut options = Vec::new();
        for &sparsity in sparsities {
            for &bits in bits {
                let layer = LayerPlan {
                    layer: node.name.clone(),
                    weights,
                    sparsity,
                    bits,
                };
                let mut changed = network.clone();
                layer.prune(&mut changed)?;
                layer.quantize(&mut changed)?;
                let changed = sample.at(&changed, network.spec().output)?;
                let pairs = answers.iter().zip(&changed);
                let noise: f64 = pairs
                    .map(|(&y, &z)| (f64::from(y) - f64::from(z)).powi(2))
                    .sum();
                options.push(Choice {
                    cost: layer.bytes(),
                    damage: noise / power.max(f64::MIN_POSITIVE),
                    plan: layer,
                });
            }
        }
        curves.push(Curve { options });
    }
    Ok(curves)
}

/// Rows whose answers are compared.
const MOST_ROWS: usize = 1024;
