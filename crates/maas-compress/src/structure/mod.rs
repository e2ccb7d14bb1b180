//! Networks that really become smaller: neurons leave, normalisations and constants are folded into their neighbours.
//!
//! [`shrink`] rewrites a network by these rules until none applies:
//!
//! | what | becomes |
//! | --- | --- |
//! | a unit for which no layer has a weight | nothing: its column, its bias and the rows that read it leave |
//! | a unit without weights, whose value f(b) is the same for all inputs | a part of the next layers' biases |
//! | a batch normalisation beside dense layers | a part of their weights and biases, as it predicts |
//! | a sum or product with a branch that is constant | likewise, or nothing where the branch is all zeros or ones |
//! | a layer that gives what it takes; a layer on which the output does not depend | nothing |
//!
//! Units are followed through activations, dropout, noise, batch normalisations, sums, products, concatenations and
//! reshapes, and into embeddings; softmax, layer normalisations and layers of one's own need all their features, and so
//! do the inputs and the output of the network, whose signature does not change.
//!
//! Dense layers that compute in bf16 or eight bits keep the grid of their weights and take nothing over; those with a
//! scale for each row also need all that they read. A network is shrunk first, and quantised then.
//!
//! # What stays the same
//!
//! The predictions, for inputs whose values are finite on the way. Where only units without influence have left, and no
//! dense layer had more than 1,024 inputs, all their bits do, except that a −0 may become +0. Otherwise each number of
//! a dense layer that took something over is computed in double precision and rounded once. For the same k inputs it
//! then gives what both layers gave, up to about 2·(k + 4)·u·S, with u = 2⁻²⁴ and S the sum of the magnitudes of all
//! terms: twice what any order of such a sum may be off.
//!
//! Names of layers, which of them are frozen, and what is left of masks stay too, so that fine-tuning goes on under the
//! same zeros. It goes on without the statistics of batches, once a normalisation is folded:
//! [`Shrink::keep_batch_norm`] leaves those alone.

mod affine;
mod constants;
mod display;
mod draft;
mod features;
mod fold;
mod report;
mod simplify;
mod tensor;
mod units;

use maas_nn::{LayerSpec, Network, Source};

pub use report::{Change, LayerSize, Obstacle, Reason, ShrinkReport};

use crate::Error;
use affine::Affine;
use constants::Constants;
use draft::Draft;
use report::tell;
use units::Influence;

/// Takes out of a network what its predictions do not need: [`Shrink`] with its defaults.
///
/// # Errors
/// [`Error::NotFinite`] when a parameter or a piece of state is not finite.
///
/// ```
/// use maas_compress::{HardThreshold, Prune, shrink};
/// use maas_core::Seed;
/// use maas_nn::Sequential;
///
/// let mut network = Sequential::rows(8).dense(64).relu().dense(16).relu().dense(1).build(Seed(7))?;
/// HardThreshold::to_sparsity(0.95).prune(&mut network)?;
///
/// let (smaller, report) = shrink(&network)?;
/// assert!(report.parameters_after() < report.parameters_before() / 3);
/// assert!(smaller.to_bytes().len() < network.to_bytes().len());
/// println!("{report}\n{}", smaller.summary());
/// # Ok::<(), maas_compress::Error>(())
/// ```
pub fn shrink(network: &Network) -> Result<(Network, ShrinkReport), Error> {
    Shrink::new().run(network)
}

/// How a network is made smaller; see the [module](self) for the rules.
///
/// ```
/// use maas_compress::Shrink;
/// use maas_core::Seed;
/// use maas_nn::Sequential;
///
/// let network = Sequential::rows(4).dense(8).batch_norm().relu().dense(1).build(Seed(7))?;
/// let (smaller, report) = Shrink::new().run(&network)?;
/// assert_eq!(smaller.spec().nodes.len(), 3);
/// assert!(report.to_string().contains("`batch_norm` was folded into `dense`"));
///
/// let (same, _) = Shrink::new().keep_batch_norm().run(&network)?;
/// assert_eq!(same.fingerprint(), network.fingerprint());
/// # Ok::<(), maas_compress::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Shrink {
    batch_norm: Fold,
    moments: Fold,
}

