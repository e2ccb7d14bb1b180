use std::fmt;
use std::sync::Arc;

use maas_core::{Context, Model, Outputs, Scratch, Signature, TensorView, Values};
use ndarray::{Array2, ArrayView2};

use super::{Packed, Representation};
use crate::pass::Slices;
use crate::{Error, Network};

/// A network whose parameters are packed once, for answers alone.
///
/// It gives the network's answers, bit for bit, whatever the representations. A clone shares the memory.
///
/// ```
/// use maas_core::Seed;
/// use maas_nn::{Arithmetic, PackedNetwork, Representation, Sequential};
/// use ndarray::array;
///
/// let mut network = Sequential::rows(2).dense(8).relu().dense(1).build(Seed(7))?;
/// network.set_arithmetic("dense", Arithmetic::int8())?;
///
/// let rows = array![[1.0, -2.0]];
/// let packed = PackedNetwork::new(network.clone(), |_| Representation::Dense)?;
/// assert_eq!(packed.predict(&rows)?, network.predict(&rows)?);
/// # Ok::<(), maas_nn::Error>(())
/// ```
#[derive(Clone)]
pub struct PackedNetwork {
    shared: Arc<Shared>,
}

struct Shared {
    network: Network,
    representations: Vec<Representation>,
    /// By node.
    packed: Vec<Option<Packed>>,
}

impl PackedNetwork {
    /// Packs each layer in the representation chosen for its name.
    ///
    /// # Errors
    /// [`Error::Representation`] in [`Error::Layer`] for a representation that a layer does not have; what a layer
    /// reports of parameters that it cannot pack.
    ///
    /// See the type for an example.
    pub fn new(
        network: Network,
        mut choose: impl FnMut(&str) -> Representation,
    ) -> Result<Self, Error> {
        let architecture = &network.architecture;
        let nodes = architecture.spec.nodes.iter();
        let representations: Vec<_> = nodes.clone().map(|node| choose(&node.name)).collect();
        let packed = nodes
            .zip(&architecture.layers)
            .enumerate()
            .map(|(index, (node, layer))| {
                let representation = representations[index];
                let available = architecture.plans[index].representations;
                let parameters = Slices {
                    data: &network.parameters,
                    ranges: &architecture.layout.parameters_of[index],
                };
                if available.contains(&representation) {
                    layer.pack(parameters, representation, None)
                } else {
                    Err(Error::Representation {
                        expected: available,
                        found: representation,
                    })
                }
                .map_err(|error| error.in_layer(&node.name))
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            shared: Arc::new(Shared {
                network,
                representations,
                packed,
            }),
        })
    }

    /// The network.
    ///
    /// ```
    /// # use {maas_core::Seed, maas_nn::{PackedNetwork, Representation, Sequential}};
    /// let network = Sequential::rows(4).dense(1).build(Seed(7))?;
    /// let packed = PackedNetwork::new(network.clone(), |_| Representation::Dense)?;
    /// assert_eq!(packed.network().fingerprint(), network.fingerprint());
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn network(&self) -> &Network {
        &self.shared.network
    }

