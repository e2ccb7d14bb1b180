//! Which classes a network takes for which.

mod matrix;
mod report;
mod table;

pub use matrix::ConfusionMatrix;
pub use report::{ClassFigures, ClassificationReport};
