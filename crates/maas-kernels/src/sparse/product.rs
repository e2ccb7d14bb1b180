//! Which rows and bands a thread computes, and in which order.

use super::SparseMatrix;
use super::finish::Finish;
use super::multiply::Multiply;
use super::one_row::MultiplyRow;
use super::pack::{Pack, hostile, offset, room};
use crate::Compute;
use crate::product::{BLOCK, Out, Room, View, Workspace, share, with_workspaces};

/// A product to compute, or a part of one: some rows of A by some bands of B.
///
/// Whoever makes one promises that its pointers reach as far as its shape and strides say, and that C overlaps nothing.
#[derive(Clone, Copy)]
pub(super) struct SparseProduct<'a> {
    pub(super) compute: Compute,
    pub(super) m: usize,
    pub(super) a: View,
    pub(super) b: &'a SparseMatrix,
    pub(super) first_band: usize,
    pub(super) bands: usize,
    /// All columns of C.
    pub(super) out: Out,
}

// SAFETY: a product's pointers are valid wherever it goes, and no other product writes its part of C.
unsafe impl Send for SparseProduct<'_> {}
// SAFETY: what can be done through a shared reference is to copy it, and only the parts that `run` cuts from it are
// run, each once.
unsafe impl Sync for SparseProduct<'_> {}

/// Rows of a batch that are computed side by side.
#[derive(Clone, Copy)]
struct Chunk {
    row: usize,
    rows: usize,
    lanes: usize,
}

