//! Architecture as data.

mod activation;
mod initializer;
mod layer;
mod network;

pub use initializer::Initializer;
pub use layer::LayerSpec;
pub use network::{NetworkSpec, Node, Source};

pub(crate) use activation::ActivationName;
pub(crate) use network::check_name;
