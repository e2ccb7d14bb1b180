use maas_nn::{Layers, Mask, Network};

use super::checksum;
use super::header::{Elements, Header, SegmentHeader};
use super::{EXPANSION, FLOAT, MAGIC, PREFIX, VERSION, varint};
use crate::{Error, FileFault};

/// The network that these bytes hold.
///
/// Every length is checked against the bytes that there are before memory is taken for it.
pub(crate) fn read(bytes: &[u8], layers: &Layers) -> Result<Network, Error> {
    let (header, mut body) = open(bytes)?;
    let found = (header.spec.buffer_len(layers)? as u64).saturating_mul(FLOAT as u64);
    let limit = (bytes.len() as u64).saturating_mul(EXPANSION);
    if found > limit {
        return Err(FileFault::Expansion {
            file: bytes.len() as u64,
            limit,
            found,
        }
        .into());
    }
    let mut network = Network::zeroed(header.spec, layers)?;
    if *network.signature() != header.signature {
        return Err(FileFault::Signature.into());
    }
    read_segments(&mut network, &header.segments, &mut body)?;
    read_state(&mut network, &mut body)?;
    if body.len() as u64 != header.padding || body.iter().any(|&byte| byte != 0) {
        return Err(FileFault::Trailing {
            expected: header.padding,
            found: body.len() as u64,
        }
        .into());
    }
    Ok(network)
}

/// Header and body of a file that is what was written.
fn open(bytes: &[u8]) -> Result<(Header, &[u8]), FileFault> {
    let start = &bytes[..bytes.len().min(MAGIC.len())];
    if start != MAGIC {
        return Err(FileFault::Magic {
            found: start.to_vec(),
        });
    }
    let mut rest = &bytes[MAGIC.len()..];
    let version = u32::from_le_bytes(*array(&mut rest, "version")?);
    if version != VERSION {
        return Err(FileFault::Version {
            expected: VERSION,
            found: version,
        });
    }
    let length = u64::from_le_bytes(*array(&mut rest, "header length")?);
    let expected = u64::from_le_bytes(*array(&mut rest, "checksum")?);
    let found = checksum(&[&bytes[..PREFIX - 8], rest]);
    if expected != found {
        return Err(FileFault::Checksum { expected, found });
    }
    let json = take(&mut rest, length, "header")?;
    Ok((
        serde_json::from_slice(json).map_err(FileFault::Header)?,
        rest,
    ))
}

fn read_segments(
    network: &mut Network,
    headers: &[SegmentHeader],
    body: &mut &[u8],
) -> Result<(), Error> {
    let segments = network.segments().to_vec();
    if segments.len() != headers.len() {
        return Err(FileFault::SegmentCount {
            expected: segments.len(),
            found: headers.len(),
        }
        .into());
    }
    for (segment, header) in segments.into_iter().zip(headers) {
        if segment.name != header.name {
            return Err(FileFault::SegmentName {
                expected: segment.name,
                found: header.name.clone(),
            }
            .into());
        }
        let values = &mut network.parameters_mut()[segment.range];
        match header.elements {
            Elements::All => read_numbers(values.iter_mut(), body, &segment.name)?,
            Elements::Nonzero(count) => {
                read_listed(count, values, body, &segment.name)?;
            }
            Elements::Kept(count) => {
                let mask = mask(
                    &read_listed(count, values, body, &segment.name)?,
                    values.len(),
                )?;
                network.set_mask(&segment.name, mask)?;
            }
        }
    }
    Ok(())
}

/// Reads `count` positions and numbers, zeroes the other values, and gives the positions.
fn read_listed(
    count: usize,
    values: &mut [f32],
    body: &mut &[u8],
    name: &str,
) -> Result<Vec<usize>, FileFault> {
    let positions = read_positions(count, values.len(), body, name)?;
    values.fill(0.0);
    let numbers = take(body, (count * FLOAT) as u64, name)?;
    for (&position, number) in positions.iter().zip(floats(numbers)) {
        values[position] = number;
    }
    Ok(positions)
}

fn mask(positions: &[usize], length: usize) -> Result<Mask, Error> {
    let mut words = vec![0_u64; length.div_ceil(64)];
    for position in positions {
        words[position / 64] |= 1 << (position % 64);
    }
    Ok(Mask::from_words(words, length)?)
}

/// `count` positions below `length`, ascending.
fn read_positions(
    count: usize,
    length: usize,
    body: &mut &[u8],
    name: &str,
) -> Result<Vec<usize>, FileFault> {
    let segment = || name.to_owned();
    if count > length {
        return Err(FileFault::TooManyElements {
            segment: segment(),
            expected: length,
            found: count,
        });
    }
    let truncated = |found: usize| FileFault::Truncated {
        part: segment(),
        expected: count as u64,
        found: found as u64,
    };
    // A position takes at least one byte.
    if count > body.len() {
        return Err(truncated(body.len()));
    }
    let mut positions = Vec::with_capacity(count);
    let mut next = 0_u64;
    for number in 0..count {
        let gap = varint::read(body).map_err(|fault| match fault {
            varint::Fault::Truncated => truncated(number),
            varint::Fault::Malformed => FileFault::Gap {
                segment: segment(),
                number,
            },
        })?;
        let found = next.saturating_add(gap);
        let position = usize::try_from(found)
            .ok()
            .filter(|&position| position < length);
        positions.push(position.ok_or_else(|| FileFault::Position {
            segment: segment(),
            expected: length,
            found,
        })?);
        next = found + 1;
    }
    Ok(positions)
}

fn read_state(network: &mut Network, body: &mut &[u8]) -> Result<(), Error> {
    let mut state = network.state().to_vec();
    for segment in network.state_segments() {
        read_numbers(state[segment.range.clone()].iter_mut(), body, &segment.name)?;
    }
    network.set_state(&state)?;
    Ok(())
}

fn read_numbers<'a>(
    values: impl ExactSizeIterator<Item = &'a mut f32>,
    body: &mut &[u8],
    name: &str,
) -> Result<(), FileFault> {
    let numbers = take(body, (values.len() * FLOAT) as u64, name)?;
    values
        .zip(floats(numbers))
        .for_each(|(value, number)| *value = number);
    Ok(())
}

fn floats(bytes: &[u8]) -> impl Iterator<Item = f32> {
    bytes
        .as_chunks::<FLOAT>()
        .0
        .iter()
        .map(|&bytes| f32::from_le_bytes(bytes))
}

/// Takes bytes off the front.
fn take<'a>(bytes: &mut &'a [u8], length: u64, part: &str) -> Result<&'a [u8], FileFault> {
    let split = usize::try_from(length)
        .ok()
        .and_then(|length| bytes.split_at_checked(length));
    let (front, rest) = split.ok_or_else(|| FileFault::Truncated {
        part: part.to_owned(),
        expected: length,
        found: bytes.len() as u64,
    })?;
    *bytes = rest;
    Ok(front)
}

fn array<'a, const N: usize>(bytes: &mut &'a [u8], part: &str) -> Result<&'a [u8; N], FileFault> {
    let (front, rest) = bytes
        .split_first_chunk()
        .ok_or_else(|| FileFault::Truncated {
            part: part.to_owned(),
            expected: N as u64,
            found: bytes.len() as u64,
        })?;
    *bytes = rest;
    Ok(front)
}
