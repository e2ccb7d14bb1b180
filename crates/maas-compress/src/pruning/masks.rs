use maas_nn::{Mask, Network};

use crate::{Error, Prune, Pruned};

/// The masks of a network, to be set in another one of the same architecture.
///
/// A lottery ticket (Frankle and Carbin, *The Lottery Ticket Hypothesis*, 2019) is a network as it began, under the masks
/// of what it became.
///
/// ```
/// use maas_compress::{Masks, Prune, SoftThreshold};
/// use maas_core::Seed;
/// use maas_nn::Sequential;
///
/// let beginning = Sequential::rows(4).dense(3).build(Seed(7))?;
/// let mut trained = beginning.clone();
/// trained.parameters_mut()[..3].fill(9.0);
/// SoftThreshold::to_sparsity(0.75).prune(&mut trained)?;
///
/// let mut ticket = beginning.clone();
/// Masks::of(&trained).prune(&mut ticket)?;
/// assert_eq!(ticket.parameters()[..3], beginning.parameters()[..3]);
/// assert_eq!(ticket.segment("dense.kernel")?.iter().filter(|&&weight| weight == 0.0).count(), 9);
///
/// let mut other = Sequential::rows(4).dense(2).build(Seed(7))?;
/// assert!(Masks::of(&trained).prune(&mut other).is_err());
/// # Ok::<(), maas_compress::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Masks {
    /// Name and length of each segment.
    segments: Vec<(String, usize)>,
    masks: Vec<Option<Mask>>,
}

impl Masks {
    /// A copy of the masks of this network.
    ///
    /// See the type for an example.
    pub fn of(network: &Network) -> Self {
        Self {
            segments: segments(network).collect(),
            masks: network.masks().map(Option::<&Mask>::cloned).collect(),
        }
    }
}

/// Sets the masks, and leaves those alone for which there is none.
impl Prune for Masks {
    /// # Errors
    /// [`Error::OtherNetwork`] when the network has other parameters than the one whose masks these are.
    fn prune(&self, network: &mut Network) -> Result<Pruned, Error> {
        check_same(self.segments.iter().cloned(), network)?;
        for ((name, _), mask) in self.segments.iter().zip(&self.masks) {
            if let Some(mask) = mask {
                network.set_mask(name, mask.clone())?;
            }
        }
        Ok(Pruned::of(network))
    }
}

/// Refuses a network with other segments than these.
pub(crate) fn check_same(
    expected: impl Iterator<Item = (String, usize)>,
    network: &Network,
) -> Result<(), Error> {
    let (mut expected, mut found) = (expected, segments(network));
    loop {
        match (expected.next(), found.next()) {
            (None, None) => return Ok(()),
            (expected, found) if expected == found => {}
            (expected, found) => {
                let text = |segment: Option<(String, usize)>| match segment {
                    Some((name, len)) => format!("`{name}` of {len}"),
                    None => "no more".to_owned(),
                };
                return Err(Error::OtherNetwork {
                    expected: text(expected),
                    found: text(found),
                });
            }
        }
    }
}

/// Name and length of each segment.
pub(crate) fn segments(network: &Network) -> impl Iterator<Item = (String, usize)> {
    let segments = network.segments().iter();
    segments.map(|segment| (segment.name.clone(), segment.range.len()))
}
