use std::fmt;

use super::{Chunks, Schema, Source};
use crate::{Dataset, Error};

/// A closure as a [`Source`]: from the number of the epoch to an iterator of chunks.
///
/// ```
/// use maas_core::Seed;
/// use maas_data::{Dataset, Error, FnSource, RowRandom, Source};
/// use ndarray::Array2;
///
/// // Sums of two numbers, other ones in each epoch.
/// let source = FnSource::new(|epoch| {
///     Ok((0..10).map(move |chunk| {
///         let mut random = RowRandom::new(Seed(7), epoch, chunk);
///         let x = Array2::from_shape_simple_fn((100, 2), || random.between(-1.0..1.0));
///         let y = Array2::from_shape_fn((100, 1), |(row, _)| x[[row, 0]] + x[[row, 1]]);
///         Dataset::new(x.view(), y.view())
///     }))
/// })?
/// .of_rows(1000);
/// assert_eq!(source.open(0)?.count(), 10);
/// # Ok::<(), Error>(())
/// ```
#[must_use]
pub struct FnSource<F> {
    open: F,
    schema: Schema,
    rows: Option<u64>,
}

impl<F, I> FnSource<F>
where
    F: Fn(u64) -> Result<I, Error> + Send + Sync,
    I: Iterator<Item = Result<Dataset, Error>> + Send + 'static,
{
    /// A source whose schema is that of its first chunk, which is read now.
    ///
    /// # Errors
    /// Those of the closure; [`Error::NoRows`] when there is no chunk.
    ///
    /// ```
    /// use maas_data::{Dataset, Error, FnSource};
    /// let none = FnSource::new(|_| Ok(std::iter::empty::<Result<Dataset, Error>>()));
    /// assert!(matches!(none, Err(Error::NoRows)));
    /// ```
    pub fn new(open: F) -> Result<Self, Error> {
        let schema = open(0)?.next().ok_or(Error::NoRows)??.schema();
        Ok(Self::with_schema(schema, open))
    }

    /// A source of this schema. Nothing is read.
    ///
    /// ```
    /// use maas_core::{DType, TensorSpec};
    /// use maas_data::{Dataset, Error, FnSource, Schema, Source, TargetKind};
    /// let schema = Schema::new(TensorSpec::rows("x", DType::Fp32, &[2]), TargetKind::Unknown);
    /// let source = FnSource::with_schema(schema, |_| Ok(std::iter::empty::<Result<Dataset, Error>>()));
    /// assert_eq!(source.schema().targets(), TargetKind::Unknown);
    /// ```
    pub fn with_schema(schema: Schema, open: F) -> Self {
        Self {
            open,
            schema,
            rows: None,
        }
    }

    /// The same source, known to have this many rows in each pass.
    ///
    /// ```
    /// # use {maas_data::{Dataset, FnSource, Source}, ndarray::array};
    /// let row = || Dataset::new(array![[1.0_f32]].view(), array![[1.0_f32]].view());
    /// let source = FnSource::new(move |_| Ok((0..3).map(move |_| row())))?.of_rows(3);
    /// assert_eq!(source.rows(), Some(3));
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn of_rows(mut self, rows: u64) -> Self {
        self.rows = Some(rows);
        self
    }
}

impl<F, I> Source for FnSource<F>
where
    F: Fn(u64) -> Result<I, Error> + Send + Sync,
    I: Iterator<Item = Result<Dataset, Error>> + Send + 'static,
{
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn rows(&self) -> Option<u64> {
        self.rows
    }

    fn open(&self, epoch: u64) -> Result<Chunks, Error> {
        Ok(Box::new((self.open)(epoch)?))
    }
}

impl<F> fmt::Debug for FnSource<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FnSource")
            .field("schema", &self.schema)
            .field("rows", &self.rows)
            .finish_non_exhaustive()
    }
}
