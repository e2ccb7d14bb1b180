use std::path::{Path, PathBuf};

use super::rows::{check_counts, chunk};
use super::{Idx, rows};
use crate::source::DEFAULT_CHUNK_ROWS;
use crate::{Chunks, Classes, Dataset, Error, Input, Schema, Source, TargetKind};

/// Images and labels of two IDX files, chunk by chunk: what [`Dataset::from_idx`] reads at once.
///
/// ```
/// # let folder = std::env::temp_dir();
/// # let (images, labels) = (folder.join("maas-doc-images-2"), folder.join("maas-doc-labels-2"));
/// # std::fs::write(&images, [0, 0, 8, 2, 0, 0, 0, 3, 0, 0, 0, 1, 0, 51, 255]).unwrap();
/// # std::fs::write(&labels, [0, 0, 8, 1, 0, 0, 0, 3, 1, 0, 1]).unwrap();
/// use maas_data::{IdxSource, Prefetch, Source};
///
/// let source = Prefetch::new(IdxSource::open(images, labels)?.chunk_rows(2));
/// assert_eq!(source.rows(), Some(3));
/// let rows: Vec<usize> = source.open(0)?.map(|chunk| chunk.map(|chunk| chunk.rows())).collect::<Result<_, _>>()?;
/// assert_eq!(rows, [2, 1]);
/// # Ok::<(), maas_data::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct IdxSource {
    images: PathBuf,
    labels: PathBuf,
    classes: Classes,
    schema: Schema,
    rows: usize,
    chunk_rows: usize,
}

impl IdxSource {
    /// Opens both files and reads the labels once, to learn how many classes there are.
    ///
    /// # Errors
    /// Those of [`Dataset::from_idx`], as far as headers and labels show them.
    ///
    /// ```
    /// use maas_data::{Error, IdxSource};
    /// assert!(matches!(IdxSource::open("no-such-images", "no-such-labels"), Err(Error::Open { .. })));
    /// ```
    pub fn open(images: impl AsRef<Path>, labels: impl AsRef<Path>) -> Result<Self, Error> {
        let (images, labels) = (images.as_ref(), labels.as_ref());
        let mut highest = 0;
        each_chunk_of_labels(labels, |labels| {
            highest = labels.iter().copied().fold(highest, u32::max);
        })?;
        Self::open_among(images, labels, highest as usize + 1)
    }

    /// Opens both files; the classes are known: their number, or their names. Only the headers are read.
    ///
    /// # Errors
    /// Those of [`Dataset::from_idx_among`], as far as headers show them.
    ///
    /// ```
    /// use maas_data::{Error, IdxSource};
    /// assert!(matches!(IdxSource::open_among("no-such-images", "no-such-labels", 10), Err(Error::Open { .. })));
    /// ```
    pub fn open_among(
        images: impl AsRef<Path>,
        labels: impl AsRef<Path>,
        classes: impl Into<Classes>,
    ) -> Result<Self, Error> {
        let classes = classes.into();
        classes.check()?;
        let (images, labels) = (images.as_ref(), labels.as_ref());
        let idx = Idx::open(images)?;
        check_counts(&idx, Idx::open(labels)?.rows())?;
        let features = Input::new("x", &idx.shape()[1..], Vec::<f32>::new())?.spec();
        let targets = TargetKind::Labels {
            classes: classes.count(),
        };
        Ok(Self {
            images: images.to_owned(),
            labels: labels.to_owned(),
            classes,
            schema: Schema::new(features, targets),
            rows: idx.rows(),
            chunk_rows: DEFAULT_CHUNK_ROWS,
        })
    }

    /// Chunks of this many rows, at least one; by default of 8,192.
    ///
    /// ```no_run
    /// # use maas_data::{IdxSource, Error};
    /// let source = IdxSource::open("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz")?.chunk_rows(1000);
    /// # Ok::<(), Error>(())
    /// ```
    pub fn chunk_rows(mut self, rows: usize) -> Self {
        self.chunk_rows = rows.max(1);
        self
    }
}

impl Source for IdxSource {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn rows(&self) -> Option<u64> {
        Some(self.rows as u64)
    }

    fn open(&self, _epoch: u64) -> Result<Chunks, Error> {
        Ok(Box::new(Pass {
            images: Idx::open(&self.images)?,
            labels: Idx::open(&self.labels)?,
            source: self.clone(),
            start: 0,
        }))
    }
}

struct Pass {
    images: Idx,
    labels: Idx,
    source: IdxSource,
    start: usize,
}

impl Pass {
    fn read(&mut self, rows: usize) -> Result<Dataset, Error> {
        let source = &self.source;
        let last = self.start + rows == source.rows;
        let input = self.images.next_input(rows).and_then(|input| {
            if last {
                self.images.end()?;
            }
            Ok(input)
        });
        let classes = source.classes.count();
        let labels = self.labels.next_labels(self.start, rows, classes);
        chunk(
            input.map_err(|error| error.in_file(&source.images))?,
            labels.map_err(|error| error.in_file(&source.labels))?,
            source.classes.clone(),
        )
    }
}

impl Iterator for Pass {
    type Item = Result<Dataset, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        // The files may have changed since the source was opened.
        let there = self.images.rows().min(self.labels.rows());
        let left = there.min(self.source.rows).checked_sub(self.start)?;
        let rows = left.min(self.source.chunk_rows);
        if rows == 0 {
            return None;
        }
        let chunk = self.read(rows);
        self.start += rows;
        Some(chunk)
    }
}

fn each_chunk_of_labels(path: &Path, mut each: impl FnMut(&[u32])) -> Result<(), Error> {
    let mut idx = Idx::open(path)?;
    let mut start = 0;
    while start < idx.rows() {
        let rows = (idx.rows() - start).min(rows::LABELS);
        let labels = idx.next_labels(start, rows, usize::MAX);
        each(&labels.map_err(|error| error.in_file(path))?);
        start += rows;
    }
    Ok(())
}
