use std::ops::Range;

use maas_nn::Segment;
use serde::{Deserialize, Serialize};

use super::blocks::Groups;
use crate::{Chain, Error};

/// Everything that an optimiser keeps between steps, to be saved and put back.
///
/// The values lie as they do in the network, whatever the blocks that steps are cut into: first the first buffer of
/// the first link with one float for each parameter (those of the padding between segments are zero), then the next one.
///
/// ```
/// use maas_core::Seed;
/// use maas_nn::Sequential;
/// use maas_train::{Adam, Optimizer, OptimizerState, Sgd};
///
/// let network = Sequential::rows(1).dense(1).build(Seed(7))?;
/// let optimizer = Optimizer::new(Adam::new(0.1), &network)?;
/// let text = serde_json::to_string(&optimizer.state())?;
///
/// let state: OptimizerState = serde_json::from_str(&text)?;
/// assert_eq!(state, optimizer.state());
/// assert!(Optimizer::new(Adam::new(0.1), &network)?.restore(&state).is_ok());
/// assert!(Optimizer::new(Sgd::new(0.1), &network)?.restore(&state).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OptimizerState {
    /// The links and groups of the chain that made it, as JSON.
    pub chain: String,
    /// The names and shapes of the network's parameters, as JSON.
    pub network: String,
    /// Steps taken.
    pub steps: u64,
    /// The links' buffers, one after another.
    pub values: Vec<f32>,
    /// The links' scalars and what plateaus remember. Serialised as their bits, so that every format keeps them.
    #[serde(with = "bits")]
    pub scalars: Vec<f64>,
}

impl OptimizerState {
    /// State from its parts, for formats of one's own.
    ///
    /// ```
    /// use maas_train::OptimizerState;
    /// let state = OptimizerState::new("{}", "[]", 3, vec![0.5], vec![1.0]);
    /// assert_eq!(state.steps, 3);
    /// ```
    #[must_use]
    pub fn new(
        chain: impl Into<String>,
        network: impl Into<String>,
        steps: u64,
        values: Vec<f32>,
        scalars: Vec<f64>,
    ) -> Self {
        Self {
            chain: chain.into(),
            network: network.into(),
            steps,
            values,
            scalars,
        }
    }

    /// Refuse state of another optimiser.
    pub(super) fn check(&self, expected: &Shape) -> Result<(), Error> {
        let texts = [
            ("chain", &expected.chain, &self.chain),
            ("network", &expected.network, &self.network),
        ];
        for (part, expected, found) in texts {
            if expected != found {
                return Err(mismatch(part, expected, found));
            }
        }
        let counts = [
            ("number of values", expected.values, self.values.len()),
            ("number of scalars", expected.scalars, self.scalars.len()),
        ];
        for (part, expected, found) in counts {
            if expected != found {
                return Err(mismatch(part, &expected, &found));
            }
        }
        Ok(())
    }
}

fn mismatch(part: &'static str, expected: &dyn ToString, found: &dyn ToString) -> Error {
    Error::OptimizerState {
        part,
        expected: expected.to_string(),
        found: found.to_string(),
    }
}

/// What state must look like to fit an optimiser.
#[derive(Debug)]
pub(super) struct Shape {
    pub(super) chain: String,
    pub(super) network: String,
    pub(super) values: usize,
    pub(super) scalars: usize,
}

/// The parts of a chain's identity that its state depends on. Rates may change.
pub(super) fn chain_text(chain: &Chain) -> String {
    chain.links_and_groups().to_string()
}

pub(super) fn network_text(segments: &[Segment]) -> String {
    let segments: Vec<_> = segments
        .iter()
        .map(|segment| (&segment.name, &segment.shape))
        .collect();
    serde_json::json!(segments).to_string()
}

/// These of all buffers, from the order of blocks to that of the network.
pub(super) fn gather(
    groups: &Groups,
    length: usize,
    (own, all): (Range<usize>, usize),
    state: &[f32],
) -> Vec<f32> {
    let mut values = vec![0.0; length * own.len()];
    for place in &groups.blocks {
        let (start, len) = (place.range.start, place.range.len());
        for (to, buffer) in own.clone().enumerate() {
            values[to * length + start..][..len]
                .copy_from_slice(&state[start * all + buffer * len..][..len]);
        }
    }
    values
}

/// From the order of the network to that of blocks, into these of all buffers.
pub(super) fn scatter(
    groups: &Groups,
    length: usize,
    (own, all): (Range<usize>, usize),
    values: &[f32],
    state: &mut [f32],
) {
    for place in &groups.blocks {
        let (start, len) = (place.range.start, place.range.len());
        for (from, buffer) in own.clone().enumerate() {
            state[start * all + buffer * len..][..len]
                .copy_from_slice(&values[from * length + start..][..len]);
        }
    }
}

mod bits {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(scalars: &[f64], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(scalars.iter().map(|scalar| scalar.to_bits()))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<f64>, D::Error> {
        let bits = Vec::<u64>::deserialize(from)?;
        Ok(bits.into_iter().map(f64::from_bits).collect())
    }
}
