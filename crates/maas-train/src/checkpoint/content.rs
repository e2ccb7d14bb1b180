//! What a checkpoint holds, and its bytes.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use maas_nn::{Container, Network, TensorData, write_container};
use serde::{Deserialize, Serialize};

use super::identity::Identity;
use super::{CheckpointFault, exact, masks};
use crate::early_stopping::Weights;
use crate::{Error, History, OptimizerState};

const FORMAT: &str = "maas-checkpoint";
const VERSION: &str = "1";

/// How far a run has come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Place {
    /// The epoch, from 1.
    pub(crate) epoch: usize,
    /// Chunks of the epoch that are over; a data set is one chunk.
    pub(crate) chunk: usize,
    /// Rows of the present chunk that are over.
    pub(crate) row: usize,
    /// Steps of the epoch that are over.
    pub(crate) step: usize,
    /// Rows of the epoch that are over.
    pub(crate) seen: usize,
    /// The loss over those rows, summed.
    #[serde(with = "exact::double")]
    pub(crate) sum: f64,
    /// Seconds of the epoch in earlier runs.
    #[serde(with = "exact::double")]
    pub(crate) seconds: f64,
}

impl Place {
    pub(crate) fn beginning(epoch: usize) -> Self {
        Self {
            epoch,
            chunk: 0,
            row: 0,
            step: 0,
            seen: 0,
            sum: 0.0,
            seconds: 0.0,
        }
    }

    pub(crate) fn mean_loss(&self) -> Option<f32> {
        (self.seen > 0).then(|| (self.sum / self.seen as f64) as f32)
    }
}

/// What is not a tensor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Run {
    pub(crate) place: Place,
    /// Micro-batches so far.
    pub(crate) passes: u64,
    #[serde(with = "exact::history")]
    pub(crate) history: History,
    pub(crate) watch: Option<WatchState>,
    /// The best figure of a file that is kept as the best.
    #[serde(with = "exact::optional")]
    pub(crate) best: Option<f64>,
    pub(crate) callbacks: Vec<(String, serde_json::Value)>,
}

/// Early stopping, without its weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct WatchState {
    #[serde(with = "exact::optional")]
    pub(crate) best: Option<f64>,
    pub(crate) best_epoch: usize,
    pub(crate) waited: usize,
}

/// A checkpoint to be written: numbers are borrowed.
pub(crate) struct Content<'a> {
    pub(crate) identity: &'a Identity,
    pub(crate) run: &'a Run,
    pub(crate) network: &'a Network,
    pub(crate) optimizer: &'a OptimizerState,
    pub(crate) meters: &'a [f64],
    pub(crate) weights: Option<&'a Weights>,
}

impl Content<'_> {
    pub(crate) fn write(&self, file: &mut impl Write) -> io::Result<()> {
        let optimizer = self.optimizer;
        let header = OptimizerHeader {
            chain: optimizer.chain.clone(),
            network: optimizer.network.clone(),
            steps: optimizer.steps,
        };
        let texts = BTreeMap::from([
            ("format".to_owned(), FORMAT.to_owned()),
            ("version".to_owned(), VERSION.to_owned()),
            ("identity".to_owned(), json(self.identity)?),
            ("run".to_owned(), json(self.run)?),
            ("optimizer".to_owned(), json(&header)?),
        ]);
        let of_network = masks::to_bytes(self.network.masks());
        let best = self.weights.map(|weights| &weights.masks);
        let of_best = best.map(|best| masks::to_bytes(best.iter().map(Option::as_ref)));
        let mut tensors = vec![
            (
                PARAMETERS.to_owned(),
                TensorData::F32(self.network.parameters()),
            ),
            (MASKS.to_owned(), TensorData::U8(&of_network)),
            (STATE.to_owned(), TensorData::F32(self.network.state())),
            (VALUES.to_owned(), TensorData::F32(&optimizer.values)),
            (SCALARS.to_owned(), TensorData::F64(&optimizer.scalars)),
            (METERS.to_owned(), TensorData::F64(self.meters)),
        ];
        if let Some(weights) = self.weights {
            tensors.push((
                BEST_PARAMETERS.to_owned(),
                TensorData::F32(&weights.parameters),
            ));
            let masks = of_best.as_deref().unwrap_or_default();
            tensors.push((BEST_MASKS.to_owned(), TensorData::U8(masks)));
            tensors.push((BEST_STATE.to_owned(), TensorData::F32(&weights.state)));
        }
        write_container(file, &texts, &tensors)
    }
}

