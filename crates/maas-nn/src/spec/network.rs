use std::collections::BTreeSet;

use maas_core::TensorSpec;
use serde::{Deserialize, Serialize};

use super::LayerSpec;
use crate::network::architecture::Architecture;
use crate::{Error, Layers};

/// An architecture as data: layers in an order in which each takes only what is already there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct NetworkSpec {
    /// What the network takes.
    pub inputs: Vec<TensorSpec>,
    /// The layers.
    pub nodes: Vec<Node>,
    /// What the network gives: the output of a node.
    pub output: Source,
    /// Names of the classes, one an output, where the network classifies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<Vec<String>>,
}

/// A layer and where its inputs come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Node {
    /// A name that no other node has; segments are called `name.parameter`.
    pub name: String,
    /// The layer.
    pub layer: LayerSpec,
    /// Where its inputs come from.
    pub inputs: Vec<Source>,
    /// Whether training leaves its parameters and its running statistics alone.
    #[serde(default, skip_serializing_if = "is_false")]
    pub frozen: bool,
}

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// An input of the network, by its number.
    Input(usize),
    /// The output of a node, by its number.
    Node(usize),
}

impl Node {
    /// A layer under a name, and where its inputs come from.
    ///
    /// ```
    /// use maas_nn::{LayerSpec, Node, Source};
    /// assert_eq!(Node::new("head", LayerSpec::dense(1), [Source::Input(0)]).name, "head");
    /// ```
    pub fn new(name: impl Into<String>, layer: LayerSpec, inputs: impl Into<Vec<Source>>) -> Self {
        Self {
            name: name.into(),
            layer,
            inputs: inputs.into(),
            frozen: false,
        }
    }
}

fn is_false(flag: &bool) -> bool {
    !flag
}

impl NetworkSpec {
    /// An architecture without class labels. It is checked when a network is made of it.
    ///
    /// ```
    /// use maas_core::{DType, Seed, TensorSpec};
    /// use maas_nn::{LayerSpec, Layers, Network, NetworkSpec, Node, Source};
    ///
    /// let spec = NetworkSpec::new(
    ///     TensorSpec::rows("x", DType::Fp32, &[4]),
    ///     [Node::new("dense", LayerSpec::dense(2), [Source::Input(0)])],
    ///     Source::Node(0),
    /// );
    /// assert_eq!(Network::new(spec, &Layers::standard(), Seed(7))?.output_width(), 2);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn new(
        inputs: impl Into<Vec<TensorSpec>>,
        nodes: impl Into<Vec<Node>>,
        output: Source,
    ) -> Self {
        Self {
            inputs: inputs.into(),
            nodes: nodes.into(),
            output,
            labels: None,
        }
    }

    /// How many numbers the buffers of parameters and state of such a network hold, padding included.
    ///
    /// Nothing of that size is made: a reader of files that it does not trust asks before it builds the network.
    ///
    /// # Errors
    /// When the architecture is not sound, as for [`Network::new`](crate::Network::new).
    ///
    /// ```
    /// use maas_core::Seed;
    /// use maas_nn::{Layers, Sequential};
    ///
    /// let network = Sequential::rows(4).dense(3).build(Seed(7))?;
    /// let buffers = network.parameters().len() + network.state().len();
    /// assert_eq!(network.spec().buffer_len(&Layers::standard())?, buffers);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn buffer_len(&self, layers: &Layers) -> Result<usize, Error> {
        let layout = Architecture::new(self.clone(), layers, &[])?.layout;
        layout
            .parameters_length
            .checked_add(layout.state_length)
            .ok_or(Error::TooLarge)
    }

    /// Checks names and sources; shapes are checked when the network is built.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.inputs.is_empty() {
            return Err(Error::NoInputs);
        }
        if self.nodes.is_empty() {
            return Err(Error::NoLayers);
        }
        let known = |source: Source, nodes: usize| match source {
            Source::Input(input) if input < self.inputs.len() => Ok(()),
            Source::Node(node) if node < nodes => Ok(()),
            _ => Err(Error::UnknownSource),
        };
        let mut names = BTreeSet::new();
        for (index, node) in self.nodes.iter().enumerate() {
            check_name(&node.name)?;
            if !names.insert(node.name.as_str()) {
                return Err(Error::DuplicateName {
                    name: node.name.clone(),
                });
            }
            for &source in &node.inputs {
                known(source, index).map_err(|error| error.in_layer(&node.name))?;
            }
        }
        match self.output {
            Source::Node(_) => known(self.output, self.nodes.len()),
            Source::Input(_) => Err(Error::UnknownSource),
        }
    }
}

/// Names stand in files and in paths of segments.
pub(crate) fn check_name(name: &str) -> Result<(), Error> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !name.is_empty() && name.chars().all(fits) {
        Ok(())
    } else {
        Err(Error::Name {
            name: name.to_owned(),
        })
    }
}
