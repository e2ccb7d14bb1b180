//! Optimisers: chains of small transformations, and what applies them to a network.

mod adagrad;
mod adam;
mod adamw;
mod amsgrad;
mod average;
mod average_weights;
mod blocks;
mod bound;
mod chain;
mod clip;
mod coefficient;
mod decay;
mod groups;
mod joined;
mod lion;
mod look_ahead;
mod nadam;
mod pass;

mod rates;
mod rmsprop;
mod run;
mod settings;
mod sgd;
mod state;

pub use adagrad::{Adagrad, ScaleByAdagrad};
pub use adam::{Adam, ScaleByAdam};
pub use adamw::AdamW;
pub use amsgrad::{AmsGrad, ScaleByAmsGrad};
pub use average::Average;
pub use average_weights::AverageWeights;
pub use chain::Chain;
pub use clip::{ClipByGlobalNorm, ClipByNorm, ClipByValue};
pub use decay::DecayWeights;
pub use lion::{Lion, ScaleByLion};
pub use look_ahead::LookAhead;
pub use nadam::{Nadam, ScaleByNadam};
pub use rmsprop::{RmsProp, ScaleByRms};
pub use run::Optimizer;
pub use sgd::{Momentum, Sgd};
pub use state::OptimizerState;
