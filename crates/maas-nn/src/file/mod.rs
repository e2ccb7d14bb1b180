//! Networks as safetensors files.

mod fault;

pub use fault::FileFault;
