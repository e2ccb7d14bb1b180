//! Optimisers: chains of small transformations, and what applies them to a network.

mod adam;
mod average;
mod blocks;
mod bound;
mod chain;
mod coefficient;
mod groups;
mod pass;
mod rates;
mod run;
mod sgd;
mod state;

pub use adam::{Adam, ScaleByAdam};
pub use average::Average;
pub use chain::Chain;
pub use run::Optimizer;
pub use sgd::{Momentum, Sgd};
pub use state::OptimizerState;
