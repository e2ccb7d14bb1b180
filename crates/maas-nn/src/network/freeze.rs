use std::sync::Arc;

use super::Network;
use crate::Error;

/// Layers that training leaves alone.
///
/// The parameters of a frozen layer keep their bits, whatever the optimiser does, and its running statistics stay. A
/// layer that takes statistics of the batch in training, as batch normalisation does, takes its running ones instead
/// while it is frozen, as in Keras. Gradients flow through it to the layers before; where there is nothing to train
/// before it, backward passes end there.
///
/// Frozen layers are saved as such. A plan belongs to the layers that were frozen when it was made.
impl Network {
    /// Freezes a layer.
    ///
    /// # Errors
    /// [`Error::UnknownLayer`].
    ///
    /// ```
    /// use maas_core::Seed;
    /// use maas_nn::{Error, Sequential};
    ///
    /// let mut network = Sequential::rows(4).dense(3).relu().dense(1).build(Seed(7))?;
    /// network.freeze("dense")?;
    /// assert!(network.is_frozen("dense")? && !network.segments()[0].trainable);
    /// assert!(matches!(network.freeze("dense_7"), Err(Error::UnknownLayer { .. })));
    /// # Ok::<(), Error>(())
    /// ```
    pub fn freeze(&mut self, layer: &str) -> Result<(), Error> {
        self.set_frozen(layer, true)
    }

    /// Lets a layer learn again.
    ///
    /// # Errors
    /// [`Error::UnknownLayer`].
    ///
    /// ```
    /// use maas_core::Seed;
    /// use maas_nn::Sequential;
    ///
    /// let mut network = Sequential::rows(4).dense(3).freeze().build(Seed(7))?;
    /// network.unfreeze("dense")?;
    /// assert!(!network.is_frozen("dense")?);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn unfreeze(&mut self, layer: &str) -> Result<(), Error> {
        self.set_frozen(layer, false)
    }

    /// Whether a layer is frozen.
    ///
    /// # Errors
    /// [`Error::UnknownLayer`].
    ///
    /// ```
    /// use maas_core::Seed;
    /// use maas_nn::Sequential;
    ///
    /// let network = Sequential::rows(4).dense(3).build(Seed(7))?;
    /// assert!(!network.is_frozen("dense")?);
    /// assert!(network.is_frozen("sparse").is_err());
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn is_frozen(&self, layer: &str) -> Result<bool, Error> {
        Ok(self.spec().nodes[self.node(layer)?].frozen)
    }

    fn set_frozen(&mut self, layer: &str, frozen: bool) -> Result<(), Error> {
        let node = self.node(layer)?;
        if self.spec().nodes[node].frozen != frozen {
            Arc::make_mut(&mut self.architecture).set_frozen(node, frozen);
        }
        Ok(())
    }

    pub(crate) fn node(&self, layer: &str) -> Result<usize, Error> {
        let mut nodes = self.spec().nodes.iter();
        nodes
            .position(|node| node.name == layer)
            .ok_or_else(|| Error::UnknownLayer {
                name: layer.to_owned(),
            })
    }
}