impl SparseProduct<'_> {
    /// Computes C on at most as many threads as `compute` says, and on fewer where the work is not worth so many.
    pub(super) fn run(self) {
        if self.m == 0 || self.bands == 0 {
            return;
        }
        let vectors = self.m.div_ceil(self.compute.kernels.lanes());
        let work = self.b.nonzeros().saturating_mul(vectors);
        let threads = (work / WORK_OF_A_THREAD).clamp(1, self.compute.parallelism.get());
        let (rows, bands) = self.grid(threads);
        with_workspaces(rows * bands, |workspaces| {
            let part = |i| self.part((rows, bands), i);
            for (i, workspace) in workspaces.iter_mut().enumerate() {
                workspace.reserve(part(i).room());
            }
            let parts = (0..rows * bands, workspaces);
            self.compute.split(parts, 1, |(numbers, workspaces)| {
                for (i, workspace) in numbers.zip(workspaces) {
                    part(i).run_alone(workspace);
                }
            });
        });
    }

    /// Into how many parts rows and bands are cut, so that the largest part is as small as can be. Ties go to rows, which a
    /// layer's next product finds in the cache of the same core.
    fn grid(&self, threads: usize) -> (usize, usize) {
        let chunks = self.m.div_ceil(self.chunk());
        (1..=threads.min(self.bands))
            .map(|bands| ((threads / bands).min(chunks), bands))
            .min_by_key(|&(rows, bands)| chunks.div_ceil(rows) * self.bands.div_ceil(bands))
            .unwrap_or((1, 1))
    }

    /// Part number `i` of so many rows and bands of parts.
    fn part(self, (rows, bands): (usize, usize), i: usize) -> Self {
        let (row, m) = share(self.m, rows, i / bands, self.chunk());
        let (band, count) = share(self.bands, bands, i % bands, 1);
        Self {
            m,
            a: self.a.at(row, 0),
            first_band: self.first_band + band,
            bands: count,
            out: self.out.part(row, 0, self.out.width),
            ..self
        }
    }

    /// Rows of a full chunk.
    fn chunk(&self) -> usize {
        let lanes = self.compute.kernels.lanes();
        lanes * (CHUNK / lanes).min(4)
    }

    fn chunks(&self, m: usize) -> impl Iterator<Item = Chunk> + Clone {
        let (lanes, full) = (self.compute.kernels.lanes(), self.chunk());
        (0..m).step_by(full).map(move |row| {
            let rows = full.min(m - row);
            let lanes = match rows {
                1 => 1,
                _ if rows <= lanes => lanes,
                _ if rows <= 2 * lanes => 2 * lanes,
                _ => full,
            };
            Chunk { row, rows, lanes }
        })
    }

    /// What the part needs of a workspace: as much for a few rows as for many, so that who takes a larger part next time
    /// finds room.
    fn room(&self) -> Room {
        let layout = self.b.layout();
        let lanes = if self.m > 1 { SLAB } else { 1 };
        let bands = self.first_band..self.first_band + self.bands;
        let width = bands.map(|band| layout.width(band)).max().unwrap_or(0);
        Room {
            left: room(layout, lanes),
            right: lanes * width * if layout.rows > BLOCK { 2 } else { 1 },
        }
    }

    /// On the calling thread.
    fn run_alone(self, workspace: &mut Workspace) {
        for top in (0..self.m).step_by(SLAB) {
            let slab = Self {
                m: SLAB.min(self.m - top),
                a: self.a.at(top, 0),
                out: self.out.part(top, 0, self.out.width),
                ..self
            };
            slab.pack(workspace);
            for band in self.first_band..self.first_band + self.bands {
                slab.band(band, workspace);
            }
        }
    }

    fn pack(&self, workspace: &mut Workspace) {
        let layout = self.b.layout();
        for chunk in self.chunks(self.m) {
            self.compute.kernels.run(Pack {
                layout,
                a: self.a.at(chunk.row, 0),
                rows: chunk.rows,
                lanes: chunk.lanes,
                to: workspace.left[room(layout, chunk.row)..].as_mut_ptr(),
            });
        }
    }

    /// A band of C. The blocks of k come one after another, each for all chunks while its weights are in the second cache.
    fn band(&self, band: usize, workspace: &mut Workspace) {
        let layout = self.b.layout();
        let kernels = self.compute.kernels;
        let (columns, width) = (layout.band(band), layout.width(band));
        let chunks = self.chunks(self.m);
        let lanes = chunks.clone().map(|chunk| chunk.row + chunk.lanes).max();
        let (totals, rest) = workspace.right.split_at_mut(lanes.unwrap_or(0) * width);
        let packed = &workspace.left;
        for block in 0..layout.blocks() {
            let rows = layout.block(block);
            let sums = if rows.start < BLOCK {
                &mut *totals
            } else {
                &mut rest[..totals.len()]
            };
            for chunk in chunks.clone() {
                let x = room(layout, chunk.row) + offset(layout, chunk.lanes, block);
                let sums = sums[chunk.row * width..].as_mut_ptr();
                let first = rows.start.is_multiple_of(BLOCK);
                if chunk.lanes == 1 {
                    kernels.run(MultiplyRow {
                        matrix: self.b,
                        band,
                        block,
                        x: packed[x..].as_ptr(),
                        sums,
                        first,
                    });
                    continue;
                }
                kernels.run(Multiply {
                    matrix: self.b,
                    band,
                    block,
                    lanes: chunk.lanes,
                    x: packed[x..].as_ptr(),
                    sums,
                    first,
                });
            }
            let complete = rows.end == layout.rows || rows.end.is_multiple_of(BLOCK);
            if complete && rows.start >= BLOCK {
                kernels.add(&rest[..totals.len()], totals);
            }
        }
        for chunk in chunks {
            let hostile = room(layout, chunk.row) + hostile(layout, chunk.lanes);
            kernels.run(Finish {
                matrix: self.b,
                column: columns.start,
                a: self.a.at(chunk.row, 0),
                rows: chunk.rows,
                lanes: chunk.lanes,
                sums: totals[chunk.row * width..].as_mut_ptr(),
                hostile: packed[hostile..].as_ptr(),
                out: self.out.part(chunk.row, columns.start, columns.len()),
            });
        }
    }
}

/// The most rows of a chunk: with more, a block of A would not fit into the first cache.
const CHUNK: usize = 32;
/// Rows of A that are packed at a time: whole chunks of every set.
const SLAB: usize = 64;
/// Products of an element and a vector of a batch that are worth a thread.
const WORK_OF_A_THREAD: usize = 1 << 14;
