//! Losses with their gradients, in one pass each.

mod element;
mod softmax;
mod terms;

pub use element::{ElementLoss, LossGradient};
pub use softmax::ClassTargets;
