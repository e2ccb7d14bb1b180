#![allow(
    clippy::needless_range_loop,
    reason = "r and v index several arrays of registers at once"
)]

use super::ELEMENTS_OF_A_THREAD;
use crate::activation::{LeakyRelu, Operation, Relu};
use crate::simd::Simd;
use crate::{Activation, Compute, Epilogue};

/// Where the sums of a strip go.
///
/// Whoever makes one promises that its pointers reach as far as its strip, and that no other thread uses them meanwhile.
#[derive(Clone, Copy)]
pub(crate) struct Out {
    pub(super) end: End,
    /// Rows of `width` floats.
    pub(super) to: Target,
    pub(crate) width: usize,
}

/// Rows of C, and beside them the outputs whose derivatives they are multiplied with.
#[derive(Clone, Copy)]
pub(super) struct Target {
    pub(super) c: *mut f32,
    /// Dangling where there are none.
    pub(super) outputs: *const f32,
    /// Floats from one row to the next, of both.
    pub(super) stride: usize,
}

impl Epilogue<'_> {
    /// Where sums of rows of `width` columns go, if what happens to them happens in one piece; without what a tile does not
    /// apply. The rows are as many as C and the outputs have.
    pub(crate) fn out(&self, c: &mut [f32], width: usize) -> Out {
        Out {
            end: End {
                add: false,
                bias: Bias::of(self),
                activation: self.activation,
                derived: self.derived(),
            },
            to: Target::new(c, self, width),
            width,
        }
    }

    /// The activation whose derivative is wanted; the linear one has the derivative 1.
    pub(super) fn derived(&self) -> Activation {
        self.derivative
            .map_or(Activation::Linear, |(derived, _)| derived)
    }
}

impl Target {
    /// Rows of `width` columns, one behind the other.
    pub(super) fn new(c: &mut [f32], end: &Epilogue<'_>, width: usize) -> Self {
        let (_, outputs) = end.derivative.unwrap_or_default();
        Self {
            c: c.as_mut_ptr(),
            outputs: outputs.as_ptr(),
            stride: width,
        }
    }

    #[inline]
    pub(super) fn at(self, row: usize, column: usize) -> Self {
        let offset = row * self.stride + column;
        Self {
            c: self.c.wrapping_add(offset),
            outputs: self.outputs.wrapping_add(offset),
            ..self
        }
    }
}

/// How a block of k ends.
#[derive(Clone, Copy)]
pub(super) struct End {
    /// Whether C holds the sum of the blocks before.
    pub(super) add: bool,
    pub(super) bias: Bias,
    pub(super) activation: Activation,
    /// The activation with whose derivative at the outputs C is multiplied.
    pub(super) derived: Activation,
}

impl End {
    #[inline]
    pub(super) fn from(self, column: usize) -> Self {
        Self {
            bias: self.bias.from(column),
            ..self
        }
    }
}

#[derive(Clone, Copy)]
pub(super) enum Bias {
    None,
    /// `width` floats.
    Columns(*const f32),
    All(f32),
}

impl Bias {
    pub(super) fn of(end: &Epilogue<'_>) -> Self {
        end.bias
            .map_or(Self::None, |bias| Self::Columns(bias.as_ptr()))
    }

    #[inline]
    pub(super) fn from(self, column: usize) -> Self {
        match self {
            Self::Columns(p) => Self::Columns(p.wrapping_add(column)),
            other => other,
        }
    }
}

/// Loads vector `v` of the `V` that start at `p`, the last one only partly where `RAGGED`.
///
/// # Safety
/// `width` floats must be readable at `p`, and fill `V` vectors, the last one partly where `RAGGED`.
#[inline(always)]
pub(super) unsafe fn load<S: Simd, const V: usize, const RAGGED: bool>(
    s: S,
    p: *const f32,
    v: usize,
    width: usize,
) -> S::F {
    // SAFETY: vector v lies within the width.
    unsafe {
        if RAGGED && v == V - 1 {
            s.load_partial(p.add(v * S::LANES), width - v * S::LANES)
        } else {
            s.load(p.add(v * S::LANES))
        }
    }
}

impl Out {
    /// From this row and column on, `width` columns.
    #[inline]
    pub(crate) fn part(self, row: usize, column: usize, width: usize) -> Self {
        Self {
            end: self.end.from(column),
            to: self.to.at(row, column),
            width,
        }
    }

