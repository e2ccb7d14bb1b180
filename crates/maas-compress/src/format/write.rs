use maas_nn::{Mask, Network};

use super::checksum;
use super::header::{Elements, Header, SegmentHeader};
use super::{EXPANSION, FLOAT, MAGIC, PREFIX, VERSION, varint};
use crate::FileFault;

/// The bytes of a file that holds this network.
pub(crate) fn write(network: &Network) -> Result<Vec<u8>, FileFault> {
    let mut body = Vec::new();
    let segments = network
        .segments()
        .iter()
        .zip(network.masks())
        .map(|(segment, mask)| {
            let values = &network.parameters()[segment.range.clone()];
            let elements = write_elements(values, mask, &mut body);
            SegmentHeader {
                name: segment.name.clone(),
                elements,
            }
        });
    let mut header = Header {
        segments: segments.collect(),
        spec: network.spec().clone(),
        signature: network.signature().clone(),
        padding: 0,
    };
    for segment in network.state_segments() {
        write_numbers(
            network.state()[segment.range.clone()].iter().copied(),
            &mut body,
        );
    }
    let mut json = serde_json::to_vec(&header).map_err(FileFault::Header)?;
    let length = (PREFIX + json.len() + body.len()) as u64;
    let dense = ((network.parameters().len() + network.state().len()) * FLOAT) as u64;
    header.padding = dense.div_ceil(EXPANSION).saturating_sub(length);
    if header.padding > 0 {
        json = serde_json::to_vec(&header).map_err(FileFault::Header)?;
        body.extend((0..header.padding).map(|_| 0));
    }
    Ok(assemble(&json, &body))
}

/// A whole file, with its checksum.
fn assemble(json: &[u8], body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(PREFIX + json.len() + body.len());
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes.extend_from_slice(&(json.len() as u64).to_le_bytes());
    let sum = checksum(&[&bytes, json, body]);
    bytes.extend_from_slice(&sum.to_le_bytes());
    bytes.extend_from_slice(json);
    bytes.extend_from_slice(body);
    bytes
}

fn write_elements(values: &[f32], mask: Option<&Mask>, body: &mut Vec<u8>) -> Elements {
    let is_listed = |position: usize| match mask {
        Some(mask) => mask.keeps(position),
        None => values[position].to_bits() != 0,
    };
    let listed = || (0..values.len()).filter(|&position| is_listed(position));
    let (mut count, mut length, mut next) = (0, 0, 0);
    for position in listed() {
        length += varint::length((position - next) as u64) + FLOAT;
        next = position + 1;
        count += 1;
    }
    // A mask is known by what is listed, so a segment that has one is listed whatever its size.
    if mask.is_none() && length >= values.len() * FLOAT {
        write_numbers(values.iter().copied(), body);
        return Elements::All;
    }
    let mut next = 0;
    for position in listed() {
        varint::write((position - next) as u64, body);
        next = position + 1;
    }
    write_numbers(listed().map(|position| values[position]), body);
    if mask.is_some() {
        Elements::Kept(count)
    } else {
        Elements::Nonzero(count)
    }
}

fn write_numbers(values: impl Iterator<Item = f32>, body: &mut Vec<u8>) {
    body.extend(values.flat_map(f32::to_le_bytes));
}
