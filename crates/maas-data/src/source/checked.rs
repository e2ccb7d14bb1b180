use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Chunks, Schema};
use crate::{Dataset, Error};

/// How many rows the passes of a source have: as it says itself, else as the first whole pass had.
#[derive(Clone, Debug)]
pub(super) struct PassRows(Arc<AtomicU64>);

impl PassRows {
    pub(super) fn new(rows: Option<u64>) -> Self {
        Self(Arc::new(AtomicU64::new(rows.unwrap_or(UNKNOWN))))
    }

    pub(super) fn get(&self) -> Option<u64> {
        Some(self.0.load(Ordering::Relaxed)).filter(|&rows| rows != UNKNOWN)
    }

    fn set(&self, rows: u64) {
        self.0.store(rows, Ordering::Relaxed);
    }
}

const UNKNOWN: u64 = u64::MAX;

/// A pass whose chunks have one schema and, together, the expected number of rows. It ends at the first error.
pub(super) struct Checked {
    chunks: Chunks,
    schema: Schema,
    pass: PassRows,
    chunk: u64,
    rows: u64,
    ended: bool,
}

impl Checked {
    pub(super) fn new(chunks: Chunks, schema: Schema, pass: PassRows) -> Self {
        Self {
            chunks,
            schema,
            pass,
            chunk: 0,
            rows: 0,
            ended: false,
        }
    }

    /// The number of the chunk that comes next.
    pub(super) fn chunk(&self) -> u64 {
        self.chunk
    }

    fn check(&mut self, data: Dataset) -> Result<Dataset, Error> {
        let found = data.schema();
        if found != self.schema {
            return Err(Error::ChunkSchema {
                chunk: self.chunk,
                expected: Box::new(self.schema.clone()),
                found: Box::new(found),
            });
        }
        self.rows += data.rows() as u64;
        match self.pass.get() {
            Some(expected) if self.rows > expected => Err(Error::LateEnd {
                chunk: self.chunk,
                expected,
                found: self.rows,
            }),
            _ => Ok(data),
        }
    }

    fn end(&self) -> Option<Error> {
        match self.pass.get() {
            _ if self.rows == 0 => Some(Error::NoRows),
            Some(expected) if self.rows < expected => Some(Error::EarlyEnd {
                chunks: self.chunk,
                expected,
                found: self.rows,
            }),
            Some(_) => None,
            None => {
                self.pass.set(self.rows);
                None
            }
        }
    }
}

impl Iterator for Checked {
    type Item = Result<Dataset, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let item = match self.chunks.next() {
            Some(Ok(data)) => Some(self.check(data)),
            Some(Err(source)) => Some(Err(Error::Chunk {
                chunk: self.chunk,
                source: Box::new(source),
            })),
            None => self.end().map(Err),
        };
        self.ended = !matches!(item, Some(Ok(_)));
        self.chunk += 1;
        item
    }
}
