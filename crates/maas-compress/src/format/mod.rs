//! The file of a compressed network: see `README.md` beside this file.

mod fault;
mod header;
mod read;
mod varint;
mod write;

pub use fault::FileFault;
pub(crate) use read::read;
pub(crate) use write::write;

use maas_core::Fnv;

const MAGIC: [u8; 8] = *b"MAASSPRS";
const VERSION: u32 = 1;

/// FNV-1a over all parts, one after the other.
fn checksum(parts: &[&[u8]]) -> u64 {
    let mut hash = Fnv::new();
    for part in parts {
        hash.update(part);
    }
    hash.finish()
}

/// Bytes in front of the header: magic, version, the header's length, the checksum.
const PREFIX: usize = 8 + 4 + 8 + 8;

/// How many times larger than its file a network may be. A writer that would exceed it pads the file, so a reader never
/// takes more memory than this for the bytes that it was given.
const EXPANSION: u64 = 1024;

/// Bytes of a number.
const FLOAT: usize = size_of::<f32>();
