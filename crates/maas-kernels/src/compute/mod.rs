//! With what, and on how many threads.

mod divisible;
mod reduce;
mod split;
mod tables;

pub use divisible::{Chunks, Divisible};
pub(crate) use split::distribute;
pub use tables::{TableLayout, Tables};

use std::num::NonZeroUsize;

use crate::Kernels;

/// The most threads that one call may use.
///
/// The number changes how long a call takes and never a bit of what it computes.
///
/// ```
/// use maas_kernels::Parallelism;
///
/// assert_eq!(Parallelism::single().get(), 1);
/// assert!(Parallelism::available().get() >= 1);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parallelism(NonZeroUsize);

impl Parallelism {
    /// The calling thread alone.
    ///
    /// ```
    /// assert_eq!(maas_kernels::Parallelism::single().get(), 1);
    /// ```
    #[must_use]
    pub const fn single() -> Self {
        Self(NonZeroUsize::MIN)
    }

    /// At most `threads` threads, the calling one included.
    ///
    /// ```
    /// use std::num::NonZeroUsize;
    /// let two = NonZeroUsize::new(2).unwrap();
    /// assert_eq!(maas_kernels::Parallelism::threads(two).get(), 2);
    /// ```
    #[must_use]
    pub const fn threads(threads: NonZeroUsize) -> Self {
        Self(threads)
    }

    /// As many threads as the operating system grants this process cores.
    ///
    /// ```
    /// assert!(maas_kernels::Parallelism::available().get() >= 1);
    /// ```
    #[must_use]
    pub fn available() -> Self {
        std::thread::available_parallelism().map_or(Self::single(), Self)
    }

    /// The number of threads.
    ///
    /// ```
    /// assert_eq!(maas_kernels::Parallelism::default().get(), 1);
    /// ```
    #[must_use]
    pub const fn get(self) -> usize {
        self.0.get()
    }
}

impl Default for Parallelism {
    /// The calling thread alone.
    fn default() -> Self {
        Self::single()
    }
}

/// How to compute: with which kernels, on how many threads. Passed down by value.
///
/// ```
/// use maas_kernels::{Compute, Kernels, Parallelism};
///
/// let compute = Compute { kernels: Kernels::portable(), ..Compute::default() };
/// assert_eq!(compute.parallelism, Parallelism::single());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compute {
    /// The set of kernels.
    pub kernels: Kernels,
    /// The most threads that a call may use.
    pub parallelism: Parallelism,
}
