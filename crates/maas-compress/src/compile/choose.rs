//! Which representation each layer gets.

use std::time::Duration;

use maas_core::{Model, TensorView};
use maas_nn::{Network, PackedNetwork, Representation};
use serde::{Deserialize, Serialize};

use super::layer::alone;
use super::runner::Runner;
use super::sample::Sample;
use super::stopwatch::{Latency, in_turns};
use super::{Goal, Target};
use crate::Error;

/// The representation that was chosen for a dense layer, and what it was chosen from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LayerChoice {
    /// The layer.
    pub layer: String,
    /// What its weights are kept as.
    pub chosen: Representation,
    /// What was measured of each representation that gives the same bits.
    pub candidates: Vec<Candidate>,
}

/// What was measured of a representation of a layer, on its own with its activation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Candidate {
    /// The representation.
    pub representation: Representation,
    /// Bytes of memory that a call reads: the weights as they lie there.
    pub bytes: usize,
    /// How long a call takes.
    pub latency: Latency,
}

impl LayerChoice {
    /// What was measured of the representation that was chosen.
    ///
    /// ```
    /// use maas_compress::{CompressedNetwork, Target};
    /// use maas_core::Seed;
    /// use maas_nn::{Representation, Sequential};
    ///
    /// let network = Sequential::rows(64).dense(64).relu().dense(1).build(Seed(7))?;
    /// let compiled = CompressedNetwork::compile(network, &Target::rows(1))?;
    /// let choice = &compiled.choices()[0];
    /// assert_eq!((&choice.layer[..], choice.measured().representation), ("dense", choice.chosen));
    /// # Ok::<(), maas_compress::Error>(())
    /// ```
    pub fn measured(&self) -> &Candidate {
        let mut candidates = self.candidates.iter();
        candidates
            .find(|candidate| candidate.representation == self.chosen)
            .expect("what was chosen was a candidate")
    }
}

/// A choice for each dense layer, in the order of the network.
pub(crate) fn choose(
    network: &Network,
    target: &Target,
    sample: &Sample,
) -> Result<Vec<LayerChoice>, Error> {
    let mut choices = Vec::new();
    for (index, node) in network.spec().nodes.iter().enumerate() {
        let Some(layer) = alone(network, index)? else {
            continue;
        };
        let x = sample.at(network, node.inputs[0])?;
        let representations = layer.representations(&node.name)?;
        let candidates = candidates(&layer, &node.name, representations, &x, target)?;
        let best = candidates
            .iter()
            .min_by_key(|candidate| match target.goal {
                Goal::Latency => (candidate.latency.median, candidate.bytes),
                Goal::Memory => (Duration::ZERO, candidate.bytes),
            })
            .expect("a layer has a representation");
        choices.push(LayerChoice {
            layer: node.name.clone(),
            chosen: best.representation,
            candidates,
        });
    }
    Ok(choices)
}

/// These representations of a layer that stands alone, timed in turns.
fn candidates(
    layer: &Network,
    name: &str,
    representations: &[Representation],
    x: &[f32],
    target: &Target,
) -> Result<Vec<Candidate>, Error> {
    let mut packed = Vec::new();
    for &representation in representations {
        match pack(layer, name, representation) {
            Ok(layer) => packed.push((representation, layer)),
            Err(error) if is_unavailable(&error) => {}
            Err(error) => return Err(error),
        }
    }
    let calls: Vec<_> = packed.iter().map(|(_, layer)| (layer, x)).collect();
    let latencies = time(&calls, target)?;
    packed
        .iter()
        .zip(latencies)
        .map(|(&(representation, ref packed), latency)| {
            Ok(Candidate {
                representation,
                bytes: packed.bytes_of(name)?,
                latency,
            })
        })
        .collect()
}

/// Whether a layer with these weights has no such representation, though one with others would.
fn is_unavailable(error: &Error) -> bool {
    let Error::Network(maas_nn::Error::Layer { source, .. }) = error else {
        return false;
    };
    matches!(**source, maas_nn::Error::Representation { .. })
}

/// A layer that stands alone, in this representation.
pub(crate) fn pack(
    layer: &Network,
    name: &str,
    representation: Representation,
) -> Result<PackedNetwork, Error> {
    let chosen = |node: &str| match node == name {
        true => representation,
        false => Representation::Dense,
    };
    Ok(PackedNetwork::new(layer.clone(), chosen)?)
}

/// Layers that stand alone, each with what it takes, timed in turns.
pub(crate) fn time(
    layers: &[(&PackedNetwork, &[f32])],
    target: &Target,
) -> Result<Vec<Latency>, Error> {
    let shape = |&(layer, x): &(&PackedNetwork, &[f32])| {
        let width = layer.signature().inputs()[0].fixed_row_shape();
        let width = width.map_or(1, |shape| shape[0]);
        [x.len() / width, width]
    };
    let shapes: Vec<_> = layers.iter().map(shape).collect();
    let mut calls = layers
        .iter()
        .zip(&shapes)
        .map(|(&(layer, x), shape)| {
            let input = TensorView::from_slice(shape, x)?;
            let mut runner = Runner::new(layer, target)?;
            Ok(move || runner.call(&[input]))
        })
        .collect::<Result<Vec<_>, maas_core::Error>>()?;
    let mut calls: Vec<&mut dyn FnMut() -> Result<(), maas_core::Error>> =
        calls.iter_mut().map(|call| call as _).collect();
    Ok(in_turns(BUDGET, &mut calls)?)
}

/// How long each representation is timed.
const BUDGET: Duration = Duration::from_millis(20);
