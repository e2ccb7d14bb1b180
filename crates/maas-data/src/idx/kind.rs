/// The types of numbers that an IDX file can hold, all of them big-endian.
///
/// ```
/// assert_eq!(maas_data::IdxKind::Short.bytes(), 2);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IdxKind {
    /// Code 8: `u8`.
    UnsignedByte,
    /// Code 9: `i8`.
    SignedByte,
    /// Code 11: `i16`.
    Short,
    /// Code 12: `i32`.
    Int,
    /// Code 13: `f32`.
    Float,
    /// Code 14: `f64`.
    Double,
}

impl IdxKind {
    /// How many bytes a number has.
    ///
    /// ```
    /// assert_eq!(maas_data::IdxKind::Double.bytes(), 8);
    /// ```
    pub fn bytes(self) -> usize {
        match self {
            Self::UnsignedByte | Self::SignedByte => 1,
            Self::Short => 2,
            Self::Int | Self::Float => 4,
            Self::Double => 8,
        }
    }

    pub(super) fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            0x08 => Self::UnsignedByte,
            0x09 => Self::SignedByte,
            0x0b => Self::Short,
            0x0c => Self::Int,
            0x0d => Self::Float,
            0x0e => Self::Double,
            _ => return None,
        })
    }

    /// Appends the numbers that these bytes are.
    pub(super) fn append_numbers(self, bytes: &[u8], to: &mut Vec<f32>) {
        match self {
            Self::UnsignedByte => to.extend(bytes.iter().map(|&byte| f32::from(byte))),
            Self::SignedByte => to.extend(bytes.iter().map(|&byte| f32::from(byte.cast_signed()))),
            Self::Short => to.extend(each(bytes).map(|bytes| f32::from(i16::from_be_bytes(bytes)))),
            Self::Int => to.extend(each(bytes).map(|bytes| i32::from_be_bytes(bytes) as f32)),
            Self::Float => to.extend(each(bytes).map(f32::from_be_bytes)),
            Self::Double => to.extend(each(bytes).map(|bytes| f64::from_be_bytes(bytes) as f32)),
        }
    }

    /// Appends the integers that these bytes are; false when they are no integers.
    pub(super) fn append_integers(self, bytes: &[u8], to: &mut Vec<i32>) -> bool {
        match self {
            Self::UnsignedByte => to.extend(bytes.iter().map(|&byte| i32::from(byte))),
            Self::SignedByte => to.extend(bytes.iter().map(|&byte| i32::from(byte.cast_signed()))),
            Self::Short => to.extend(each(bytes).map(|bytes| i32::from(i16::from_be_bytes(bytes)))),
            Self::Int => to.extend(each(bytes).map(i32::from_be_bytes)),
            Self::Float | Self::Double => return false,
        }
        true
    }
}

fn each<const BYTES: usize>(bytes: &[u8]) -> impl Iterator<Item = [u8; BYTES]> {
    bytes.as_chunks().0.iter().copied()
}
