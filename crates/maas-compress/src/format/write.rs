use maas_core::Moments;
use maas_nn::{Network, Representation, Updates};

use super::array::Array;
use super::coder::{Coder, Encoder};
use super::header::{columns, dense_layers, moments, representations};
use super::text::text;
use super::{EXPANSION, FLOAT, MAGIC, PREFIX, TEXT, VERSION, checksum};
use crate::FileFault;

/// A file, and how much of it each segment takes.
pub(crate) struct Written {
    pub(crate) bytes: Vec<u8>,
    /// Bytes by segment of parameters.
    pub(crate) segments: Vec<usize>,
}

/// A file that holds this network, and how each dense layer is to be packed.
pub(crate) fn write(
    network: &Network,
    representation: impl Fn(&str) -> Representation,
) -> Result<Written, FileFault> {
    let mut encoder = Encoder::new();
    let mut spec = network.spec().clone();
    let all_moments: Vec<Moments> = moments(&mut spec)
        .map(|moments| std::mem::replace(moments, Moments::identity(0)))
        .collect();
    let json = serde_json::to_string(&spec).map_err(FileFault::Header)?;
    text(&mut encoder, &json, json.len());
    let mut numbers = network.parameters().len() + network.state().len();
    for moments in all_moments {
        numbers += 2 * moments.mean().len();
        encoder.length(moments.mean().len() as u32);
        for numbers in [moments.mean(), moments.deviation()] {
            Array::new(numbers.to_vec(), 1).write(&mut encoder);
        }
    }
    let mut segments = Vec::new();
    for (segment, mask) in network.segments().iter().zip(network.masks()) {
        let start = encoder.len();
        let numbers = &network.parameters()[segment.range.clone()];
        let mut array = Array::new(numbers.to_vec(), columns(&segment.shape));
        array.mask = mask.map(|mask| (0..mask.len()).map(|at| mask.keeps(at)).collect());
        array.write(&mut encoder);
        segments.push(encoder.len() - start);
    }
    for segment in network.state_segments() {
        if segment.updates == Updates::InTraining {
            let numbers = &network.state()[segment.range.clone()];
            Array::new(numbers.to_vec(), columns(&segment.shape)).write(&mut encoder);
        }
    }
    let mut forms: Vec<_> = dense_layers(network.spec()).map(representation).collect();
    representations(&mut encoder, &mut forms);
    let mut stream = encoder.finish();
    let memory = TEXT * json.len() as u64 + FLOAT * numbers as u64;
    let least = memory.div_ceil(EXPANSION) as usize;
    stream.resize(stream.len().max(least.saturating_sub(PREFIX)), 0);
    Ok(Written {
        bytes: assemble(&stream),
        segments,
    })
}

/// A whole file, with its checksum.
pub(super) fn assemble(stream: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(PREFIX + stream.len());
    bytes.extend_from_slice(&MAGIC);
    bytes.push(VERSION);
    bytes.extend_from_slice(&checksum(stream).to_le_bytes());
    bytes.extend_from_slice(stream);
    bytes
}
