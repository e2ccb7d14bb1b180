use super::blocks::{Groups, Part};
use crate::Error;

/// Parameters that predict better than those of the last step, as a link of the chain keeps them; given by
/// [`Optimizer::average`](crate::Optimizer::average).
#[derive(Debug)]
pub struct Average<'a> {
    pub(super) state: &'a [f32],
    /// All buffers of the chain.
    pub(super) buffers: usize,
    pub(super) buffer: usize,
    pub(super) groups: &'a Groups,
    pub(super) parts: &'a [Part],
    pub(super) length: usize,
}

impl Average<'_> {
    /// Writes them over what is trained in `parameters`, which has the layout of
    /// [`Network::parameters`](maas_nn::Network::parameters); frozen segments and padding are left as they are.
    ///
    /// # Errors
    /// [`Error::GradientShape`] when `parameters` is of another length than the network's.
    ///
    /// ```
    /// use maas_core::Seed;
    /// use maas_nn::Sequential;
    /// use maas_train::{Optimizer, Sgd};
    ///
    /// let network = Sequential::rows(1).dense(1).build(Seed(7))?;
    /// assert!(Optimizer::new(Sgd::new(0.1), &network)?.average().is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn write(&self, parameters: &mut [f32]) -> Result<(), Error> {
        if parameters.len() != self.length {
            return Err(Error::GradientShape {
                expected: vec![self.length],
                found: vec![parameters.len()],
            });
        }
        for place in &self.groups.blocks {
            let (start, len) = (place.range.start, place.range.len());
            let from = &self.state[start * self.buffers + self.buffer * len..][..len];
            let to = &mut parameters[start..][..len];
            match &self.parts[place.part].mask {
                None => to.copy_from_slice(from),
                Some(mask) => {
                    let first = start - self.parts[place.part].range.start;
                    for (index, (to, from)) in to.iter_mut().zip(from).enumerate() {
                        let index = first + index;
                        let kept = mask.words()[index / 64] >> (index % 64) & 1 == 1;
                        *to = if kept { *from } else { 0.0 };
                    }
                }
            }
        }
        Ok(())
    }
}
