//! From scores to masks.

mod choice;
mod gradual;
mod grain;
mod masks;
mod neurons;
mod ramp;
mod units;

use std::fmt;
use std::sync::Arc;

use maas_nn::{Mask, Network, Role, Segment};
use serde_json::{Value, json};

pub use gradual::GradualPruning;
pub use grain::{Grain, Scope};
pub use masks::Masks;
pub(crate) use masks::{check_same, segments};
pub use ramp::Ramp;

use crate::prune::check_finite;
use crate::{Criterion, Error, Prune, Pruned};
use choice::Choice;
use neurons::{Neurons, has_hidden_neurons};

/// Prunes what a [`Criterion`] gives the least scores, to an exact sparsity.
///
/// In each [`Scope`] round(sparsity · n) of its n units of a [`Grain`] are masked: those masked already, then those of the
/// least score and, where scores are equal, those that come first. The kernels of all layers are pruned; biases,
/// normalisations and embeddings stay as they are unless they are [named](Self::only) or [included](Self::including).
///
/// ```
/// use maas_compress::{Grain, Magnitude, Prune, Pruner, Scope};
/// use maas_core::Seed;
/// use maas_nn::Sequential;
///
/// let mut network = Sequential::rows(8).dense(16).relu().dense(8).relu().dense(1).build(Seed(7))?;
/// let pruner = Pruner::new(Magnitude, 0.9).scope(Scope::Network).exclude("dense_2");
/// assert_eq!(pruner.prune(&mut network)?.zeros, 230); // of 128 + 128 weights
///
/// // 2:4: of each four inputs of an output, two.
/// Pruner::new(Magnitude, 0.5).grain(Grain::Group { of: 4 }).prune(&mut network)?;
/// assert_eq!(network.segment("dense_2.kernel")?.iter().filter(|&&weight| weight == 0.0).count(), 4);
/// # Ok::<(), maas_compress::Error>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct Pruner {
    criterion: Arc<dyn Criterion>,
    sparsity: f64,
    start: f64,
    scope: Scope,
    grain: Grain,
    choice: Choice,
}

impl Pruner {
    /// Prunes single weights of the whole network to this sparsity, which is between 0 and 1: that is checked when it is
    /// used.
    ///
    /// See the type for an example.
    pub fn new(criterion: impl Criterion + 'static, sparsity: f64) -> Self {
        Self {
            criterion: Arc::new(criterion),
            sparsity,
            start: 0.0,
            scope: Scope::default(),
            grain: Grain::default(),
            choice: Choice::default(),
        }
    }

    /// Among which weights those of the least score are looked for.
    ///
    /// See the type for an example.
    pub fn scope(self, scope: Scope) -> Self {
        Self { scope, ..self }
    }

    /// What is pruned as one.
    ///
    /// See the type for an example.
    pub fn grain(self, grain: Grain) -> Self {
        Self { grain, ..self }
    }

    /// The sparsity at which a [`Ramp`] begins: 0 unless told otherwise.
    ///
    /// ```
    /// # use {maas_compress::{Magnitude, Prune, Pruner}, maas_core::Seed, maas_nn::Sequential};
    /// let mut network = Sequential::rows(4).dense(5).build(Seed(7))?;
    /// let half_way = Pruner::new(Magnitude, 0.9).start(0.5).prune_part(0.5, &mut network)?;
    /// assert_eq!(half_way.sparsity(), 0.7);
    /// # Ok::<(), maas_compress::Error>(())
    /// ```
    pub fn start(self, sparsity: f64) -> Self {
        Self {
            start: sparsity,
            ..self
        }
    }

    /// Prunes only this layer, or this parameter whatever its role; and others named so.
    ///
    /// ```
    /// # use {maas_compress::{Magnitude, Prune, Pruner}, maas_core::Seed, maas_nn::Sequential};
    /// let mut network = Sequential::rows(4).dense(5).dense(2).build(Seed(7))?;
    /// assert_eq!(Pruner::new(Magnitude, 0.5).only("dense_1").prune(&mut network)?.zeros, 5);
    /// assert!(Pruner::new(Magnitude, 0.5).only("dense_7").prune(&mut network).is_err());
    /// # Ok::<(), maas_compress::Error>(())
    /// ```
    pub fn only(mut self, name: impl Into<String>) -> Self {
        self.choice.only.push(name.into());
        self
    }

