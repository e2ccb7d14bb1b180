//! Describing networks in code.

mod graph;
mod sequential;

pub use graph::Graph;
pub use sequential::{Merge, Parallel, Sequential};
