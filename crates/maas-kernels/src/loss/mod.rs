//! Losses with their gradients, in one pass each.

mod block;
mod element;
mod softmax;
mod terms;
mod weights;

pub use element::{ElementLoss, LossGradient};
pub use softmax::ClassTargets;
