//! The file of a compressed network: see `README.md` beside this file.

mod array;
mod coder;
mod fault;
mod floats;
mod form;
mod grid;
mod header;
mod model;
mod plane;
mod read;
mod symbols;
#[cfg(test)]
mod tests;
mod text;
mod write;

pub use fault::FileFault;
pub(crate) use read::read;
pub(crate) use write::{Written, write};

use maas_core::Fnv;

const MAGIC: [u8; 4] = *b"MAAS";
const VERSION: u8 = 3;

/// Bytes in front of the coded stream: magic, version, checksum.
const PREFIX: usize = MAGIC.len() + 1 + size_of::<u32>();

/// The low half of FNV-1a over all bytes but its own.
fn checksum(stream: &[u8]) -> u32 {
    let mut hash = Fnv::new();
    hash.update(&MAGIC);
    hash.update(&[VERSION]);
    hash.update(stream);
    hash.finish() as u32
}

/// How many bytes of text and numbers a byte of a file may stand for. A writer that would exceed it appends zeros, so a reader
/// never takes more than this for the network, and a small multiple of it while it reads.
const EXPANSION: u64 = 1024;

/// The memory that is counted for a byte of the specification as text, which becomes a tree.
const TEXT: u64 = 64;

/// Bytes of a number.
const FLOAT: u64 = size_of::<f32>() as u64;
