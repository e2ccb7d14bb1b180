use maas_kernels::Kernels;
use maas_nn::Network;
use ndarray::{ArrayViewMut, Dimension};

use crate::cut::check_lambda;
use crate::prune::finite_weights;
use crate::view::on_weights;
use crate::{Error, Prune, Pruned};

/// The formula to the letter: w ← w − λ·sign(w), with sign(±0) = 0.
///
/// It is one subgradient step of λ‖w‖₁. A weight within λ of zero steps *over* zero, to −sign(w)·(λ − |w|), and a
/// second step brings it back: repeated alone it makes a weight zero only when |w| is a multiple of λ. To prune, use
/// [`SoftThreshold`](crate::SoftThreshold), the same formula stopped at zero; the two agree wherever |w| ≥ λ.
///
/// For |w| > 2²⁴·λ the difference is below half a unit in the last place, and the weight stays as it is.
///
/// ```
/// use maas_compress::SignStep;
///
/// let mut weights = [3.0, -2.0, 0.25, 0.0];
/// SignStep::new(0.5).apply(&mut weights)?;
/// assert_eq!(weights, [2.5, -1.5, -0.25, 0.0]);
/// # Ok::<(), maas_compress::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use]
pub struct SignStep {
    lambda: f32,
}

impl SignStep {
    /// The step of this λ, which is finite and not negative: that is checked when it is used.
    ///
    /// ```
    /// let error = maas_compress::SignStep::new(-1.0).apply(&mut [1.0]).unwrap_err();
    /// assert_eq!(error.to_string(), "a finite λ of at least 0 expected, found -1");
    /// ```
    pub fn new(lambda: f32) -> Self {
        Self { lambda }
    }

    /// Takes the step on a slice or view of any shape and strides.
    ///
    /// # Errors
    /// [`Error::Lambda`]; [`Error::NotFinite`] when a weight is NaN or infinite. No weight is changed then.
    ///
    /// ```
    /// use maas_compress::SignStep;
    /// use ndarray::array;
    ///
    /// let mut weights = array![[1.0, 9.0], [-1.0, 9.0]];
    /// SignStep::new(0.5).apply(weights.column_mut(0))?;
    /// assert_eq!(weights, array![[0.5, 9.0], [-0.5, 9.0]]);
    /// # Ok::<(), maas_compress::Error>(())
    /// ```
    pub fn apply<'a, D: Dimension>(
        &self,
        weights: impl Into<ArrayViewMut<'a, f32, D>>,
    ) -> Result<Pruned, Error> {
        check_lambda(self.lambda)?;
        on_weights(weights, |weights| {
            Kernels::best().sign_step(weights, self.lambda);
            Pruned::count(weights).with_lambda(self.lambda)
        })
    }
}

/// The step on all weights of the network. Masks stay as they are.
impl Prune for SignStep {
    fn prune(&self, network: &mut Network) -> Result<Pruned, Error> {
        check_lambda(self.lambda)?;
        for segment in finite_weights(network)? {
            Kernels::best().sign_step(&mut network.parameters_mut()[segment.range], self.lambda);
        }
        Ok(Pruned::of(network).with_lambda(self.lambda))
    }
}
