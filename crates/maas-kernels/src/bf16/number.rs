use std::cmp::Ordering;
use std::fmt;

/// A number of 16 bits: the upper half of an `f32`, with its range and 8 significant bits.
///
/// ```
/// use maas_kernels::Bf16;
///
/// assert_eq!(Bf16::from_f32(1.0).to_bits(), 0x3f80);
/// assert_eq!(Bf16::from_f32(3.141_592_7).to_f32(), 3.140_625);
/// assert!(Bf16::from_f32(f32::NAN).to_f32().is_nan());
/// ```
#[derive(Clone, Copy, Default)]
#[repr(transparent)]
pub struct Bf16(u16);

impl Bf16 {
    /// The nearest number, ties to the even one; what is too large becomes infinite. A NaN stays one and becomes quiet;
    /// a subnormal number becomes a zero of its sign.
    ///
    /// ```
    /// use maas_kernels::Bf16;
    ///
    /// assert_eq!(Bf16::from_f32(f32::MAX).to_f32(), f32::INFINITY);
    /// assert_eq!(Bf16::from_f32(-1e-40).to_bits(), 0x8000);
    /// ```
    #[must_use]
    pub const fn from_f32(x: f32) -> Self {
        let bits = x.to_bits();
        Self(if x.is_nan() {
            (bits >> 16) as u16 | 0x40
        } else if x.abs() < f32::MIN_POSITIVE {
            (bits >> 16) as u16 & 0x8000
        } else {
            ((bits + 0x7fff + (bits >> 16 & 1)) >> 16) as u16
        })
    }

    /// The same number, exactly.
    ///
    /// ```
    /// assert_eq!(maas_kernels::Bf16::from_bits(0xc000).to_f32(), -2.0);
    /// ```
    #[must_use]
    pub const fn to_f32(self) -> f32 {
        f32::from_bits((self.0 as u32) << 16)
    }

    /// The number with this pattern of bits: sign, 8 bits of exponent, 7 of mantissa.
    ///
    /// ```
    /// assert_eq!(maas_kernels::Bf16::from_bits(0x3f80).to_f32(), 1.0);
    /// ```
    #[must_use]
    pub const fn from_bits(bits: u16) -> Self {
        Self(bits)
    }

    /// The pattern of bits.
    ///
    /// ```
    /// assert_eq!(maas_kernels::Bf16::from_bits(7).to_bits(), 7);
    /// ```
    #[must_use]
    pub const fn to_bits(self) -> u16 {
        self.0
    }
}

impl PartialEq for Bf16 {
    fn eq(&self, other: &Self) -> bool {
        self.to_f32() == other.to_f32()
    }
}

impl PartialOrd for Bf16 {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.to_f32().partial_cmp(&other.to_f32())
    }
}

impl From<Bf16> for f32 {
    fn from(x: Bf16) -> Self {
        x.to_f32()
    }
}

impl fmt::Debug for Bf16 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_f32().fmt(f)
    }
}

impl fmt::Display for Bf16 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_f32().fmt(f)
    }
}
