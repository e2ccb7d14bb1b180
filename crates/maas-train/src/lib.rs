
mod descent;
mod error;
mod history;
mod rate;

pub use descent::{GradientDescent, Minimum};
pub use error::Error;
pub use history::{EpochRecord, History};
pub use rate::LearningRate;
