#![allow(
    clippy::needless_range_loop,
    reason = "r and v index several arrays of registers at once"
)]

use super::chain::Step;
use super::end::load;
use super::pack::View;
use super::strip::Strip;
use crate::prefetch::{LINE, prefetch};
use crate::simd::Simd;

/// Computes `R` rows by `V` vectors of C for one block of k, the sums held in registers.
///
/// `RAGGED`: the last vector is not full. `COPY`: B is left in the strip's place for it as well. `a` starts with the tile's first
/// row.
///
/// # Safety
/// `strip` must keep its promises, `a` describe `R` rows of `strip.k` readable floats, and rows `row..row + R` lie
/// within the strip, whose width fills `V` vectors, the last one partly where `RAGGED`.
#[inline(always)]
pub(super) unsafe fn tile<
    S: Simd,
    C: Step<S>,
    const R: usize,
    const V: usize,
    const RAGGED: bool,
    const COPY: bool,
>(
    s: S,
    chain: C,
    strip: &Strip,
    a: View,
    row: usize,
) {
    let width = strip.out.width;
    let unfinished =
        |p: *const f32, r: usize, v: usize| p.wrapping_add(((row + r) * V + v) * S::LANES);
    let mut sums = [[s.zero(); V]; R];
    if let Some(p) = strip.go_on {
        for r in 0..R {
            for v in 0..V {
                // SAFETY: the strip has left its sums there.
                sums[r][v] = unsafe { s.load(unfinished(p, r, v)) };
            }
        }
    }
    let mut rows = [a.p; R];
    for (r, p) in rows.iter_mut().enumerate() {
        *p = a.p.wrapping_add(r * a.row);
    }
    let (mut at, mut b) = (0, strip.b);
    let mut copy = strip.copy.unwrap_or(std::ptr::null_mut());
    for _ in 0..strip.k {
        let mut right = [s.zero(); V];
        for (v, right) in right.iter_mut().enumerate() {
            // SAFETY: `b` is one of the k rows of the strip of B.
            *right = unsafe { load::<S, V, RAGGED>(s, b, v, width) };
        }
        if COPY {
            for line in (0..V * S::LANES).step_by(LINE / size_of::<f32>()) {
                prefetch(b.wrapping_add(AHEAD * strip.b_stride + line));
            }
            for v in 0..V {
                // SAFETY: the copy has room for k rows of `V` vectors.
                unsafe { s.store(copy.add(v * S::LANES), right[v]) };
            }
            copy = copy.wrapping_add(V * S::LANES);
        }
        for r in 0..R {
            // SAFETY: `at` is the offset of one of the k columns of A.
            let left = s.splat(unsafe { *rows[r].add(at) });
            for v in 0..V {
                sums[r][v] = chain.go_on(s, left, right[v], sums[r][v]);
            }
        }
        at = at.wrapping_add(a.column);
        b = b.wrapping_add(strip.b_stride);
    }
    if let Some(p) = strip.leave {
        for r in 0..R {
            for v in 0..V {
                // SAFETY: there is room for the rows of the strip.
                unsafe { s.store(unfinished(p, r, v).cast_mut(), sums[r][v]) };
            }
        }
        return;
    }
    // SAFETY: the rows lie within the strip.
    unsafe { strip.out.finish::<S, R, V, RAGGED>(s, row, sums) };
}

/// Rows that B is asked for ahead of time where it is not in the caches yet: each is a page further.
const AHEAD: usize = 32;
