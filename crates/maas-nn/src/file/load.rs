use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use maas_core::{Fnv, Moments, Signature};

use super::FileFault;
use super::container::{Container, TensorBytes};
use super::save::{FORMAT, MASK_PREFIX, VERSION};
use crate::network::architecture::Architecture;
use crate::network::layout::allocate;
use crate::{Error, LayerSpec, Layers, Mask, Network, NetworkSpec};

/// Loading.
///
/// A file is not trusted: whatever its bytes are, loading gives a network or an error, and takes memory in proportion
/// to the file, never to what it claims.
impl Network {
    /// Reads a network of the library's own layers.
    ///
    /// # Errors
    /// As for [`from_bytes`](Network::from_bytes); [`Error::Io`] when the file cannot be read.
    ///
    /// ```
    /// let error = maas_nn::Network::load("no/such/file.safetensors").unwrap_err();
    /// assert!(matches!(error, maas_nn::Error::Io { .. }));
    /// ```
    pub fn load(path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::load_with(path, &Layers::standard())
    }

    /// Reads a network whose layers may be one's own, if the table has them.
    ///
    /// # Errors
    /// As for [`load`](Network::load).
    ///
    /// ```
    /// use maas_nn::{Layers, Network};
    ///
    /// // let layers = Layers::standard().with::<Rotary>();
    /// let layers = Layers::standard();
    /// assert!(Network::load_with("no/such/file.safetensors", &layers).is_err());
    /// ```
    pub fn load_with(path: impl AsRef<Path>, layers: &Layers) -> Result<Self, Error> {
        let path = path.as_ref();
        let bytes = std::fs::read(path).map_err(|source| Error::Io {
            path: path.to_owned(),
            source,
        })?;
        Self::from_bytes_with(&bytes, layers)
    }

    /// Reads what [`save`](Network::save) wrote, of the library's own layers.
    ///
    /// # Errors
    /// [`Error::File`] when the bytes are no such file, are cut off, damaged or contradict themselves;
    /// [`Error::UnknownKind`], in an [`Error::Layer`], when the table does not have a layer; and what
    /// [`Network::new`] says about an architecture that is not sound.
    ///
    /// ```
    /// use maas_core::Seed;
    /// use maas_nn::{Error, Network, Sequential};
    ///
    /// let mut bytes = Sequential::rows(4).dense(1).build(Seed(7))?.to_bytes();
    /// bytes.pop();
    /// assert!(matches!(Network::from_bytes(&bytes), Err(Error::File(_))));
    /// # Ok::<(), Error>(())
    /// ```
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        Self::from_bytes_with(bytes, &Layers::standard())
    }

    /// Reads what [`save`](Network::save) wrote, of layers that may be one's own, if the table has them.
    ///
    /// # Errors
    /// As for [`from_bytes`](Network::from_bytes).
    ///
    /// The crate page loads a layer of its own.
    pub fn from_bytes_with(bytes: &[u8], layers: &Layers) -> Result<Self, Error> {
        let container = Container::parse(bytes)?;
        let mut spec = spec(&container)?;
        restore_moments(&mut spec, &container)?;
        let architecture = Architecture::new(spec, layers, &[])?;
        let signature: Signature = json(&container, "signature", "the signature")?;
        if signature != architecture.signature {
            return Err(FileFault::Signature.into());
        }
        fill(architecture, &container)
    }
}

fn spec(container: &Container<'_>) -> Result<NetworkSpec, FileFault> {
    for (key, expected) in [("format", FORMAT), ("version", VERSION)] {
        let found = container.metadata.get(key);
        if found.map(String::as_str) != Some(expected) {
            return Err(FileFault::Metadata {
                key,
                expected,
                found: found.cloned(),
            });
        }
    }
    // Whoever edits weights with another program leaves the checksum out.
    if let Some(expected) = container.metadata.get("checksum") {
        let mut checksum = Fnv::new();
        for key in ["spec", "signature"] {
            checksum.update(
                container
                    .metadata
                    .get(key)
                    .map_or(&[], |text| text.as_bytes()),
            );
        }
        checksum.update(container.data);
        let found = checksum.to_string();
        if *expected != found {
            return Err(FileFault::Checksum {
                expected: expected.clone(),
                found,
            });
        }
    }
    json(container, "spec", "the architecture")
}

fn json<T: serde::de::DeserializeOwned>(
    container: &Container<'_>,
    key: &'static str,
    part: &'static str,
) -> Result<T, FileFault> {
    let text = container.metadata.get(key).map_or("", String::as_str);
    serde_json::from_str(text).map_err(|source| FileFault::Json { part, source })
}

