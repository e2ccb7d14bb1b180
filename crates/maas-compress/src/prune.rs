use maas_nn::{Network, Role, Segment};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::cut::first_not_finite;

/// A way to make weights of a network zero.
///
/// What is to stay zero while the network is fine-tuned is masked in its parameters
/// ([`Network::set_mask`]): every optimiser leaves masked weights alone.
///
/// ```
/// use maas_compress::{Error, Prune, Pruned};
/// use maas_core::Seed;
/// use maas_nn::{Mask, Network, Sequential};
///
/// /// Keeps every second weight of a segment.
/// struct EverySecond(&'static str);
///
/// impl Prune for EverySecond {
///     fn prune(&self, network: &mut Network) -> Result<Pruned, Error> {
///         let weights = network.segment(self.0)?.len();
///         network.set_mask(self.0, Mask::from_fn(weights, |position| position % 2 == 0))?;
///         Ok(Pruned::of(network))
///     }
/// }
///
/// let mut network = Sequential::rows(4).dense(3).build(Seed(7))?;
/// assert_eq!(EverySecond("dense.kernel").prune(&mut network)?.zeros, 6);
/// # Ok::<(), Error>(())
/// ```
pub trait Prune {
    /// What it is called in reports: the name of its type unless told otherwise.
    fn name(&self) -> &str {
        short_type_name::<Self>()
    }

    /// Prunes the network's weights.
    ///
    /// # Errors
    /// When a setting makes no sense or a weight is not finite; the network is then as it was.
    fn prune(&self, network: &mut Network) -> Result<Pruned, Error>;

    /// Goes this share of the way to what [`prune`](Prune::prune) leaves, from 0 to 1: what a
    /// [`Ramp`](crate::Ramp) asks for. What is masked already stays so.
    ///
    /// ```
    /// # use {maas_compress::{Prune, SoftThreshold}, maas_core::Seed, maas_nn::Sequential};
    /// let mut network = Sequential::rows(4).dense(5).build(Seed(7))?;
    /// assert_eq!(SoftThreshold::to_sparsity(0.8).prune_part(0.5, &mut network)?.sparsity(), 0.4);
    /// # Ok::<(), maas_compress::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`prune`](Prune::prune); [`Error::NotGradual`] for less than the whole way unless told otherwise.
    fn prune_part(&self, share: f64, network: &mut Network) -> Result<Pruned, Error> {
        if share < 1.0 {
            return Err(Error::NotGradual);
        }
        self.prune(network)
    }
}

/// The name of a type without its path and parameters.
pub(crate) fn short_type_name<T: ?Sized>() -> &'static str {
    let path = std::any::type_name::<T>();
    let path = path.split('<').next().unwrap_or(path);
    path.rsplit("::").next().unwrap_or(path)
}

macro_rules! forward {
    () => {
        fn name(&self) -> &str {
            (**self).name()
        }

        fn prune(&self, network: &mut Network) -> Result<Pruned, Error> {
            (**self).prune(network)
        }

        fn prune_part(&self, share: f64, network: &mut Network) -> Result<Pruned, Error> {
            (**self).prune_part(share, network)
        }
    };
}

impl<P: Prune + ?Sized> Prune for &P {
    forward!();
}

impl<P: Prune + ?Sized> Prune for Box<P> {
    forward!();
}

/// What pruning has left.
///
/// ```
/// let pruned = maas_compress::SoftThreshold::new(1.0).apply(&mut [3.0, 0.5, -1.0, 2.0])?;
/// assert_eq!((pruned.weights, pruned.zeros, pruned.sparsity()), (4, 2, 0.5));
/// # Ok::<(), maas_compress::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Pruned {
    /// How many weights there are.
    pub weights: usize,
    /// How many of them are zero.
    pub zeros: usize,
    /// The λ of the threshold, where there is one.
    pub lambda: Option<f32>,
}

impl Pruned {
    /// Counts the weights of a network: the elements of its segments of [`Role::Weight`].
    ///
    /// ```
    /// # use maas_core::Seed;
    /// # use maas_nn::Sequential;
    /// let network = Sequential::rows(4).dense(3).build(Seed(7))?;
    /// assert_eq!(maas_compress::Pruned::of(&network).weights, 12);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn of(network: &Network) -> Self {
        weight_segments(network)
            .map(|segment| Self::count(&network.parameters()[segment.range.clone()]))
            .fold(
                Self {
                    weights: 0,
                    zeros: 0,
                    lambda: None,
                },
                |sum, segment| Self {
                    weights: sum.weights + segment.weights,
                    zeros: sum.zeros + segment.zeros,
                    lambda: None,
                },
            )
    }

    /// The fraction of weights that are zero; 0 of no weights.
    ///
    /// ```
    /// assert_eq!(maas_compress::SoftThreshold::new(1.0).apply(&mut [3.0, 0.5])?.sparsity(), 0.5);
    /// # Ok::<(), maas_compress::Error>(())
    /// ```
    pub fn sparsity(&self) -> f64 {
        if self.weights == 0 {
            0.0
        } else {
            self.zeros as f64 / self.weights as f64
        }
    }

    pub(crate) fn count(weights: &[f32]) -> Self {
        let zeros = weights.iter().filter(|&&weight| weight == 0.0).count();
        Self {
            weights: weights.len(),
            zeros,
            lambda: None,
        }
    }

    pub(crate) fn with_lambda(self, lambda: f32) -> Self {
        Self {
            lambda: Some(lambda),
            ..self
        }
    }
}

pub(crate) fn weight_segments(network: &Network) -> impl Iterator<Item = &Segment> {
    network
        .segments()
        .iter()
        .filter(|segment| segment.role == Role::Weight)
}

/// Refuses weights that are not finite.
pub(crate) fn check_finite(network: &Network, segments: &[Segment]) -> Result<(), Error> {
    for segment in segments {
        if let Some((index, found)) = first_not_finite(&network.parameters()[segment.range.clone()])
        {
            return Err(Error::NotFinite {
                segment: Some(segment.name.clone()),
                index,
                found,
            });
        }
    }
    Ok(())
}

/// The segments of weights, each with finite weights, and at least one weight in all.
pub(crate) fn finite_weights(network: &Network) -> Result<Vec<Segment>, Error> {
    let segments: Vec<Segment> = weight_segments(network).cloned().collect();
    check_finite(network, &segments)?;
    if segments.iter().all(|segment| segment.range.is_empty()) {
        return Err(Error::NoWeights);
    }
    Ok(segments)
}
