use serde::{Deserialize, Serialize};

/// How far pruning has come after each of some rounds: a share of the way, from 0 to 1.
///
/// After round t of n the sparsity is s = s₀ + (s₁ − s₀) · share(t), from the [start](crate::Pruner::start) s₀ to the
/// target s₁:
///
/// | ramp | share after round t of n |
/// | --- | --- |
/// | [`one_shot`](Ramp::one_shot) | 1, with n = 1 |
/// | [`linear`](Ramp::linear) | t / n |
/// | [`cubic`](Ramp::cubic) | 1 − (1 − t / n)³: much at first, while many weights do little, and less and less (Zhu and Gupta, *To prune, or not to prune*, 2017) |
///
/// ```
/// use maas_compress::Ramp;
///
/// let shares: Vec<f64> = (0..=4).map(|round| Ramp::cubic(4).share(round)).collect();
/// assert_eq!(shares, [0.0, 0.578125, 0.875, 0.984375, 1.0]);
/// assert_eq!(Ramp::linear(4).share(1), 0.25);
/// assert_eq!(Ramp::one_shot().share(1), 1.0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[must_use]
pub struct Ramp {
    shape: Shape,
    rounds: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Shape {
    Linear,
    Cubic,
}

impl Ramp {
    /// All at once.
    ///
    /// See the type for an example.
    pub fn one_shot() -> Self {
        Self::linear(1)
    }

    /// The same in each of so many rounds, at least one.
    ///
    /// See the type for an example.
    pub fn linear(rounds: usize) -> Self {
        Self {
            shape: Shape::Linear,
            rounds: rounds.max(1),
        }
    }

    /// Less and less in each of so many rounds, at least one.
    ///
    /// See the type for an example.
    pub fn cubic(rounds: usize) -> Self {
        Self {
            shape: Shape::Cubic,
            rounds: rounds.max(1),
        }
    }

    /// How many rounds there are.
    ///
    /// ```
    /// assert_eq!(maas_compress::Ramp::cubic(10).rounds(), 10);
    /// ```
    #[must_use]
    pub fn rounds(self) -> usize {
        self.rounds
    }

    /// The share after so many rounds: 0 before the first, 1 after the last.
    ///
    /// See the type for an example.
    #[must_use]
    pub fn share(self, round: usize) -> f64 {
        let done = round.min(self.rounds) as f64 / self.rounds as f64;
        match self.shape {
            Shape::Linear => done,
            Shape::Cubic => {
                let left = 1.0 - done;
                1.0 - left * left * left
            }
        }
    }
}
