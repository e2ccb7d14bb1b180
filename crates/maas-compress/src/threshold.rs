use maas_kernels::Kernels;
use maas_nn::{Mask, Network};
use ndarray::{ArrayViewMut, Dimension};

use crate::cut::{Amount, Cut};
use crate::prune::finite_weights;
use crate::view::on_weights;
use crate::{Error, Prune, Pruned};

/// The formula stopped at zero: w ← sign(w)·max(|w| − λ, 0).
///
/// It is w − λ·sign(w) wherever |w| ≥ λ, and 0 where the formula would step over zero: exactly the proximal map of
/// λ‖·‖₁, argmin ½(v − w)² + λ|v|. Thresholds add up: λ₁ and then λ₂ is λ₁ + λ₂, so repeating the formula until a
/// fraction s of the weights is zero is one threshold at the s-quantile of |w|, which [`SoftThreshold::to_sparsity`]
/// finds.
///
/// What survives has lost λ; fine-tuning under the masks gives it back. [`HardThreshold`] prunes the same weights and
/// leaves the others as they are.
///
/// ```
/// use maas_compress::SoftThreshold;
///
/// let mut weights = [3.0, -2.0, 0.25, 0.0];
/// SoftThreshold::new(0.5).apply(&mut weights)?;
/// assert_eq!(weights, [2.5, -1.5, 0.0, 0.0]);
/// # Ok::<(), maas_compress::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use]
pub struct SoftThreshold {
    amount: Amount,
}

impl SoftThreshold {
    /// The threshold λ, which is finite and not negative: that is checked when it is used.
    ///
    /// ```
    /// assert!(maas_compress::SoftThreshold::new(f32::NAN).apply(&mut [1.0]).is_err());
    /// ```
    pub fn new(lambda: f32) -> Self {
        Self {
            amount: Amount::Lambda(lambda),
        }
    }

    /// The threshold that leaves this fraction of the weights zero: of the weights given, or of all weights of a
    /// network together.
    ///
    /// Exactly round(sparsity · weights) weights are pruned: those of least magnitude and, where magnitudes are equal,
    /// those that come first. λ is the largest magnitude pruned; a weight of just that magnitude that is not pruned
    /// becomes zero too, but is not masked.
    ///
    /// ```
    /// use maas_compress::SoftThreshold;
    ///
    /// let mut weights = [3.0, -2.0, 0.5, 1.0];
    /// let pruned = SoftThreshold::to_sparsity(0.5).apply(&mut weights)?;
    /// assert_eq!(weights, [2.0, -1.0, 0.0, 0.0]);
    /// assert_eq!(pruned.lambda, Some(1.0));
    /// assert!(SoftThreshold::to_sparsity(1.5).apply(&mut weights).is_err());
    /// # Ok::<(), maas_compress::Error>(())
    /// ```
    pub fn to_sparsity(sparsity: f64) -> Self {
        Self {
            amount: Amount::Sparsity(sparsity),
        }
    }

    /// Thresholds a slice or view of any shape and strides.
    ///
    /// # Errors
    /// [`Error::Lambda`] and [`Error::Sparsity`]; [`Error::NotFinite`] when a weight is NaN or infinite. No weight is
    /// changed then.
    ///
    /// ```
    /// use maas_compress::SoftThreshold;
    /// use ndarray::array;
    ///
    /// let mut weights = array![[1.0, 0.1], [-0.2, -3.0]];
    /// SoftThreshold::new(0.5).apply(&mut weights)?;
    /// assert_eq!(weights, array![[0.5, 0.0], [0.0, -2.5]]);
    /// # Ok::<(), maas_compress::Error>(())
    /// ```
    pub fn apply<'a, D: Dimension>(
        &self,
        weights: impl Into<ArrayViewMut<'a, f32, D>>,
    ) -> Result<Pruned, Error> {
        apply(self.amount, Survivors::Shrunk, weights)
    }
}

/// The threshold on all weights of the network; what becomes zero is masked, and what was masked stays so.
impl Prune for SoftThreshold {
    fn prune(&self, network: &mut Network) -> Result<Pruned, Error> {
        prune(self.amount, Survivors::Shrunk, network)
    }

    fn prune_part(&self, share: f64, network: &mut Network) -> Result<Pruned, Error> {
        prune(self.amount.part(share)?, Survivors::Shrunk, network)
    }
}