const PARAMETERS: &str = "parameters";
const MASKS: &str = "masks";
const STATE: &str = "state";
const VALUES: &str = "optimizer.values";
const SCALARS: &str = "optimizer.scalars";
const METERS: &str = "metrics";
const BEST_PARAMETERS: &str = "best.parameters";
const BEST_MASKS: &str = "best.masks";
const BEST_STATE: &str = "best.state";

#[derive(Serialize, Deserialize)]
struct OptimizerHeader {
    chain: String,
    network: String,
    steps: u64,
}

fn json(value: &impl Serialize) -> io::Result<String> {
    serde_json::to_string(value).map_err(io::Error::other)
}

/// A checkpoint that was read: whole, and of this version; whether it fits is not said.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) identity: Identity,
    pub(crate) run: Run,
    pub(crate) numbers: Numbers,
    pub(crate) optimizer: OptimizerState,
    pub(crate) meters: Vec<f64>,
    pub(crate) best: Option<Numbers>,
}

/// The numbers of a network as a file holds them.
#[derive(Debug)]
pub(crate) struct Numbers {
    parameters: Vec<f32>,
    masks: Vec<u8>,
    state: Vec<f32>,
}

impl Numbers {
    /// Weights of this network; none where they do not fit.
    pub(crate) fn weights(self, network: &Network) -> Option<Weights> {
        let lengths = (network.parameters().len(), network.state().len());
        let fits = (self.parameters.len(), self.state.len()) == lengths;
        let masks = masks::of_bytes(network, &self.masks)?;
        fits.then_some(Weights {
            parameters: self.parameters,
            masks,
            state: self.state,
        })
    }
}

impl Stored {
    pub(crate) fn read(path: &Path) -> Result<Self, Error> {
        std::fs::read(path)
            .map_err(CheckpointFault::Read)
            .and_then(|bytes| Self::parse(&bytes))
            .map_err(|fault| fault.at(path))
    }

    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, CheckpointFault> {
        let container = Container::parse(bytes)?;
        for (key, expected) in [("format", FORMAT), ("version", VERSION)] {
            let found = container.metadata.get(key);
            if found.map(String::as_str) != Some(expected) {
                return Err(CheckpointFault::Format {
                    key,
                    expected,
                    found: found.cloned(),
                });
            }
        }
        container.verify()?;
        let header: OptimizerHeader = text(&container, "optimizer")?;
        let floats = |part: &'static str| {
            let tensor = container.tensors.get(part);
            tensor
                .and_then(maas_nn::TensorBytes::numbers)
                .ok_or(CheckpointFault::Part { part })
        };
        let doubles = |part: &'static str| {
            let tensor = container.tensors.get(part);
            tensor
                .and_then(maas_nn::TensorBytes::doubles)
                .ok_or(CheckpointFault::Part { part })
        };
        let bytes = |part: &'static str| {
            let tensor = container.tensors.get(part);
            let bytes = tensor.filter(|tensor| tensor.dtype == "U8");
            bytes
                .map(|tensor| tensor.bytes.to_vec())
                .ok_or(CheckpointFault::Part { part })
        };
        let best = if container.tensors.contains_key(BEST_PARAMETERS) {
            Some(Numbers {
                parameters: floats(BEST_PARAMETERS)?,
                masks: bytes(BEST_MASKS)?,
                state: floats(BEST_STATE)?,
            })
        } else {
            None
        };
        Ok(Self {
            identity: text(&container, "identity")?,
            run: text(&container, "run")?,
            numbers: Numbers {
                parameters: floats(PARAMETERS)?,
                masks: bytes(MASKS)?,
                state: floats(STATE)?,
            },
            optimizer: OptimizerState::new(
                header.chain,
                header.network,
                header.steps,
                floats(VALUES)?,
                doubles(SCALARS)?,
            ),
            meters: doubles(METERS)?,
            best,
        })
    }
}

fn text<T: serde::de::DeserializeOwned>(
    container: &Container<'_>,
    part: &'static str,
) -> Result<T, CheckpointFault> {
    let text = container.metadata.get(part).map_or("", String::as_str);
    serde_json::from_str(text).map_err(|source| maas_nn::FileFault::Json { part, source }.into())
}