    /// The representation of each layer, by name, in the order of the specification.
    ///
    /// ```
    /// # use {maas_core::Seed, maas_nn::{PackedNetwork, Representation, Sequential}};
    /// let network = Sequential::rows(4).dense(1).build(Seed(7))?;
    /// let packed = PackedNetwork::new(network, |_| Representation::Dense)?;
    /// assert_eq!(packed.representations().collect::<Vec<_>>(), [("dense", Representation::Dense)]);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn representations(&self) -> impl Iterator<Item = (&str, Representation)> {
        let nodes = self.shared.network.spec().nodes.iter();
        nodes
            .map(|node| &node.name[..])
            .zip(self.shared.representations.iter().copied())
    }

    /// Bytes of a layer's parameters that a call reads: what was packed, or the network's own where nothing was.
    ///
    /// # Errors
    /// [`Error::UnknownLayer`].
    ///
    /// ```
    /// # use {maas_core::Seed, maas_nn::{PackedNetwork, Representation, Sequential}};
    /// let network = Sequential::rows(4).dense(1).build(Seed(7))?;
    /// let packed = PackedNetwork::new(network, |_| Representation::Dense)?;
    /// assert_eq!(packed.bytes_of("dense")?, 4 * 4 + 4);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn bytes_of(&self, layer: &str) -> Result<usize, Error> {
        let network = self.network();
        let node = network.node(layer)?;
        let own = || {
            let ranges = network.architecture.layout.parameters_of[node].iter();
            ranges.map(|range| size_of::<f32>() * range.len()).sum()
        };
        Ok(self.shared.packed[node]
            .as_ref()
            .map_or_else(own, Packed::bytes))
    }

    /// The network, to be changed.
    ///
    /// ```
    /// # use {maas_core::Seed, maas_nn::{PackedNetwork, Representation, Sequential}};
    /// let network = Sequential::rows(4).dense(1).build(Seed(7))?;
    /// let packed = PackedNetwork::new(network.clone(), |_| Representation::Dense)?;
    /// assert_eq!(packed.into_network().fingerprint(), network.fingerprint());
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn into_network(self) -> Network {
        Arc::try_unwrap(self.shared)
            .map_or_else(|shared| shared.network.clone(), |shared| shared.network)
    }

    /// Bytes that the packed parameters take, beside the network's own.
    ///
    /// ```
    /// # use {maas_core::Seed, maas_nn::{PackedNetwork, Representation, Sequential}};
    /// let network = Sequential::rows(4).dense(1).build(Seed(7))?;
    /// assert_eq!(PackedNetwork::new(network, |_| Representation::Dense)?.packed_bytes(), 0);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn packed_bytes(&self) -> usize {
        self.shared.packed.iter().flatten().map(Packed::bytes).sum()
    }

    /// The answers for rows × inputs numbers, as rows × outputs.
    ///
    /// # Errors
    /// Those of [`Network::predict`].
    ///
    /// See the type for an example.
    pub fn predict<'a>(&self, rows: impl Into<ArrayView2<'a, f32>>) -> Result<Array2<f32>, Error> {
        self.network().predict_rows(&rows.into(), Some(self))
    }

    /// The answers for `rows` rows of several inputs or of integers, as rows × outputs.
    ///
    /// # Errors
    /// Those of [`Network::predict_values`].
    ///
    /// ```
    /// # use {maas_core::{Seed, Values}, maas_nn::{PackedNetwork, Representation, Sequential}};
    /// let network = Sequential::rows(2).dense(1).build(Seed(7))?;
    /// let packed = PackedNetwork::new(network, |_| Representation::Dense)?;
    /// assert_eq!(packed.predict_values(1, &[Values::F32(&[1.0, 2.0])])?.dim(), (1, 1));
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn predict_values(&self, rows: usize, inputs: &[Values<'_>]) -> Result<Array2<f32>, Error> {
        self.network().predict_pieces(rows, inputs, Some(self))
    }

    /// By node.
    pub(crate) fn packed(&self) -> &[Option<Packed>] {
        &self.shared.packed
    }
}

/// Serving, as for [`Network`].
impl Model for PackedNetwork {
    fn signature(&self) -> &Signature {
        self.network().signature()
    }

    fn scratch(&self, max_rows: usize) -> Result<Scratch, maas_core::Error> {
        self.network().scratch(max_rows)
    }

    fn predict(
        &self,
        inputs: &[TensorView<'_>],
        outputs: &mut Outputs<'_>,
        context: &mut Context,
    ) -> Result<(), maas_core::Error> {
        self.network().serve(inputs, outputs, context, Some(self))
    }
}

impl fmt::Debug for PackedNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PackedNetwork")
            .field("network", self.network())
            .field("packed_bytes", &self.packed_bytes())
            .finish_non_exhaustive()
    }
}
