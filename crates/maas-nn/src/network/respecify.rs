use super::Network;
use super::architecture::Architecture;
use super::layout::allocate;
use crate::{Error, LayerSpec, Layers, NetworkSpec, StateSegment, Updates};

impl Network {
    /// A network of another architecture, which takes over from this one what it still has: layers of one's own, without
    /// a table, and parameters, masks and state by name and shape. Other parameters are zero; other state is as it starts,
    /// and so is state that never changes, such as moments, where the layer does.
    ///
    /// This is what rewrites architectures: it changes a copy of [`spec`](Network::spec), and then fills in numbers.
    ///
    /// # Errors
    /// When the architecture is not sound, as for [`Network::new`].
    ///
    /// ```
    /// use maas_core::Seed;
    /// use maas_nn::{LayerSpec, Sequential};
    ///
    /// let network = Sequential::rows(4).dense(3).dense(1).build(Seed(7))?;
    /// let mut spec = network.spec().clone();
    /// spec.nodes[1].layer = LayerSpec::dense(2);
    /// let wider = network.with_spec(spec)?;
    /// assert_eq!(wider.segment("dense.kernel")?, network.segment("dense.kernel")?);
    /// assert_eq!(wider.segment("dense_1.kernel")?.shape(), [3, 2]);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn with_spec(&self, spec: NetworkSpec) -> Result<Self, Error> {
        let own = |layer: &LayerSpec| {
            let mut nodes = self.spec().nodes.iter();
            let node = nodes.position(|node| node.layer == *layer)?;
            Some(self.architecture.layers[node].clone())
        };
        let at_hand: Vec<_> = spec.nodes.iter().map(|node| own(&node.layer)).collect();
        let architecture = Architecture::new(spec, &Layers::standard(), &at_hand)?;
        let parameters = allocate(architecture.layout.parameters_length)?;
        let mut network = Self::with_parameters(architecture, parameters)?;
        network.take_over(self);
        Ok(network)
    }

    fn take_over(&mut self, before: &Self) {
        let (to, from) = (&self.architecture.layout, &before.architecture.layout);
        for (segment, mask) in to.segments.iter().zip(&mut self.masks) {
            let same = from
                .segments
                .iter()
                .position(|one| one.name == segment.name && one.shape == segment.shape);
            if let Some(index) = same {
                let values = &before.parameters[from.segments[index].range.clone()];
                self.parameters[segment.range.clone()].copy_from_slice(values);
                mask.clone_from(&before.masks[index]);
            }
        }
        for segment in &to.state {
            let same = from
                .state
                .iter()
                .find(|one| one.name == segment.name && one.shape == segment.shape);
            let constant = segment.updates == Updates::Never;
            if let Some(same) = same
                && !(constant && self.layer_of(segment) != before.layer_of(same))
            {
                let values = &before.state[same.range.clone()];
                self.state[segment.range.clone()].copy_from_slice(values);
            }
        }
    }

    fn layer_of(&self, segment: &StateSegment) -> Option<&LayerSpec> {
        let (name, _) = segment.name.split_once('.')?;
        let mut nodes = self.spec().nodes.iter();
        Some(&nodes.find(|node| node.name == name)?.layer)
    }
}
