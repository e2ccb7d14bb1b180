use super::Network;
use crate::{Error, Source};

/// Networks that end early.
impl Network {
    /// The part of the network that ends in the value of a layer: with its parameters, state and masks, and without
    /// class labels. What it answers has the bits that the layer gives in the whole network.
    ///
    /// # Errors
    /// [`Error::UnknownLayer`].
    ///
    /// ```
    /// use maas_core::Seed;
    /// use maas_nn::Sequential;
    /// use ndarray::array;
    ///
    /// let network = Sequential::rows(2).dense(3).relu().dense(1).build(Seed(7))?;
    /// let hidden = network.up_to("relu")?.predict(&array![[1.0, 2.0]])?;
    /// assert_eq!(hidden.dim(), (1, 3));
    /// assert!(hidden.iter().all(|&value| value >= 0.0));
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn up_to(&self, layer: &str) -> Result<Self, Error> {
        let node = self.node(layer)?;
        let mut spec = self.spec().clone();
        spec.nodes.truncate(node + 1);
        spec.output = Source::Node(node);
        spec.labels = None;
        self.with_spec(spec)
    }
}

#[cfg(test)]
mod tests {
    use maas_core::Seed;
    use ndarray::Array2;

    use crate::{Mask, Sequential};

    #[test]
    fn every_part_has_the_bits_of_the_whole() {
        let mut network = Sequential::rows(3)
            .normalize(maas_core::Moments::new([1.0, 2.0, 3.0], [2.0, 1.0, 0.5]).unwrap())
            .dense(20)
            .batch_norm()
            .relu()
            .residual(|branch| branch.dense(20).tanh())
            .dense(2)
            .softmax()
            .build(Seed(7))
            .unwrap();
        let mask = Mask::from_fn(60, |index| index % 3 != 0);
        network.set_mask("dense.kernel", mask.clone()).unwrap();
        let rows = Array2::from_shape_fn((5, 3), |(row, column)| (row * 3 + column) as f32);
        let nodes = network.spec().nodes.clone();
        for node in &nodes {
            let part = network.up_to(&node.name).unwrap();
            assert!(network.parameters().starts_with(part.parameters()));
            assert_eq!(part.predict(&rows).unwrap().nrows(), 5);
        }
        let whole = network.up_to("softmax").unwrap();
        assert_eq!(
            whole.predict(&rows).unwrap(),
            network.predict(&rows).unwrap()
        );
        assert_eq!(whole.mask("dense.kernel").unwrap(), Some(&mask));
        assert!(network.up_to("dense_9").is_err());
    }
}
