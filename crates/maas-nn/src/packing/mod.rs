//! Parameters once more, in the form in which kernels read them fastest.

mod network;

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use network::PackedNetwork;

/// In which form a layer's weights lie in memory. All of a layer's give the same answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Representation {
    /// All weights, zeros included.
    #[default]
    Dense,
    /// All weights once more, in panels of units as products read them: faster where rows are few, twice the memory.
    Panels,
    /// The weights that are not zero, and where they are.
    Sparse,
}

impl fmt::Display for Representation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dense => "dense",
            Self::Panels => "panels",
            Self::Sparse => "sparse",
        })
    }
}

/// What [`Layer::pack`](crate::Layer::pack) makes of a layer's parameters, for its `forward` alone to read.
///
/// ```
/// use maas_nn::Packed;
///
/// let mut packed = Packed::new(vec![1_i8, -1], 2);
/// packed.get_mut::<Vec<i8>>().unwrap()[0] = 7;
/// assert_eq!(packed.get::<Vec<i8>>(), Some(&vec![7, -1]));
/// ```
#[derive(Clone)]
pub struct Packed {
    content: Arc<dyn Any + Send + Sync>,
    bytes: usize,
}

impl Packed {
    /// This content, which takes so many bytes of memory.
    ///
    /// See the type for an example.
    pub fn new(content: impl Any + Send + Sync, bytes: usize) -> Self {
        Self {
            content: Arc::new(content),
            bytes,
        }
    }

    /// The content, where it is of this type.
    ///
    /// See the type for an example.
    pub fn get<T: Any>(&self) -> Option<&T> {
        self.content.downcast_ref()
    }

    /// The content to overwrite, where it is of this type and no clone of it is left.
    ///
    /// See the type for an example.
    pub fn get_mut<T: Any>(&mut self) -> Option<&mut T> {
        Arc::get_mut(&mut self.content)?.downcast_mut()
    }

    /// Bytes of memory.
    ///
    /// ```
    /// assert_eq!(maas_nn::Packed::new([0_u8; 8], 8).bytes(), 8);
    /// ```
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

impl fmt::Debug for Packed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Packed")
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}