    /// Leaves this layer or parameter alone; and others named so.
    ///
    /// See the type for an example.
    pub fn exclude(mut self, name: impl Into<String>) -> Self {
        self.choice.exclude.push(name.into());
        self
    }

    /// Prunes parameters of this role too.
    ///
    /// ```
    /// use maas_compress::{Magnitude, Prune, Pruner};
    /// use maas_core::Seed;
    /// use maas_nn::{Role, Sequential};
    ///
    /// let mut network = Sequential::rows(4).dense(5).build(Seed(7))?;
    /// network.segment_mut("dense.bias")?.fill(0.001);
    /// Pruner::new(Magnitude, 0.2).including(Role::Bias).prune(&mut network)?;
    /// assert_eq!(network.segment("dense.bias")?.sum(), 0.0);
    /// # Ok::<(), maas_compress::Error>(())
    /// ```
    pub fn including(mut self, role: Role) -> Self {
        self.choice.include(role);
        self
    }

    /// Whether its numbers make sense, which is also asked whenever it is used.
    ///
    /// # Errors
    /// [`Error::Sparsity`], [`Error::Grain`].
    ///
    /// ```
    /// assert!(maas_compress::Pruner::new(maas_compress::Magnitude, 1.5).check().is_err());
    /// ```
    pub fn check(&self) -> Result<(), Error> {
        check_fraction(self.sparsity)?;
        check_fraction(self.start)?;
        match self.grain {
            Grain::Block { rows: 0, .. } | Grain::Block { columns: 0, .. } => Err(Error::Grain {
                found: self.grain,
                reason: "a block of no weights",
            }),
            Grain::Group { of: 0 } => Err(Error::Grain {
                found: self.grain,
                reason: "a run of no weights",
            }),
            Grain::Neuron if self.scope == Scope::Output => Err(Error::Grain {
                found: self.grain,
                reason: "an output is one neuron, and nothing to choose from",
            }),
            _ => Ok(()),
        }
    }

    pub(crate) fn criterion(&self) -> &dyn Criterion {
        self.criterion.as_ref()
    }

    /// Its numbers, as data.
    fn config(&self) -> Value {
        json!({
            "criterion": [self.criterion.name(), self.criterion.config()],
            "sparsity": self.sparsity,
            "start": self.start,
            "scope": self.scope,
            "grain": self.grain,
            "choice": self.choice.config(),
        })
    }

    /// Prunes on the way to the target.
    fn prune_when(
        &self,
        moment: Moment<'_>,
        share: f64,
        network: &mut Network,
    ) -> Result<Pruned, Error> {
        self.check()?;
        check_fraction(share)?;
        let mut segments = self.segments(network)?;
        let gathered = match moment {
            Moment::AtRest => None,
            Moment::InTraining { gathered } => {
                segments.retain(|segment| segment.trainable);
                gathered
            }
        };
        if segments.is_empty() {
            return Err(Error::NoWeights);
        }
        let scored = self.scored(network, &segments);
        check_finite(network, &scored)?;
        let own: Vec<f32>;
        let scores = match gathered {
            Some(scores) => scores,
            None => {
                own = self.criterion.scores(network, &scored)?;
                &own
            }
        };
        self.check_scores(network, &scored, scores)?;

        let (grains, sparsity) = ((self.scope, self.grain), self.sparsity(share));
        let masks = units::masks(network, &segments, scores, grains, sparsity);
        let mut pruned = network.clone();
        for (segment, mask) in segments.iter().zip(masks) {
            if self.grain == Grain::Neuron
                && let Some(bias) = Neurons::of(network, segment).bias
            {
                pruned.set_mask(&bias.name, bias_mask(network, segment, &mask, bias)?)?;
            }
            pruned.set_mask(&segment.name, mask)?;
        }
        self.criterion.compensate(network, &mut pruned, &segments)?;
        pruned.apply_masks();
        check_finite(&pruned, &segments)?;
        *network = pruned;
        Ok(Pruned::of(network))
    }

