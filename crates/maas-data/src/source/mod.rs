mod checked;
mod closure;
mod memory;
mod prefetch;
mod schema;

use std::sync::Arc;

pub use closure::FnSource;
pub use memory::InMemory;
pub use prefetch::Prefetch;
pub use schema::{Schema, TargetKind};

use crate::{Dataset, Error};

/// Rows that come in chunks, pass after pass: what is larger than memory, or made while it is read.
///
/// A chunk is a [`Dataset`] and checked as such. All chunks of a source have its [`Schema`]; each pass has the same
/// rows as the one before, unless a source wants to make others of `epoch`.
///
/// Whoever reads a source reads it through [`Prefetch`], which checks all that and reads ahead on a thread.
///
/// ```
/// use maas_data::{Dataset, Error, FnSource, Prefetch, Source};
/// use ndarray::Array2;
///
/// let source = FnSource::new(|_epoch| {
///     Ok((0..3).map(|chunk| Dataset::new(Array2::from_elem((4, 2), chunk as f32).view(), Array2::zeros((4, 1)).view())))
/// })?;
/// let source = Prefetch::new(source);
/// for epoch in 0..2 {
///     let mut rows = 0;
///     for chunk in source.open(epoch)? {
///         rows += chunk?.rows();
///     }
///     assert_eq!(rows, 12);
/// }
/// # Ok::<(), Error>(())
/// ```
pub trait Source: Send + Sync {
    /// What all chunks have in common.
    fn schema(&self) -> &Schema;

    /// How many rows a pass has, if that is known before the pass.
    fn rows(&self) -> Option<u64> {
        None
    }

    /// Begins a pass. The iterator owns what it needs, so that it can move to a thread.
    ///
    /// # Errors
    /// What keeps the pass from beginning, such as a file that is gone.
    fn open(&self, epoch: u64) -> Result<Chunks, Error>;
}

/// One pass over a [`Source`], chunk by chunk.
///
/// ```
/// use maas_data::{Chunks, Dataset};
/// let none: Chunks = Box::new(std::iter::empty());
/// assert_eq!(none.count(), 0);
/// ```
pub type Chunks = Box<dyn Iterator<Item = Result<Dataset, Error>> + Send>;

impl<S: Source + ?Sized> Source for &S {
    fn schema(&self) -> &Schema {
        (**self).schema()
    }

    fn rows(&self) -> Option<u64> {
        (**self).rows()
    }

    fn open(&self, epoch: u64) -> Result<Chunks, Error> {
        (**self).open(epoch)
    }
}

impl<S: Source + ?Sized> Source for Box<S> {
    fn schema(&self) -> &Schema {
        (**self).schema()
    }

    fn rows(&self) -> Option<u64> {
        (**self).rows()
    }

    fn open(&self, epoch: u64) -> Result<Chunks, Error> {
        (**self).open(epoch)
    }
}

impl<S: Source + ?Sized> Source for Arc<S> {
    fn schema(&self) -> &Schema {
        (**self).schema()
    }

    fn rows(&self) -> Option<u64> {
        (**self).rows()
    }

    fn open(&self, epoch: u64) -> Result<Chunks, Error> {
        (**self).open(epoch)
    }
}

/// How many rows a chunk of a file has unless the user says otherwise.
pub(crate) const DEFAULT_CHUNK_ROWS: usize = 8192;
