use std::num::NonZeroUsize;
use std::sync::Arc;

use super::{Chunks, Schema, Source};
use crate::{Dataset, Error};

/// A data set as a [`Source`], in chunks of so many rows.
///
/// ```
/// use maas_data::{Dataset, InMemory, Source};
/// use ndarray::array;
///
/// let column = array![[1.0_f32], [2.0], [3.0]];
/// let source = InMemory::new(Dataset::new(column.view(), column.view())?, 2);
/// let chunks = source.open(0)?.collect::<Result<Vec<_>, _>>()?;
/// assert_eq!(chunks[1].x(), array![[3.0]]);
/// # Ok::<(), maas_data::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct InMemory {
    data: Arc<Dataset>,
    schema: Schema,
    chunk_rows: NonZeroUsize,
}

impl InMemory {
    /// Chunks of `chunk_rows` rows, at least one; the last has what remains.
    ///
    /// ```
    /// # use {maas_data::{Dataset, InMemory, Source}, ndarray::array};
    /// let data = Dataset::new(array![[1.0_f32]].view(), array![[1.0_f32]].view())?;
    /// assert_eq!(InMemory::new(data, 0).open(0)?.count(), 1);
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn new(data: impl Into<Arc<Dataset>>, chunk_rows: usize) -> Self {
        let data = data.into();
        Self {
            schema: data.schema(),
            data,
            chunk_rows: NonZeroUsize::new(chunk_rows).unwrap_or(NonZeroUsize::MIN),
        }
    }
}

impl Source for InMemory {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn rows(&self) -> Option<u64> {
        Some(self.data.rows() as u64)
    }

    fn open(&self, _epoch: u64) -> Result<Chunks, Error> {
        let (data, step) = (Arc::clone(&self.data), self.chunk_rows.get());
        let starts = (0..data.rows()).step_by(step);
        Ok(Box::new(starts.map(move |start| {
            Ok(data.range(start..data.rows().min(start.saturating_add(step))))
        })))
    }
}
