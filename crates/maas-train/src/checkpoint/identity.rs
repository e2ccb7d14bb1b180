//! What a checkpoint belongs to.

use maas_data::{Dataset, RowOrder, Targets};
use maas_nn::{Network, ProductPrecision};
use serde::{Deserialize, Serialize};

use super::CheckpointFault;

/// Everything that decides about bits and is not kept in a checkpoint itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    pub(crate) network: String,
    pub(crate) masks: String,
    pub(crate) data: String,
    pub(crate) loss: String,
    pub(crate) metrics: String,
    pub(crate) batch_size: usize,
    pub(crate) accumulate: usize,
    pub(crate) seed: u64,
    pub(crate) order: String,
    #[serde(default)]
    pub(crate) precision: ProductPrecision,
}

impl Identity {
    pub(crate) fn check(&self, found: &Self) -> Result<(), CheckpointFault> {
        let texts = [
            ("network", &self.network, &found.network),
            ("set of masks", &self.masks, &found.masks),
            ("data set", &self.data, &found.data),
            ("loss", &self.loss, &found.loss),
            ("list of metrics", &self.metrics, &found.metrics),
            ("order of rows", &self.order, &found.order),
        ];
        let numbers = [
            (
                "batch size",
                self.batch_size as u64,
                found.batch_size as u64,
            ),
            (
                "number of batches a step",
                self.accumulate as u64,
                found.accumulate as u64,
            ),
            ("seed", self.seed, found.seed),
        ];
        let other = |what, expected: &dyn ToString, found: &dyn ToString| {
            Err(CheckpointFault::Other {
                what,
                expected: expected.to_string(),
                found: found.to_string(),
            })
        };
        for (what, expected, found) in texts {
            if expected != found {
                return other(what, expected, found);
            }
        }
        for (what, expected, found) in numbers {
            if expected != found {
                return other(what, &expected, &found);
            }
        }
        if self.precision != found.precision {
            return other("precision", &self.precision, &found.precision);
        }
        Ok(())
    }
}

/// The architecture of a network, constants such as moments included.
pub(crate) fn of_network(network: &Network) -> String {
    let mut digest = Digest::new();
    let spec = serde_json::to_string(network.spec()).expect("a specification has string keys only");
    digest.bytes(spec.as_bytes());
    digest.text()
}

pub(crate) fn of_masks(network: &Network) -> String {
    let mut digest = Digest::new();
    for mask in network.masks() {
        digest.word(mask.map_or(u64::MAX, |mask| mask.len() as u64));
        for &word in mask.map_or(&[][..], |mask| mask.words()) {
            digest.word(word);
        }
    }
    digest.text()
}

/// The rows of a data set, their weights included.
pub(crate) fn of_data(data: &Dataset) -> String {
    let mut digest = Digest::new();
    digest.bytes(data.schema().to_string().as_bytes());
    for input in data.inputs() {
        match input.values() {
            maas_core::Values::F32(values) => digest.floats(values),
            maas_core::Values::I32(values) => {
                values.iter().for_each(|&id| digest.word(id as u64));
            }
            _ => {}
        }
    }
    match data.targets() {
        Targets::Values { data, .. } => digest.floats(data),
        Targets::Labels { data, .. } => data.iter().for_each(|&label| digest.word(label.into())),
        _ => {}
    }
    digest.floats(data.weights().unwrap_or_default());
    digest.word(data.rows() as u64);
    digest.text()
}

/// An order by what it makes of the first epoch, of as many rows as tell orders apart.
pub(crate) fn of_order(order: &dyn RowOrder, rows: Option<u64>) -> String {
    let rows = rows.map_or(ROWS, |rows| ROWS.min(u32::try_from(rows).unwrap_or(ROWS)));
    let mut first: Vec<u32> = (0..rows).collect();
    order.fill(1, &mut first);
    let mut digest = Digest::new();
    first.iter().for_each(|&row| digest.word(row.into()));
    digest.text()
}

/// Rows that tell orders apart.
const ROWS: u32 = 1 << 16;

/// Tells apart what differs by accident; it guards against no forgery.
struct Digest(u64);

impl Digest {
    fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn word(&mut self, word: u64) {
        let mixed = (self.0 ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed ^ (mixed >> 32);
    }

    fn floats(&mut self, values: &[f32]) {
        self.word(values.len() as u64);
        values
            .iter()
            .for_each(|value| self.word(value.to_bits().into()));
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.word(bytes.len() as u64);
        bytes.iter().for_each(|&byte| self.word(byte.into()));
    }

    fn text(&self) -> String {
        format!("{:016x}", self.0)
    }
}