/// Takes moments from their tensors, which have all their bits.
fn restore_moments(spec: &mut NetworkSpec, container: &Container<'_>) -> Result<(), Error> {
    for node in &mut spec.nodes {
        let name = &node.name;
        if let LayerSpec::Normalization { moments } | LayerSpec::Denormalization { moments } =
            &mut node.layer
        {
            let numbers = |part: &str| -> Result<Vec<f32>, FileFault> {
                let name = format!("{name}.{part}");
                let tensor = container
                    .tensors
                    .get(&name)
                    .ok_or(FileFault::MissingTensor { name })?;
                Ok(numbers(tensor.bytes).collect())
            };
            let (mean, deviation) = (numbers("mean")?, numbers("deviation")?);
            let zero = deviation
                .iter()
                .zip(&mean)
                .position(|(&deviation, _)| deviation == 0.0);
            if let Some(column) = zero {
                return Err(maas_core::Error::BadMoments {
                    column,
                    mean: mean[column],
                    deviation: 0.0,
                }
                .into());
            }
            *moments = Moments::new(mean, deviation)?;
        }
    }
    Ok(())
}

/// Checks every tensor against the architecture before any memory is asked for.
fn fill(architecture: Architecture, container: &Container<'_>) -> Result<Network, Error> {
    let layout = &architecture.layout;
    let named = |name: &str| {
        container
            .tensors
            .get(name)
            .ok_or_else(|| FileFault::MissingTensor {
                name: name.to_owned(),
            })
    };
    let mut parts = Vec::new();
    for segment in &layout.segments {
        let tensor = named(&segment.name)?;
        expect(&segment.name, tensor, "F32", &segment.shape)?;
        parts.push((tensor, segment.range.clone()));
    }
    let mut state_parts = Vec::new();
    for segment in &layout.state {
        let tensor = named(&segment.name)?;
        expect(&segment.name, tensor, "F32", &segment.shape)?;
        state_parts.push((tensor, segment.range.clone()));
    }
    let mut masks = vec![None; layout.segments.len()];
    let mut used = parts.len() + state_parts.len();
    for (segment, mask) in layout.segments.iter().zip(&mut masks) {
        let name = format!("{MASK_PREFIX}{}", segment.name);
        if let Some(tensor) = container.tensors.get(&name) {
            let elements = segment.range.len();
            expect(&name, tensor, "U8", &[elements.div_ceil(8)])?;
            *mask = Some(Mask::from_bytes(tensor.bytes, elements)?);
            used += 1;
        }
    }
    if used != container.tensors.len() {
        return Err(FileFault::UnknownTensor {
            name: stranger(&architecture, container),
        }
        .into());
    }

    let mut parameters = allocate(layout.parameters_length)?;
    for (tensor, range) in parts {
        parameters[range]
            .iter_mut()
            .zip(numbers(tensor.bytes))
            .for_each(|(to, from)| *to = from);
    }
    let mut state = allocate(layout.state_length)?;
    for (tensor, range) in state_parts {
        state[range]
            .iter_mut()
            .zip(numbers(tensor.bytes))
            .for_each(|(to, from)| *to = from);
    }
    Ok(Network {
        architecture: Arc::new(architecture),
        parameters,
        state,
        masks,
    })
}

/// The first tensor that belongs to no segment.
fn stranger(architecture: &Architecture, container: &Container<'_>) -> String {
    let layout = &architecture.layout;
    let parameters = layout.segments.iter().map(|segment| segment.name.as_str());
    let state = layout.state.iter().map(|segment| segment.name.as_str());
    let known: BTreeSet<&str> = parameters.chain(state).collect();
    let belongs = |name: &&String| known.contains(name.strip_prefix(MASK_PREFIX).unwrap_or(name));
    container
        .tensors
        .keys()
        .find(|name| !belongs(name))
        .cloned()
        .unwrap_or_default()
}

fn expect(
    name: &str,
    tensor: &TensorBytes<'_>,
    dtype: &'static str,
    shape: &[usize],
) -> Result<(), FileFault> {
    if tensor.dtype != dtype {
        let found = tensor.dtype.clone();
        return Err(FileFault::DType {
            name: name.to_owned(),
            expected: dtype,
            found,
        });
    }
    if !tensor
        .shape
        .iter()
        .copied()
        .eq(shape.iter().map(|&n| n as u64))
    {
        let found = tensor.shape.clone();
        return Err(FileFault::Shape {
            name: name.to_owned(),
            expected: shape.to_vec(),
            found,
        });
    }
    Ok(())
}

fn numbers(bytes: &[u8]) -> impl Iterator<Item = f32> {
    let (numbers, _) = bytes.as_chunks::<4>();
    numbers.iter().map(|&bytes| f32::from_le_bytes(bytes))
}
