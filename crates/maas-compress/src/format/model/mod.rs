//! What bit is likely: counts under several contexts, mixed.

mod estimate;
mod logistic;
mod mixture;

pub(super) use logistic::density;
pub(super) use mixture::Mixture;
