use maas_nn::{Acts, Block, Role, Step, Transform};
use serde_json::{Value, json};

use crate::Error;
use crate::cut::check_lambda;

/// The formula inside training: after each step θ ← θ − α·u, w ← S(w) with the soft threshold at α·λ.
///
/// With plain gradient descent this is proximal gradient descent (ISTA; Beck and Teboulle, *A fast iterative
/// shrinkage-thresholding algorithm*, SIAM J. Imaging Sciences 2(1), 2009) on J(θ) + λ‖w‖₁, over the weights and not the
/// biases: it drives weights to exact zeros while it trains. The threshold is α·λ and not λ, so that a falling learning
/// rate does not change what is minimised. After Adam's step it is the decoupled form, as AdamW has it for squares.
///
/// It is a link of any chain of `maas-train`. It masks nothing: a weight may leave zero again.
///
/// ```
/// use maas_compress::{ProximalL1, Pruned};
/// use maas_core::Seed;
/// use maas_data::Dataset;
/// use maas_nn::{MeanSquaredError, Sequential};
/// use maas_train::{Chain, Progress, Sgd, Trainer};
/// use ndarray::Array2;
///
/// // Only the first of four columns matters.
/// let x = Array2::from_shape_fn((256, 4), |(row, column)| ((row >> (2 * column)) % 4) as f32 - 1.5);
/// let y = x.column(0).to_owned().insert_axis(ndarray::Axis(1));
/// let data = Dataset::new(x.view(), y.view())?;
///
/// let mut network = Sequential::new(data.features()).dense(1).build(Seed(7))?;
/// let optimizer = Chain::from(Sgd::new(0.05)).then(ProximalL1::new(0.1)?);
/// Trainer::new(optimizer, MeanSquaredError).epochs(20).progress(Progress::Quiet).fit(&mut network, &data)?;
/// assert_eq!(Pruned::of(&network).zeros, 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ProximalL1 {
    lambda: f32,
}

impl ProximalL1 {
    /// The link of this λ.
    ///
    /// # Errors
    /// [`Error::Lambda`] when λ is negative or not finite.
    ///
    /// ```
    /// assert!(maas_compress::ProximalL1::new(-0.1).is_err());
    /// ```
    pub fn new(lambda: f32) -> Result<Self, Error> {
        check_lambda(lambda)?;
        Ok(Self { lambda })
    }
}

impl Transform for ProximalL1 {
    fn name(&self) -> &str {
        "proximal_l1"
    }

    fn config(&self) -> Value {
        json!({ "lambda": self.lambda })
    }

    fn acts(&self) -> Acts {
        Acts::AfterStep
    }

    fn apply(&self, _: &Step, _: &mut Block<'_>) {}

    fn after(&self, step: &Step, block: &mut Block<'_>) {
        if block.role == Role::Weight {
            step.kernels
                .soft_threshold(block.parameters, step.learning_rate * self.lambda);
        }
    }
}