    /// The first row of C.
    pub(crate) fn sums(self) -> *const f32 {
        self.to.c
    }

    /// Writes `R` rows by `V` vectors, from row `row` on.
    ///
    /// # Safety
    /// The maker's promises must hold for these rows; the width fills `V` vectors, the last one partly where `RAGGED`.
    #[inline(always)]
    pub(crate) unsafe fn finish<S: Simd, const R: usize, const V: usize, const RAGGED: bool>(
        &self,
        s: S,
        row: usize,
        mut sums: [[S::F; V]; R],
    ) {
        if self.end.add {
            for r in 0..R {
                let c = self.to.at(row + r, 0).c;
                for v in 0..V {
                    // SAFETY: C has the row.
                    let sum = unsafe { load::<S, V, RAGGED>(s, c, v, self.width) };
                    sums[r][v] = s.add(sum, sums[r][v]);
                }
            }
        }
        match self.end.bias {
            Bias::None => {}
            Bias::Columns(bias) => {
                for v in 0..V {
                    // SAFETY: the bias is as wide as C.
                    let bias = unsafe { load::<S, V, RAGGED>(s, bias, v, self.width) };
                    for sums in &mut sums {
                        sums[v] = s.add(sums[v], bias);
                    }
                }
            }
            Bias::All(bias) => {
                for sums in &mut sums {
                    for sum in sums {
                        *sum = s.add(*sum, s.splat(bias));
                    }
                }
            }
        }
        match self.end.activation {
            Activation::Relu => activate(s, &Relu, &mut sums),
            Activation::LeakyRelu { slope } => activate(s, &LeakyRelu(slope), &mut sums),
            _ => {}
        }
        // SAFETY: where there is something to derive, there are as many outputs as C has elements.
        unsafe {
            match self.end.derived {
                Activation::Relu => self.derive::<S, _, R, V, RAGGED>(s, &Relu, row, &mut sums),
                Activation::LeakyRelu { slope } => {
                    self.derive::<S, _, R, V, RAGGED>(s, &LeakyRelu(slope), row, &mut sums);
                }
                _ => {}
            }
        }
        for r in 0..R {
            let p = self.to.at(row + r, 0).c;
            for v in 0..V {
                // SAFETY: C has the row; vector v lies within its width.
                unsafe {
                    if RAGGED && v == V - 1 {
                        let last = self.width - v * S::LANES;
                        s.store_partial(p.add(v * S::LANES), last, sums[r][v]);
                    } else {
                        s.store(p.add(v * S::LANES), sums[r][v]);
                    }
                }
            }
        }
    }

    /// # Safety
    /// As for `finish`; and there must be outputs.
    #[inline(always)]
    unsafe fn derive<S: Simd, O: Operation, const R: usize, const V: usize, const RAGGED: bool>(
        &self,
        s: S,
        op: &O,
        row: usize,
        sums: &mut [[S::F; V]; R],
    ) {
        for r in 0..R {
            let outputs = self.to.at(row + r, 0).outputs;
            for v in 0..V {
                // SAFETY: the outputs have the row.
                let output = unsafe { load::<S, V, RAGGED>(s, outputs, v, self.width) };
                sums[r][v] = op.gradient(s, output, sums[r][v]);
            }
        }
    }
}

/// Whether a tile applies the activation, or its derivative, itself.
pub(super) fn fused(activation: Activation) -> bool {
    matches!(
        activation,
        Activation::Linear | Activation::Relu | Activation::LeakyRelu { .. }
    )
}

impl Compute {
    /// Applies to a product what its tiles have not.
    pub(crate) fn activate_unfused(self, activation: Activation, c: &mut [f32]) {
        if !fused(activation) {
            self.split(c, ELEMENTS_OF_A_THREAD, |c| {
                self.kernels.activate_in_place(activation, c);
            });
        }
    }
}

#[inline(always)]
fn activate<S: Simd, O: Operation, const R: usize, const V: usize>(
    s: S,
    op: &O,
    sums: &mut [[S::F; V]; R],
) {
    for row in sums {
        for sum in row {
            *sum = op.forward(s, *sum);
        }
    }
}
