//! The file of a compressed network: see `README.md` beside this file.

mod checksum;
mod fault;
mod header;
mod read;
mod varint;
mod write;

pub use fault::FileFault;
pub(crate) use read::read;
pub(crate) use write::write;

const MAGIC: [u8; 8] = *b"MAASSPRS";
const VERSION: u32 = 1;

/// Bytes in front of the header: magic, version, the header's length, the checksum.
const PREFIX: usize = 8 + 4 + 8 + 8;

/// How many times larger than its file a network may be. A writer that would exceed it pads the file, so a reader never
/// takes more memory than this for the bytes that it was given.
const EXPANSION: u64 = 1024;

/// Bytes of a number.
const FLOAT: usize = size_of::<f32>();
