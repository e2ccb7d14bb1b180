//! Services around services.

mod generate;
mod limit;
mod tap;
mod timeout;

pub use limit::Limit;
pub use tap::{Ending, Tap, Tapped};
pub use timeout::Timeout;
