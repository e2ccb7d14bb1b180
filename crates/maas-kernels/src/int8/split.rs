//! Which part of C a thread computes.

use std::cell::RefCell;
use std::ops::Range;
use std::sync::atomic::AtomicUsize;

use super::InputScale;
use super::instructions::Instructions;
use super::matrix::{Int8Matrix, PANEL};
use super::rows::{Layout, QuantizeRows, Row};
use super::strip::Columns;
use crate::compute::distribute;
use crate::product::Out;
use crate::team::Queues;
use crate::{Buffer, Compute, Matrix};

/// A product to compute.
///
/// Whoever makes one promises that `out` reaches as far as the rows of A and the columns of B, overlaps nothing that is read, and
/// that no one else uses it meanwhile.
pub(super) struct Product<'a> {
    pub(super) instructions: Instructions,
    pub(super) a: Matrix<'a>,
    pub(super) scale: InputScale,
    pub(super) b: &'a Int8Matrix,
    pub(super) out: Out,
}

// SAFETY: the pointers are valid wherever the product goes, and threads that share one write rows of their own.
unsafe impl Sync for Product<'_> {}

/// Rows of it that have been quantised.
struct Slab<'a> {
    product: &'a Product<'a>,
    /// Their codes.
    left: *const u8,
    rows: &'a [Row],
    out: Out,
}

// SAFETY: the pointers are valid wherever the slab goes, and threads that share one write columns of their own.
unsafe impl Sync for Slab<'_> {}

/// Memory that a part of a product works in; it grows and is kept.
#[derive(Default)]
struct Workspace {
    codes: Buffer,
    rows: Vec<Row>,
    line: Buffer,
}

thread_local! {
    /// The thread that asks for a product owns the memory of all of its parts.
    static OWN: RefCell<Vec<Workspace>> = const { RefCell::new(Vec::new()) };
}

/// The most that any thread has asked for.
static CODES: AtomicUsize = AtomicUsize::new(0);
static LINE: AtomicUsize = AtomicUsize::new(0);

impl Product<'_> {
    /// On as many threads as `compute` allows, and on fewer where the work is not worth so many.
    pub(super) fn run(&self, compute: Compute) {
        let (m, n) = (self.a.rows(), self.b.columns());
        let work = self.work(m);
        let threads = compute.parallelism.get().min(work / WORK_OF_A_THREAD);
        let threads = threads.clamp(1, Queues::MOST);
        if m == 0 || n == 0 {
            return;
        }
        let by_rows = threads > 1 && m >= threads * ROWS_OF_A_THREAD;
        let parts = if by_rows { threads } else { 1 };
        OWN.with_borrow_mut(|own| {
            if own.len() < parts {
                own.resize_with(parts, Workspace::default);
            }
            let seats = &mut own[..parts];
            for seat in &mut *seats {
                self.reserve(seat);
            }
            if by_rows {
                let single = Compute {
                    kernels: compute.kernels,
                    ..Compute::default()
                };
                let step = self.instructions.rows();
                distribute(seats, 0..m, step, ROWS_OF_A_THREAD, |seat, rows| {
                    self.rows(single, seat, rows);
                });
            } else {
                self.rows(compute, &mut seats[0], 0..m);
            }
        });
    }

    /// Multiply-adds of so many rows.
    fn work(&self, rows: usize) -> usize {
        rows.saturating_mul(self.b.rows())
            .saturating_mul(self.b.columns())
    }

    fn layout(&self) -> Layout {
        Layout::new(self.b.rows(), self.instructions.forms())
    }

    /// Rows whose codes stay in the second cache.
    fn slab(&self) -> usize {
        let step = self.instructions.rows();
        (SLAB / self.layout().row / step).max(1) * step
    }

    /// As much for a few rows as for many: who takes a larger part next time finds room.
    fn reserve(&self, workspace: &mut Workspace) {
        let rows = self.slab();
        let bytes = rows * self.layout().row;
        workspace
            .codes
            .make_room(bytes.div_ceil(size_of::<f32>()), &CODES);
        if workspace.rows.len() < rows {
            workspace.rows.resize(rows, Row::default());
        }
        if self.a.column_stride() != 1 {
            workspace.line.make_room(self.a.columns(), &LINE);
        }
    }

    /// Computes some rows, columns in parts.
    fn rows(&self, compute: Compute, workspace: &mut Workspace, range: Range<usize>) {
        let slab = self.slab();
        for top in range.clone().step_by(slab) {
            let range = top..range.end.min(top + slab);
            let rows = &mut workspace.rows[..range.len()];
            self.instructions.run(QuantizeRows {
                a: self.a,
                range: range.clone(),
                scale: self.scale,
                line: &mut workspace.line,
                to: workspace.codes.as_mut_ptr().cast(),
                layout: self.layout(),
                rows,
            });
            let slab = Slab {
                product: self,
                left: workspace.codes.as_ptr().cast(),
                rows,
                out: self.out.part(top, 0, self.out.width),
            };
            let panels = self.b.columns().div_ceil(PANEL);
            let of_a_panel = (slab.rows.len() * self.b.rows() * PANEL).max(1);
            compute.split(0..panels, WORK_OF_A_THREAD.div_ceil(of_a_panel), |panels| {
                slab.columns(panels);
            });
        }
    }
}

impl Slab<'_> {
    fn columns(&self, panels: Range<usize>) {
        let (product, b) = (self.product, self.product.b);
        let columns = Columns {
            left: self.left,
            layout: product.layout(),
            rows: self.rows,
            groups: b.groups().as_ptr(),
            depth: b.depth(),
            scales: b.padded_scales().as_ptr(),
            offsets: b.offsets().as_ptr(),
            range: panels.start * PANEL..b.columns().min(panels.end * PANEL),
            out: self.out,
        };
        columns.run(product.instructions);
    }
}

/// Bytes of inputs' codes that stay in the second cache beside a panel of weights.
const SLAB: usize = 256 * 1024;
/// Multiply-adds that are worth a thread.
const WORK_OF_A_THREAD: usize = 1 << 19;
/// Rows from which on each thread has some of its own.
const ROWS_OF_A_THREAD: usize = 16;
