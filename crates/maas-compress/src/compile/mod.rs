//! From a network to the form that answers fastest on this machine, or takes the least memory.

mod choose;
mod layer;
mod runner;
mod sample;
mod stopwatch;
mod target;

pub use choose::{Candidate, LayerChoice};
pub use stopwatch::Latency;
pub use target::{Goal, Target};

pub(crate) use choose::{choose, pack, time};
pub(crate) use layer::alone;
pub(crate) use sample::Sample;
pub(crate) use stopwatch::compare;
