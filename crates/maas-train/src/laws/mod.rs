//! What every link of a chain has to keep.

mod alone;
mod steps;

use std::fmt;
use std::sync::Arc;

use maas_nn::Transform;

use crate::Error;

/// Runs every law that a link of a chain has to keep, for tests of a [`Transform`] of your own.
///
/// The laws are those of [`Law`]. Each is tried on weights and biases, on segments shorter and longer than a block, over
/// several steps, with gradients that look random and are the same everywhere.
///
/// ```
/// use maas_nn::{Block, Step, Transform};
/// use maas_train::{Error, Law, check_transform};
///
/// /// Keeps the direction within ± a limit.
/// #[derive(Debug)]
/// struct Clip(f32);
///
/// impl Transform for Clip {
///     fn apply(&self, _step: &Step, block: &mut Block<'_>) {
///         // `f32::clamp` lets NaN through; `min` and `max` would hide it.
///         block.update.iter_mut().for_each(|update| *update = update.clamp(-self.0, self.0));
///     }
/// }
///
/// check_transform(Clip(0.5))?;
///
/// #[derive(Debug)]
/// struct Hides(f32);
///
/// impl Transform for Hides {
///     fn apply(&self, _step: &Step, block: &mut Block<'_>) {
///         block.update.iter_mut().for_each(|update| *update = update.min(self.0).max(-self.0));
///     }
/// }
///
/// let error = check_transform(Hides(0.5)).unwrap_err();
/// assert!(matches!(error, Error::BrokenLaw { law: Law::NanStays, .. }));
/// # Ok::<(), Error>(())
/// ```
///
/// # Errors
/// [`Error::Coefficient`] when the link refuses its own numbers; [`Error::BrokenLaw`] names the first law that is
/// broken.
pub fn check_transform(link: impl Transform + 'static) -> Result<(), Error> {
    let link: Arc<dyn Transform> = Arc::new(link);
    crate::Chain::new(0.1).then_shared(&link).check()?;
    let broken = |law| Error::BrokenLaw {
        link: link.name().into(),
        law,
    };
    for (law, holds) in alone::LAWS {
        if !holds(link.as_ref()) {
            return Err(broken(*law));
        }
    }
    for (law, holds) in steps::LAWS {
        if !holds(&link)? {
            return Err(broken(*law));
        }
    }
    Ok(())
}

/// What a link of a chain has to keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Law {
    /// It has a name, and answers the same to the same question about itself.
    Identity,
    /// [`Transform::averages`] names one of its buffers.
    Averages,
    /// A link that does not say that it reduces has nothing to reduce.
    ReductionDeclared,
    /// It leaves alone what [`Transform::acts`] says that it does not touch.
    ActsDeclared,
    /// However a segment is cut into blocks, every element has the same bits.
    Cuts,
    /// Every set of kernels gives the same bits.
    KernelSets,
    /// [`Transform::step_fused`] gives the bits of [`Transform::apply`] with the step behind it, or touches nothing.
    Fusion,
    /// No gradient and fresh state give finite parameters and a finite direction.
    ZeroGradient,
    /// A gradient or parameter that is not a number leaves a parameter that is not a number.
    NanStays,
    /// Any number of threads gives the same bits.
    Threads,
    /// The same steps from the same beginning give the same bits: nothing is kept outside of buffers and scalars.
    Repetition,
    /// Going on from saved state gives the bits of never having stopped.
    StateRoundTrip,
    /// Frozen segments, and the padding between segments, stay as they are.
    FrozenStays,
    /// Masked weights stay +0.
    MaskedStays,
    /// What is masked or frozen changes nothing elsewhere.
    HiddenIsUnseen,
}

impl fmt::Display for Law {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Identity => "it has a name, and answers the same to the same question",
            Self::Averages => "its averages are one of its buffers",
            Self::ReductionDeclared => "a link that reduces says so",
            Self::ActsDeclared => "a link acts only where it says that it does",
            Self::Cuts => "the bits do not depend on how a segment is cut into blocks",
            Self::KernelSets => "every set of kernels gives the same bits",
            Self::Fusion => "the fused step has the bits of the two parts",
            Self::ZeroGradient => "no gradient and fresh state give finite numbers",
            Self::NanStays => "what is not a number stays so",
            Self::Threads => "any number of threads gives the same bits",
            Self::Repetition => "the same steps give the same bits",
            Self::StateRoundTrip => "going on from saved state gives the same bits",
            Self::FrozenStays => "frozen parameters and padding stay as they are",
            Self::MaskedStays => "masked weights stay zero",
            Self::HiddenIsUnseen => "what is masked or frozen changes nothing elsewhere",
        })
    }
}

/// Numbers in −1..1 that look random and are the same everywhere.
fn noise(seed: u64, index: usize) -> f32 {
    let x = seed
        .wrapping_mul(0x9E37_79B9_7F4A_7C15)
        .wrapping_add(index as u64 + 1);
    let x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((x ^ (x >> 31)) >> 40) as f32 / (1 << 23) as f32 - 1.0
}

/// The same bits, or both not a number.
fn same(a: &[f32], b: &[f32]) -> bool {
    let equal = |(a, b): (&f32, &f32)| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan());
    a.len() == b.len() && a.iter().zip(b).all(equal)
}
