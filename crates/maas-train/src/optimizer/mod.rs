//! Optimisers: chains of small transformations, and what applies them to a network.

mod adam;
mod blocks;
mod chain;
mod pass;
mod run;
mod sgd;

pub use adam::{Adam, ScaleByAdam};
pub use chain::Chain;
pub use run::Optimizer;
pub use sgd::{Momentum, Sgd};
