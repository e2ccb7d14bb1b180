//! Line charts as self-contained SVG documents.
//!
//! ```
//! use maas_chart::{Chart, Series, page};
//!
//! let chart = Chart::new("Accuracy", "sparsity", "accuracy")
//!     .series(Series::new("digits", "#1f6fb4", [(0.0, 0.97), (0.5, 0.96), (0.9, 0.91)]));
//! let svg = page("Pruning", "one network", &[chart]);
//! assert!(svg.starts_with("<svg") && svg.contains("digits"));
//! ```
//!
//! A vertical axis is logarithmic when all values are positive and the largest is at least 25 times the smallest. Values that are not
//! finite leave a gap. Text is escaped.

mod axis;
mod chart;
mod page;
mod text;

pub use axis::Axis;
pub use chart::{Chart, Mark, Series};
pub use page::page;
pub use text::significant;
