//! The safetensors format: names, types, shapes and bytes.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::FileFault;

/// What the Python package allows, too.
const HEADER_LIMIT: u64 = 100_000_000;

/// A safetensors file, parsed: every tensor lies inside its bytes, has the bytes of its shape, and overlaps no other.
///
/// [`Network::load`](crate::Network::load) reads networks with it; other files of the library, such as a trainer's
/// checkpoints, are containers too. [`write_container`](crate::write_container) makes them.
#[derive(Debug)]
#[non_exhaustive]
pub struct Container<'a> {
    /// Texts by name.
    pub metadata: BTreeMap<String, String>,
    /// Tensors by name.
    pub tensors: BTreeMap<String, TensorBytes<'a>>,
    /// The bytes of all tensors.
    pub data: &'a [u8],
}

/// A tensor of a [`Container`].
#[derive(Debug)]
#[non_exhaustive]
pub struct TensorBytes<'a> {
    /// `F32`, `F64` or `U8`.
    pub dtype: String,
    /// Its shape.
    pub shape: Vec<u64>,
    /// Its elements, little-endian, row-major.
    pub bytes: &'a [u8],
}

impl<'a> Container<'a> {
    /// Reads the header and cuts the bytes into tensors. Memory is taken for the header only.
    ///
    /// # Errors
    /// What is wrong with the bytes.
    ///
    /// ```
    /// assert!(maas_nn::Container::parse(&[0; 4]).is_err());
    /// ```
    pub fn parse(bytes: &'a [u8]) -> Result<Self, FileFault> {
        let found = bytes.len() as u64;
        let (length, rest) = bytes
            .split_first_chunk::<8>()
            .ok_or(FileFault::Truncated { expected: 8, found })?;
        let claimed = u64::from_le_bytes(*length);
        if claimed > HEADER_LIMIT {
            return Err(FileFault::HeaderLength {
                claimed,
                limit: HEADER_LIMIT,
            });
        }
        let (header, data) =
            rest.split_at_checked(claimed as usize)
                .ok_or(FileFault::Truncated {
                    expected: 8 + claimed,
                    found,
                })?;
        let header: Header = serde_json::from_slice(header).map_err(|source| FileFault::Json {
            part: "the header",
            source,
        })?;
        let tensors = place(header.tensors, data, 8 + claimed)?;
        Ok(Self {
            metadata: header.metadata,
            tensors,
            data,
        })
    }
}

/// Cuts the data into tensors, which must follow each other without a gap.
fn place(
    entries: BTreeMap<String, Entry>,
    data: &[u8],
    start: u64,
) -> Result<BTreeMap<String, TensorBytes<'_>>, FileFault> {
    let mut in_order: Vec<(String, Entry)> = entries.into_iter().collect();
    in_order.sort_by_key(|(_, entry)| entry.data_offsets);
    let mut tensors = BTreeMap::new();
    let mut expected_begin = 0_u64;
    for (name, entry) in in_order {
        let size = match entry.dtype.as_str() {
            "F32" => 4,
            "F64" => 8,
            "U8" => 1,
            _ => {
                return Err(FileFault::DType {
                    name,
                    expected: "F32, F64 or U8",
                    found: entry.dtype,
                });
            }
        };
        let [begin, end] = entry.data_offsets;
        let length = entry
            .shape
            .iter()
            .try_fold(size, |length: u64, &n| length.checked_mul(n));
        let expected_end = length
            .and_then(|length| expected_begin.checked_add(length))
            .unwrap_or(u64::MAX);
        if begin != expected_begin || end != expected_end {
            return Err(FileFault::Offsets {
                name,
                begin,
                end,
                expected_begin,
                expected_end,
            });
        }
        let range = begin as usize..usize::try_from(end).unwrap_or(usize::MAX);
        let bytes = data.get(range).ok_or(FileFault::Truncated {
            expected: start.saturating_add(end),
            found: start + data.len() as u64,
        })?;
        tensors.insert(
            name,
            TensorBytes {
                dtype: entry.dtype,
                shape: entry.shape,
                bytes,
            },
        );
        expected_begin = end;
    }
    match data.len() as u64 - expected_begin {
        0 => Ok(tensors),
        bytes => Err(FileFault::Trailing { bytes }),
    }
}

#[derive(Default)]
struct Header {
    metadata: BTreeMap<String, String>,
    tensors: BTreeMap<String, Entry>,
}

#[derive(Deserialize)]
struct Entry {
    dtype: String,
    shape: Vec<u64>,
    data_offsets: [u64; 2],
}

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(HeaderVisitor)
    }
}

struct HeaderVisitor;

impl<'de> Visitor<'de> for HeaderVisitor {
    type Value = Header;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of tensors")
    }

    /// As a derived map, except that a name may not be there twice.
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Header, A::Error> {
        let mut header = Header::default();
        while let Some(name) = map.next_key::<String>()? {
            let twice = if name == "__metadata__" {
                let earlier = std::mem::replace(&mut header.metadata, map.next_value()?);
                !earlier.is_empty()
            } else {
                header.tensors.insert(name, map.next_value()?).is_some()
            };
            if twice {
                return Err(A::Error::custom("a name is there twice"));
            }
        }
        Ok(header)
    }
}
