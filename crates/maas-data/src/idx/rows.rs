use std::io::{self, Read};
use std::path::Path;

use super::{Idx, IdxKind, fill};
use crate::{Classes, Dataset, Error, Input, Targets};

impl Idx {
    /// All numbers, row-major. A 64-bit number that is too large for an `f32` becomes an infinity.
    ///
    /// # Errors
    /// [`Error::FileSize`] when there are fewer or more bytes than the header says; [`Error::Read`].
    ///
    /// ```
    /// let idx = maas_data::Idx::from_reader(&[0, 0, 9, 1, 0, 0, 0, 2, 5, 255][..])?;
    /// assert_eq!(idx.numbers()?, [5.0, -1.0]);
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn numbers(mut self) -> Result<Vec<f32>, Error> {
        let numbers = self.next_numbers(self.rows())?;
        self.end()?;
        Ok(numbers)
    }

    /// All numbers as integers, row-major.
    ///
    /// # Errors
    /// Those of [`Idx::numbers`]; [`Error::IdxShape`] when they are none.
    ///
    /// ```
    /// let idx = maas_data::Idx::from_reader(&[0, 0, 11, 1, 0, 0, 0, 1, 1, 2][..])?;
    /// assert_eq!(idx.integers()?, [258]);
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn integers(mut self) -> Result<Vec<i32>, Error> {
        let integers = self.next_integers(self.rows())?;
        self.end()?;
        Ok(integers)
    }

    pub(super) fn next_numbers(&mut self, rows: usize) -> Result<Vec<f32>, Error> {
        let (kind, mut numbers) = (self.kind, Vec::new());
        self.blocks(rows, |bytes, left| {
            reserve(&mut numbers, left);
            kind.append_numbers(bytes, &mut numbers);
        })?;
        Ok(numbers)
    }

    pub(super) fn next_integers(&mut self, rows: usize) -> Result<Vec<i32>, Error> {
        let (kind, mut integers, mut whole) = (self.kind, Vec::new(), true);
        self.blocks(rows, |bytes, left| {
            reserve(&mut integers, left);
            whole &= kind.append_integers(bytes, &mut integers);
        })?;
        if whole {
            Ok(integers)
        } else {
            Err(Error::IdxShape {
                expected: "integers",
                found: self.shape.clone(),
            })
        }
    }

    /// The next rows as an input, bytes from 0 to 1.
    pub(super) fn next_input(&mut self, rows: usize) -> Result<Input, Error> {
        let mut numbers = self.next_numbers(rows)?;
        if self.kind == IdxKind::UnsignedByte {
            for number in &mut numbers {
                *number /= 255.0;
            }
        }
        Input::new("x", &self.shape[1..], numbers)
    }

    /// The next rows as the numbers of classes; `start` is the number of the first one.
    pub(super) fn next_labels(
        &mut self,
        start: usize,
        rows: usize,
        classes: usize,
    ) -> Result<Vec<u32>, Error> {
        if self.shape.len() != 1 {
            return Err(Error::IdxShape {
                expected: "labels of one dimension",
                found: self.shape.clone(),
            });
        }
        let labels = self.next_integers(rows)?;
        let label = |(row, &label): (usize, &i32)| {
            u32::try_from(label)
                .ok()
                .filter(|&label| (label as usize) < classes)
                .ok_or(Error::IdxLabel {
                    row: start + row,
                    classes,
                    found: label,
                })
        };
        labels.iter().enumerate().map(label).collect()
    }

    /// After the last row: there may be nothing more.
    pub(super) fn end(&mut self) -> Result<(), Error> {
        let expected = self.header() + self.bytes(self.elements);
        // Reading to the end also lets a gzipped file compare its checksum.
        match io::copy(&mut (&mut *self.reader).take(1), &mut io::sink()) {
            Ok(0) => Ok(()),
            Ok(more) => Err(Error::FileSize {
                expected,
                found: expected + more,
            }),
            Err(error) => Err(Error::Read(error)),
        }
    }

    /// Hands out the bytes of the next rows block by block, with the number of elements from that block on. A header
    /// that is not known to be true gets memory only for what has come.
    fn blocks(&mut self, rows: usize, mut take: impl FnMut(&[u8], usize)) -> Result<(), Error> {
        let size = self.kind.bytes();
        let mut left = rows
            .saturating_mul(self.width())
            .min(self.elements - self.taken);
        let mut buffer = vec![0; BLOCK.min(left * size)];
        while left > 0 {
            let bytes = &mut buffer[..BLOCK.min(left * size)];
            let (expected, before) = (
                self.header() + self.bytes(self.elements),
                self.header() + self.bytes(self.taken),
            );
            fill(&mut *self.reader, bytes, |found| Error::FileSize {
                expected,
                found: before + found,
            })?;
            take(bytes, if self.measured { left } else { left.min(STEP) });
            left -= bytes.len() / size;
            self.taken += bytes.len() / size;
        }
        Ok(())
    }

    fn header(&self) -> u64 {
        4 + 4 * self.shape.len() as u64
    }

    fn bytes(&self, elements: usize) -> u64 {
        (elements * self.kind.bytes()) as u64
    }
}

fn reserve<T>(values: &mut Vec<T>, left: usize) {
    if values.capacity() - values.len() < BLOCK.min(left) {
        values.reserve_exact(left);
    }
}

/// Reads all labels of a file.
pub(super) fn all_labels(path: &Path) -> Result<Vec<u32>, Error> {
    let mut idx = Idx::open(path)?;
    let labels = idx.next_labels(0, idx.rows(), usize::MAX);
    labels
        .and_then(|labels| idx.end().map(|()| labels))
        .map_err(|error| error.in_file(path))
}

/// Reads all images of a file, which has as many as there are labels.
pub(super) fn dataset(path: &Path, labels: Vec<u32>, classes: Classes) -> Result<Dataset, Error> {
    let mut idx = Idx::open(path)?;
    check_counts(&idx, labels.len())?;
    let input = idx
        .next_input(labels.len())
        .and_then(|input| idx.end().map(|()| input))
        .map_err(|error| error.in_file(path))?;
    chunk(input, labels, classes)
}

pub(super) fn chunk(input: Input, labels: Vec<u32>, classes: Classes) -> Result<Dataset, Error> {
    let targets = Targets::Labels {
        classes: classes.count(),
        data: labels,
    };
    Dataset::from_inputs(vec![input], targets)?.with_classes(classes)
}

pub(super) fn check_counts(images: &Idx, labels: usize) -> Result<(), Error> {
    if images.rows() == labels {
        Ok(())
    } else {
        Err(Error::RowCount {
            name: "labels".to_owned(),
            expected: images.rows(),
            found: labels,
        })
    }
}

/// A multiple of the size of every type.
const BLOCK: usize = 64 * 1024;
/// How many elements are believed in before they have come.
const STEP: usize = 4 * 1024 * 1024;
/// How many labels are looked at in one go.
pub(super) const LABELS: usize = 1 << 20;
