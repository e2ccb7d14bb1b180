//! Services around services.

#[cfg(feature = "cache")]
mod cache;
mod fallback;
mod generate;
mod limit;
mod tap;
mod timeout;
mod versions;

#[cfg(feature = "cache")]
pub use cache::{Cache, CacheStats};
pub use fallback::Fallback;
pub use limit::Limit;
pub use tap::{Ending, Tap, Tapped};
pub use timeout::Timeout;
pub use versions::{Compared, Retired, Shadow, Split, VersionStatus, Versions};
