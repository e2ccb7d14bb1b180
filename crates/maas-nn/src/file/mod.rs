//! Networks as safetensors files.
//!
//! A file is the length of a header as a little-endian `u64`, the header in JSON, and the tensors one after the
//! other. The metadata in the header carry the architecture and the signature as JSON, so that a file is all that
//! serving needs, and the Python package `safetensors` reads the weights of the same file.

mod container;
mod fault;
mod load;
mod save;
mod tensors;

pub use container::{Container, TensorBytes};
pub use fault::FileFault;
pub use tensors::{TensorData, write_container};