    /// What is pruned.
    fn segments(&self, network: &Network) -> Result<Vec<Segment>, Error> {
        let mut segments = self.choice.segments(network)?;
        if self.grain == Grain::Neuron {
            let named = |segment: &&Segment| {
                !self.choice.only.is_empty() && !has_hidden_neurons(network, segment)
            };
            if let Some(segment) = segments.iter().find(named) {
                return Err(Error::NotApplicable {
                    method: "pruning by neurons".to_owned(),
                    segment: segment.name.clone(),
                    reason: "it is no kernel of a dense layer with other dense layers behind it",
                });
            }
            segments.retain(|segment| has_hidden_neurons(network, segment));
        }
        Ok(segments)
    }

    /// What has to have scores: what is pruned and, for neurons, what takes them up.
    fn scored(&self, network: &Network, segments: &[Segment]) -> Vec<Segment> {
        let mut scored = segments.to_vec();
        if self.grain == Grain::Neuron {
            for segment in segments {
                let readers = Neurons::of(network, segment).readers;
                scored.extend(readers.into_iter().map(|(reader, _)| reader.clone()));
            }
            scored.sort_by_key(|segment| segment.range.start);
            scored.dedup_by_key(|segment| segment.range.start);
        }
        scored
    }

    fn check_scores(
        &self,
        network: &Network,
        segments: &[Segment],
        scores: &[f32],
    ) -> Result<(), Error> {
        if scores.len() != network.parameters().len() {
            return Err(Error::Scores {
                criterion: self.criterion.name().to_owned(),
                expected: network.parameters().len(),
                found: scores.len(),
            });
        }
        for segment in segments {
            let mask = network.mask(&segment.name)?;
            let mut scores = scores[segment.range.clone()].iter().copied().enumerate();
            let bad = |&(index, score): &(usize, f32)| {
                !score.is_finite() && mask.is_none_or(|mask| mask.keeps(index))
            };
            if let Some((index, found)) = scores.find(bad) {
                return Err(Error::Score {
                    criterion: self.criterion.name().to_owned(),
                    segment: segment.name.clone(),
                    index,
                    found,
                });
            }
        }
        Ok(())
    }

    fn sparsity(&self, share: f64) -> Sparsity {
        Sparsity(match share < 1.0 {
            true => self.start + (self.sparsity - self.start) * share,
            false => self.sparsity,
        })
    }
}

impl Prune for Pruner {
    /// That of its criterion.
    fn name(&self) -> &str {
        self.criterion.name()
    }

    fn prune(&self, network: &mut Network) -> Result<Pruned, Error> {
        self.prune_part(1.0, network)
    }

    fn prune_part(&self, share: f64, network: &mut Network) -> Result<Pruned, Error> {
        self.prune_when(Moment::AtRest, share, network)
    }
}

impl fmt::Debug for Pruner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pruner")
            .field("criterion", &self.criterion.name())
            .field("sparsity", &self.sparsity)
            .field("start", &self.start)
            .field("scope", &self.scope)
            .field("grain", &self.grain)
            .field("choice", &self.choice)
            .finish()
    }
}

/// When a network is pruned.
#[derive(Clone, Copy)]
enum Moment<'a> {
    AtRest,
    /// Frozen layers are left alone; scores may have been gathered step by step.
    InTraining {
        gathered: Option<&'a [f32]>,
    },
}

/// A fraction of units.
#[derive(Clone, Copy, Debug)]
struct Sparsity(f64);

impl Sparsity {
    /// Of so many units.
    fn of(self, units: usize) -> usize {
        ((self.0 * units as f64).round() as usize).min(units)
    }
}

pub(crate) fn check_fraction(found: f64) -> Result<(), Error> {
    if (0.0..=1.0).contains(&found) {
        Ok(())
    } else {
        Err(Error::Sparsity { found })
    }
}

/// Masks the bias of each neuron whose column is masked.
fn bias_mask(
    network: &Network,
    kernel: &Segment,
    mask: &Mask,
    bias: &Segment,
) -> Result<Mask, Error> {
    let (rows, columns) = (kernel.shape[0], kernel.shape[1]);
    let earlier = network.mask(&bias.name)?;
    Ok(Mask::from_fn(columns, |column| {
        let alive = (0..rows).any(|row| mask.keeps(row * columns + column));
        alive && earlier.is_none_or(|earlier| earlier.keeps(column))
    }))
}