/// What happens to layers of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fold {
    Fold,
    Keep,
}

impl Default for Shrink {
    fn default() -> Self {
        Self::new()
    }
}

impl Shrink {
    /// Everything but the moments of the data is folded.
    ///
    /// See the type for an example.
    pub fn new() -> Self {
        Self {
            batch_norm: Fold::Fold,
            moments: Fold::Keep,
        }
    }

    /// Leaves batch normalisations where they are, so that training goes on as before; their features leave with the
    /// units of the layers around them.
    ///
    /// See the type for an example.
    pub fn keep_batch_norm(self) -> Self {
        Self {
            batch_norm: Fold::Keep,
            ..self
        }
    }

    /// Folds the moments of the data as well: what standardises the inputs, and what brings answers back to the units
    /// of the targets. The network has no [`target_moments`](Network::target_moments) then, and is trained no further.
    ///
    /// ```
    /// use maas_compress::Shrink;
    /// use maas_core::{Moments, Seed};
    /// use maas_nn::Sequential;
    ///
    /// let network = Sequential::rows(2).normalize(Moments::new([3.0, 4.0], [1.0, 2.0])?).dense(1).build(Seed(7))?;
    /// let (smaller, _) = Shrink::new().fold_moments().run(&network)?;
    /// assert_eq!(smaller.spec().nodes.len(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn fold_moments(self) -> Self {
        Self {
            moments: Fold::Fold,
            ..self
        }
    }

    /// A network that predicts the same and is as small as the rules make it, and what has been done. The network
    /// itself does not change.
    ///
    /// # Errors
    /// [`Error::NotFinite`] when a parameter or a piece of state is not finite.
    ///
    /// See the type for an example.
    pub fn run(&self, network: &Network) -> Result<(Network, ShrinkReport), Error> {
        let mut draft = Draft::new(network)?;
        let mut changes = Vec::new();
        loop {
            let done = self.step(&mut draft);
            if done.is_empty() {
                break;
            }
            done.into_iter()
                .for_each(|change| tell(&mut changes, change));
        }
        let obstacles = self.obstacles(&draft);
        let smaller = match changes.is_empty() {
            true => network.clone(),
            false => draft.build(network)?,
        };
        let report = ShrinkReport::new(network, &smaller, changes, obstacles);
        Ok((smaller, report))
    }

    fn step(&self, draft: &mut Draft) -> Vec<Change> {
        let unread = draft.take_away_unread();
        if !unread.is_empty() {
            return unread
                .into_iter()
                .map(|layer| Change::Unread { layer })
                .collect();
        }
        if let Some(change) = simplify::simplify(draft) {
            return vec![change];
        }
        for (layer, source, affine) in self.affine_layers(draft) {
            if let Ok(changes) = fold::fold(draft, layer, source, &affine) {
                return changes;
            }
        }
        Influence::of(draft).leave(draft)
    }

    fn obstacles(&self, draft: &Draft) -> Vec<Obstacle> {
        let mut obstacles = Influence::of(draft).obstacles(draft);
        for (layer, source, affine) in self.affine_layers(draft) {
            obstacles.extend(fold::obstacle(draft, layer, source, &affine).map(|reason| {
                Obstacle {
                    layer: draft.name(layer),
                    units: draft.features(source),
                    reason,
                }
            }));
        }
        obstacles
    }

    /// The layers that could be folded, each with what it scales and shifts.
    fn affine_layers(&self, draft: &Draft) -> Vec<(usize, Source, Affine)> {
        let constants = Constants::of(draft);
        let layers = draft.layers.iter().enumerate();
        layers
            .filter_map(|(index, layer)| {
                let chosen = match layer.node.layer {
                    LayerSpec::BatchNorm { .. } => self.batch_norm,
                    LayerSpec::Normalization { .. } | LayerSpec::Denormalization { .. } => {
                        self.moments
                    }
                    _ => {
                        let (source, affine) = Affine::of_join(draft, &constants, index)?;
                        return Some((index, source, affine));
                    }
                };
                let affine = Affine::of_layer(layer).filter(|_| chosen == Fold::Fold)?;
                Some((index, layer.node.inputs[0], affine))
            })
            .collect()
    }
}