/// Pruning by magnitude: w ← 0 where |w| ≤ λ, and all others stay as they are.
///
/// ```
/// use maas_compress::HardThreshold;
///
/// let mut weights = [3.0, -2.0, 0.25, 0.0];
/// HardThreshold::new(0.5).apply(&mut weights)?;
/// assert_eq!(weights, [3.0, -2.0, 0.0, 0.0]);
/// # Ok::<(), maas_compress::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use]
pub struct HardThreshold {
    amount: Amount,
}

impl HardThreshold {
    /// The threshold λ, which is finite and not negative: that is checked when it is used.
    ///
    /// ```
    /// assert!(maas_compress::HardThreshold::new(f32::INFINITY).apply(&mut [1.0]).is_err());
    /// ```
    pub fn new(lambda: f32) -> Self {
        Self {
            amount: Amount::Lambda(lambda),
        }
    }

    /// The threshold that leaves this fraction of the weights zero, as [`SoftThreshold::to_sparsity`] chooses them.
    ///
    /// ```
    /// let mut weights = [3.0, -2.0, 0.5, 1.0];
    /// maas_compress::HardThreshold::to_sparsity(0.5).apply(&mut weights)?;
    /// assert_eq!(weights, [3.0, -2.0, 0.0, 0.0]);
    /// # Ok::<(), maas_compress::Error>(())
    /// ```
    pub fn to_sparsity(sparsity: f64) -> Self {
        Self {
            amount: Amount::Sparsity(sparsity),
        }
    }

    /// Thresholds a slice or view of any shape and strides.
    ///
    /// # Errors
    /// Those of [`SoftThreshold::apply`].
    ///
    /// ```
    /// let mut weights = ndarray::array![[1.0, 0.1], [-0.2, -3.0]];
    /// maas_compress::HardThreshold::new(0.5).apply(&mut weights)?;
    /// assert_eq!(weights, ndarray::array![[1.0, 0.0], [0.0, -3.0]]);
    /// # Ok::<(), maas_compress::Error>(())
    /// ```
    pub fn apply<'a, D: Dimension>(
        &self,
        weights: impl Into<ArrayViewMut<'a, f32, D>>,
    ) -> Result<Pruned, Error> {
        apply(self.amount, Survivors::Kept, weights)
    }
}

/// The threshold on all weights of the network; what becomes zero is masked, and what was masked stays so.
impl Prune for HardThreshold {
    fn prune(&self, network: &mut Network) -> Result<Pruned, Error> {
        prune(self.amount, Survivors::Kept, network)
    }

    fn prune_part(&self, share: f64, network: &mut Network) -> Result<Pruned, Error> {
        prune(self.amount.part(share)?, Survivors::Kept, network)
    }
}

/// What happens to weights above the threshold.
#[derive(Clone, Copy)]
enum Survivors {
    Shrunk,
    Kept,
}

impl Survivors {
    fn change(self, weights: &mut [f32], lambda: f32) {
        match self {
            Self::Shrunk => Kernels::best().soft_threshold(weights, lambda),
            Self::Kept => {}
        }
    }
}

fn apply<'a, D: Dimension>(
    amount: Amount,
    survivors: Survivors,
    weights: impl Into<ArrayViewMut<'a, f32, D>>,
) -> Result<Pruned, Error> {
    amount.check()?;
    on_weights(weights, |weights| {
        let mut cut = Cut::new(amount, std::iter::once(&*weights));
        let mask = cut.mask(weights);
        survivors.change(weights, cut.lambda);
        Kernels::best().apply_mask(weights, &mask);
        Pruned::count(weights).with_lambda(cut.lambda)
    })
}

fn prune(amount: Amount, survivors: Survivors, network: &mut Network) -> Result<Pruned, Error> {
    amount.check()?;
    let segments = finite_weights(network)?;
    network.apply_masks();
    let all = segments
        .iter()
        .map(|segment| &network.parameters()[segment.range.clone()]);
    let mut cut = Cut::new(amount, all);
    for segment in segments {
        let weights = &mut network.parameters_mut()[segment.range.clone()];
        let mut mask = cut.mask(weights);
        survivors.change(weights, cut.lambda);
        if let Some(earlier) = network.mask(&segment.name)? {
            mask.iter_mut()
                .zip(earlier.words())
                .for_each(|(word, earlier)| *word &= earlier);
        }
        network.set_mask(&segment.name, Mask::from_words(mask, segment.range.len())?)?;
    }
    Ok(Pruned::of(network).with_lambda(cut.lambda))
}
