use maas_nn::{LayerSpec, Network};
use serde_json::{Value, json};

use crate::Error;

/// All dense layers but some, or some alone.
#[derive(Clone, Debug, Default)]
pub(super) struct Selection {
    only: Vec<String>,
    exclude: Vec<String>,
}

impl Selection {
    pub(super) fn only(mut self, layer: impl Into<String>) -> Self {
        self.only.push(layer.into());
        self
    }

    pub(super) fn exclude(mut self, layer: impl Into<String>) -> Self {
        self.exclude.push(layer.into());
        self
    }

    /// As data.
    pub(super) fn config(&self) -> Value {
        json!([self.only, self.exclude])
    }

    /// The positions and names of the layers.
    pub(super) fn layers(&self, network: &Network) -> Result<Vec<(usize, String)>, Error> {
        for name in self.only.iter().chain(&self.exclude) {
            network.arithmetic(name)?;
        }
        let nodes = network.spec().nodes.iter().enumerate();
        Ok(nodes
            .filter(|(_, node)| matches!(node.layer, LayerSpec::Dense { .. }))
            .filter(|(_, node)| self.only.is_empty() || self.only.contains(&node.name))
            .filter(|(_, node)| !self.exclude.contains(&node.name))
            .map(|(index, node)| (index, node.name.clone()))
            .collect())
    }
}
