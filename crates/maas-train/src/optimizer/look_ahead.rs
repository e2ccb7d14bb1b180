use maas_nn::{Acts, Block, Error, Step, Transform};
use serde_json::{Value, json};

use super::coefficient::share;

/// A link: look-ahead (Zhang et al., *Lookahead optimizer: k steps forward, 1 step back*, 2019). The chain before it
/// takes k fast steps, then slow weights φ go a share of the way, φ ← φ + a (θ − φ), and the fast ones go on from there,
/// θ ← φ.
///
/// As optax' `lookahead`: φ starts at the first parameters, and the state of other links goes on. The paper's defaults are
/// k = 5 and a = 0.5. The slow weights are what a network predicts with:
/// [`Optimizer::average`](crate::Optimizer::average) gives them.
///
/// ```
/// use maas_train::{Adam, Chain, LookAhead};
/// let chain = Chain::from(Adam::new(1e-3)).then(LookAhead::new(5, 0.5));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use]
pub struct LookAhead {
    steps: u32,
    share: f32,
}

impl LookAhead {
    /// After every `steps` steps, at least 1, go this share of the way, 0 ≤ share ≤ 1.
    ///
    /// ```
    /// let link = maas_train::LookAhead::new(10, 0.8);
    /// ```
    pub fn new(steps: u32, share: f32) -> Self {
        Self { steps, share }
    }
}

impl Default for LookAhead {
    fn default() -> Self {
        Self::new(5, 0.5)
    }
}

impl Transform for LookAhead {
    fn name(&self) -> &str {
        "look_ahead"
    }

    fn config(&self) -> Value {
        json!({ "steps": self.steps, "share": self.share })
    }

    fn check(&self) -> Result<(), Error> {
        if self.steps == 0 {
            return Err(Error::Setting {
                name: "steps",
                expected: "[1, ∞)",
                found: 0.0,
            });
        }
        share("share", self.share)
    }

    fn buffers(&self) -> usize {
        1
    }

    fn start(&self, block: &mut Block<'_>) {
        block.state.get(0).copy_from_slice(block.parameters);
    }

    fn acts(&self) -> Acts {
        Acts::AfterStep
    }

    fn apply(&self, _: &Step, _: &mut Block<'_>) {}

    fn after(&self, step: &Step, block: &mut Block<'_>) {
        if step.number.is_multiple_of(u64::from(self.steps)) {
            step.kernels
                .synchronise(block.parameters, block.state.get(0), self.share);
        }
    }

    fn averages(&self) -> Option<usize> {
        Some(0)
    }
}
