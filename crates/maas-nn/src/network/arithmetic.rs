use super::Network;
use crate::{Arithmetic, Error, LayerSpec, Representation};

/// What dense layers compute with.
impl Network {
    /// Gives a dense layer another arithmetic: from now on the network is another one, with the same parameters.
    ///
    /// # Errors
    /// [`Error::UnknownLayer`], [`Error::NotDense`], [`Error::Setting`] in [`Error::Layer`] for a scale that is none.
    /// The network is then as it was.
    ///
    /// ```
    /// use maas_core::Seed;
    /// use maas_nn::{Arithmetic, Error, Sequential};
    ///
    /// let mut network = Sequential::rows(4).dense(3).relu().dense(1).build(Seed(7))?;
    /// network.set_arithmetic("dense", Arithmetic::Bf16)?;
    /// assert_eq!(network.arithmetic("dense")?, Arithmetic::Bf16);
    /// assert!(matches!(network.set_arithmetic("relu", Arithmetic::Bf16), Err(Error::NotDense { .. })));
    /// # Ok::<(), Error>(())
    /// ```
    pub fn set_arithmetic(&mut self, layer: &str, arithmetic: Arithmetic) -> Result<(), Error> {
        if self.arithmetic(layer)? == arithmetic {
            return Ok(());
        }
        let node = self.node(layer)?;
        let mut spec = self.spec().clone();
        spec.nodes[node].layer = spec.nodes[node].layer.clone().with_arithmetic(arithmetic);
        *self = self.with_spec(spec)?;
        Ok(())
    }

    /// The forms in which a layer's parameters can be packed for answers; all give the same bits.
    ///
    /// # Errors
    /// [`Error::UnknownLayer`].
    ///
    /// ```
    /// # use maas_core::Seed;
    /// # use maas_nn::{Representation, Sequential};
    /// let network = Sequential::rows(4).dense(3).relu().build(Seed(7))?;
    /// assert!(network.representations("dense")?.contains(&Representation::Dense));
    /// assert_eq!(network.representations("relu")?, [Representation::Dense]);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn representations(&self, layer: &str) -> Result<&'static [Representation], Error> {
        Ok(self.architecture.plans[self.node(layer)?].representations)
    }

    /// The arithmetic of a dense layer.
    ///
    /// # Errors
    /// [`Error::UnknownLayer`], [`Error::NotDense`].
    ///
    /// ```
    /// # use maas_core::Seed;
    /// # use maas_nn::{Arithmetic, Sequential};
    /// let network = Sequential::rows(4).dense(3).build(Seed(7))?;
    /// assert_eq!(network.arithmetic("dense")?, Arithmetic::F32);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn arithmetic(&self, layer: &str) -> Result<Arithmetic, Error> {
        match &self.spec().nodes[self.node(layer)?].layer {
            LayerSpec::Dense { arithmetic, .. } => Ok(*arithmetic),
            other => Err(Error::NotDense {
                layer: layer.to_owned(),
                found: other.kind().to_owned(),
            }),
        }
    }
}
