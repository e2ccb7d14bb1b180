#[cfg(target_arch = "x86_64")]
use super::avx2::Magnitudes;
#[cfg(test)]
use super::dot::StandIn;
use super::dot::{Dot, DotWork};
#[cfg(target_arch = "x86_64")]
use super::vnni::Vnni;
use crate::Kernels;
#[cfg(test)]
use crate::simd::Array;
use crate::simd::Simd;

/// The instructions that a set multiplies codes with.
#[derive(Clone, Copy, Debug)]
pub(super) enum Instructions {
    #[cfg(target_arch = "x86_64")]
    Magnitudes(Magnitudes),
    #[cfg(target_arch = "x86_64")]
    Vnni(Vnni),
    #[cfg(test)]
    StandIn,
}

impl Instructions {
    /// None for the portable set. A processor with AVX-512 and without VNNI runs the instructions of AVX2.
    pub(super) fn of(kernels: Kernels) -> Option<Self> {
        #[cfg(test)]
        if kernels == Kernels::wide() {
            return Some(Self::StandIn);
        }
        #[cfg(target_arch = "x86_64")]
        if let Some(vnni) = Vnni::detect(kernels) {
            return Some(Self::Vnni(vnni));
        }
        #[cfg(target_arch = "x86_64")]
        if let Some(avx2) = kernels.as_avx2() {
            return Some(Self::Magnitudes(Magnitudes(avx2)));
        }
        let _ = kernels;
        None
    }

    pub(super) fn run<W: DotWork>(self, work: W) -> W::Output {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Magnitudes(dot) => dot.run(work),
            #[cfg(target_arch = "x86_64")]
            Self::Vnni(dot) => dot.run(work),
            #[cfg(test)]
            Self::StandIn => work.run(Array, StandIn),
        }
    }

    /// Forms of a row of inputs.
    pub(super) fn forms(self) -> usize {
        self.run(Forms)
    }

    /// Columns of a vector.
    pub(super) fn lanes(self) -> usize {
        self.run(Lanes)
    }

    /// The most rows of a tile.
    pub(super) fn rows(self) -> usize {
        self.run(Rows)
    }
}

struct Forms;

impl DotWork for Forms {
    type Output = usize;

    #[inline(always)]
    fn run<S: Simd, D: Dot<S>>(self, _: S, _: D) -> usize {
        D::FORMS
    }
}

struct Rows;

impl DotWork for Rows {
    type Output = usize;

    #[inline(always)]
    fn run<S: Simd, D: Dot<S>>(self, _: S, _: D) -> usize {
        D::ROWS
    }
}

struct Lanes;

impl DotWork for Lanes {
    type Output = usize;

    #[inline(always)]
    fn run<S: Simd, D: Dot<S>>(self, _: S, _: D) -> usize {
        S::LANES
    }
}
