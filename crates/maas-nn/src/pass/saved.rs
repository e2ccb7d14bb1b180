/// What `forward` keeps for `backward`: as many elements as the layer declared.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Saved<'a> {
    /// Single-precision numbers, so many a row.
    pub f32: &'a mut [f32],
    /// Bytes, so many a row.
    pub u8: &'a mut [u8],
    /// Integers, so many a row.
    pub i32: &'a mut [i32],
    /// Single-precision numbers, as many whatever the rows.
    pub fixed: &'a mut [f32],
}

/// What `forward` has kept, to read: as many elements as the layer declared.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Kept<'a> {
    /// Single-precision numbers, so many a row.
    pub f32: &'a [f32],
    /// Bytes, so many a row.
    pub u8: &'a [u8],
    /// Integers, so many a row.
    pub i32: &'a [i32],
}
