use std::fmt;

use crate::Error;
#[cfg(test)]
use crate::simd::Array;
#[cfg(target_arch = "x86_64")]
use crate::simd::{Avx2, Avx512};
use crate::simd::{Scalar, Simd};

/// One set of kernels, compiled for one instruction set. All sets give the same bits.
///
/// A plain value to pass around: there is no global choice, so one process can compare all sets.
///
/// ```
/// use maas_kernels::Kernels;
///
/// let mut fast = [0.0; 3];
/// let mut portable = [0.0; 3];
/// Kernels::best().exp(&[0.0, 1.0, -200.0], &mut fast);
/// Kernels::portable().exp(&[0.0, 1.0, -200.0], &mut portable);
/// assert_eq!(fast, portable);
/// assert!(Kernels::named("abacus").is_err());
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Kernels(Set);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Set {
    Portable,
    #[cfg(test)]
    Wide,
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    #[cfg(target_arch = "x86_64")]
    Avx512(Avx512),
}

/// A computation written once for every instruction set.
pub(crate) trait Work {
    type Output;
    /// Must be `#[inline(always)]`, so that it is compiled with the instructions of the caller.
    fn run<S: Simd>(self, simd: S) -> Self::Output;
}

impl Kernels {
    /// The fastest set that this processor can run.
    ///
    /// ```
    /// assert!(maas_kernels::Kernels::available().contains(&maas_kernels::Kernels::best()));
    /// ```
    #[must_use]
    pub fn best() -> Self {
        Self::avx512()
            .or_else(Self::avx2)
            .unwrap_or_else(Self::portable)
    }

    /// The set that runs everywhere: plain Rust, one number at a time. It is the reference for the others.
    ///
    /// ```
    /// assert_eq!(maas_kernels::Kernels::portable().name(), "portable");
    /// ```
    #[must_use]
    pub fn portable() -> Self {
        Self(Set::Portable)
    }

    /// The set called `portable`, `avx2` or `avx512`.
    ///
    /// # Errors
    /// [`Error::UnknownSet`] when no set has that name, [`Error::Unsupported`] when this processor cannot run it.
    ///
    /// ```
    /// use maas_kernels::{Error, Kernels};
    /// assert_eq!(Kernels::named("portable"), Ok(Kernels::portable()));
    /// assert_eq!(Kernels::named("mmx"), Err(Error::UnknownSet { name: "mmx".into() }));
    /// ```
    pub fn named(name: &str) -> Result<Self, Error> {
        match name {
            "portable" => Ok(Self::portable()),
            "avx2" => Self::avx2().ok_or(Error::Unsupported { set: "avx2" }),
            "avx512" => Self::avx512().ok_or(Error::Unsupported { set: "avx512" }),
            _ => Err(Error::UnknownSet {
                name: name.to_owned(),
            }),
        }
    }

    /// Every set that this processor can run, the portable one first.
    ///
    /// ```
    /// assert!(maas_kernels::Kernels::available().len() >= 1);
    /// ```
    #[must_use]
    pub fn available() -> Vec<Self> {
        [Some(Self::portable()), Self::avx2(), Self::avx512()]
            .into_iter()
            .flatten()
            .collect()
    }

    /// The name that [`Kernels::named`] knows.
    ///
    /// ```
    /// assert_eq!(maas_kernels::Kernels::portable().name(), "portable");
    /// ```
    #[must_use]
    pub fn name(self) -> &'static str {
        match self.0 {
            Set::Portable => "portable",
            #[cfg(test)]
            Set::Wide => "wide",
            #[cfg(target_arch = "x86_64")]
            Set::Avx2(_) => "avx2",
            #[cfg(target_arch = "x86_64")]
            Set::Avx512(_) => "avx512",
        }
    }

    /// Plain Rust at sixteen lanes.
    #[cfg(test)]
    pub(crate) fn wide() -> Self {
        Self(Set::Wide)
    }

    /// The proof that this is the AVX-512 set.
    #[cfg(target_arch = "x86_64")]
    pub(crate) fn as_avx512(self) -> Option<Avx512> {
        match self.0 {
            Set::Avx512(set) => Some(set),
            _ => None,
        }
    }

    /// The proof that the processor has AVX2, of the sets that ask for it.
    #[cfg(target_arch = "x86_64")]
    pub(crate) fn as_avx2(self) -> Option<Avx2> {
        match self.0 {
            Set::Avx2(set) => Some(set),
            Set::Avx512(set) => Some(set.avx2()),
            _ => None,
        }
    }

    /// Floats in a vector of the set.
    pub(crate) fn lanes(self) -> usize {
        self.run(Lanes)
    }

    /// Rows of a tile of the set's product.
    pub(crate) fn tile_rows(self) -> usize {
        self.run(TileRows)
    }

    #[cfg(target_arch = "x86_64")]
    fn avx2() -> Option<Self> {
        Avx2::detect().map(|set| Self(Set::Avx2(set)))
    }

    #[cfg(target_arch = "x86_64")]
    fn avx512() -> Option<Self> {
        Avx512::detect().map(|set| Self(Set::Avx512(set)))
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn avx2() -> Option<Self> {
        None
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn avx512() -> Option<Self> {
        None
    }

    #[inline]
    pub(crate) fn run<W: Work>(self, work: W) -> W::Output {
        match self.0 {
            Set::Portable => work.run(Scalar),
            #[cfg(test)]
            Set::Wide => work.run(Array),
            #[cfg(target_arch = "x86_64")]
            Set::Avx2(set) => set.run(work),
            #[cfg(target_arch = "x86_64")]
            Set::Avx512(set) => set.run(work),
        }
    }
}

struct Lanes;

impl Work for Lanes {
    type Output = usize;

    #[inline(always)]
    fn run<S: Simd>(self, _: S) -> usize {
        S::LANES
    }
}

struct TileRows;

impl Work for TileRows {
    type Output = usize;

    #[inline(always)]
    fn run<S: Simd>(self, _: S) -> usize {
        S::TILE_ROWS
    }
}

impl Default for Kernels {
    /// [`Kernels::best`].
    fn default() -> Self {
        Self::best()
    }
}

impl fmt::Debug for Kernels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kernels({})", self.name())
    }
}
