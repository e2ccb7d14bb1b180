use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Error;

/// The type of a tensor's elements: those of the Open Inference Protocol, under its names.
///
/// ```
/// use maas_core::DType;
///
/// assert_eq!(DType::Fp32.name(), "FP32");
/// assert_eq!("INT64".parse::<DType>()?, DType::Int64);
/// assert_eq!(DType::Bf16.size(), Some(2));
/// # Ok::<(), maas_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[non_exhaustive]
pub enum DType {
    /// One byte, 0 or 1.
    Bool,
    /// Signed, 8 bits.
    Int8,
    /// Signed, 16 bits.
    Int16,
    /// Signed, 32 bits.
    Int32,
    /// Signed, 64 bits.
    Int64,
    /// Unsigned, 8 bits.
    UInt8,
    /// Unsigned, 16 bits.
    UInt16,
    /// Unsigned, 32 bits.
    UInt32,
    /// Unsigned, 64 bits.
    UInt64,
    /// IEEE 754 half precision, held as its bits.
    Fp16,
    /// The upper half of an [`DType::Fp32`], held as its bits.
    Bf16,
    /// IEEE 754 single precision.
    Fp32,
    /// IEEE 754 double precision.
    Fp64,
    /// Byte strings of any length, each after its length as a little-endian `u32`.
    Bytes,
}

impl DType {
    /// Every type, in the protocol's order.
    ///
    /// ```
    /// assert_eq!(maas_core::DType::ALL.len(), 14);
    /// ```
    pub const ALL: [Self; 14] = [
        Self::Bool,
        Self::UInt8,
        Self::UInt16,
        Self::UInt32,
        Self::UInt64,
        Self::Int8,
        Self::Int16,
        Self::Int32,
        Self::Int64,
        Self::Fp16,
        Self::Fp32,
        Self::Fp64,
        Self::Bytes,
        Self::Bf16,
    ];

    /// The protocol's name.
    ///
    /// ```
    /// assert_eq!(maas_core::DType::UInt8.name(), "UINT8");
    /// ```
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bool => "BOOL",
            Self::Int8 => "INT8",
            Self::Int16 => "INT16",
            Self::Int32 => "INT32",
            Self::Int64 => "INT64",
            Self::UInt8 => "UINT8",
            Self::UInt16 => "UINT16",
            Self::UInt32 => "UINT32",
            Self::UInt64 => "UINT64",
            Self::Fp16 => "FP16",
            Self::Bf16 => "BF16",
            Self::Fp32 => "FP32",
            Self::Fp64 => "FP64",
            Self::Bytes => "BYTES",
        }
    }

    /// Bytes of one element; `None` for [`DType::Bytes`], whose elements differ in length.
    ///
    /// ```
    /// use maas_core::DType;
    /// assert_eq!(DType::Fp64.size(), Some(8));
    /// assert_eq!(DType::Bytes.size(), None);
    /// ```
    pub const fn size(self) -> Option<usize> {
        match self {
            Self::Bool | Self::Int8 | Self::UInt8 => Some(1),
            Self::Int16 | Self::UInt16 | Self::Fp16 | Self::Bf16 => Some(2),
            Self::Int32 | Self::UInt32 | Self::Fp32 => Some(4),
            Self::Int64 | Self::UInt64 | Self::Fp64 => Some(8),
            Self::Bytes => None,
        }
    }

    /// A number of which an element's address must be a multiple.
    pub(crate) fn alignment(self) -> usize {
        self.size().unwrap_or(1)
    }
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for DType {
    type Err = Error;

    /// Reads the protocol's name, in its upper case.
    ///
    /// # Errors
    /// [`Error::UnknownDType`] for any other text.
    fn from_str(name: &str) -> Result<Self, Error> {
        Self::ALL
            .into_iter()
            .find(|dtype| dtype.name() == name)
            .ok_or_else(|| Error::UnknownDType {
                found: name.to_owned(),
            })
    }
}

/// A Rust type that stands in a tensor as it is: the numbers from `i8` to `f64`.
///
/// It is sealed. Booleans, half precision and byte strings, which have no such type, go through constructors of
/// their own: [`Tensor::from_bools`](crate::Tensor::from_bools), [`Tensor::from_half_bits`](crate::Tensor::from_half_bits)
/// and [`Tensor::strings`](crate::Tensor::strings).
///
/// ```
/// use maas_core::{DType, Element};
/// assert_eq!(<f32 as Element>::DTYPE, DType::Fp32);
/// ```
pub trait Element: sealed::Sealed {
    /// The tensor type that this Rust type is.
    const DTYPE: DType;
}

mod sealed {
    pub trait Sealed: bytemuck::Pod + Send + Sync {}
}

macro_rules! elements {
    ($($rust:ty => $dtype:ident),* $(,)?) => {
        $(
            impl sealed::Sealed for $rust {}
            impl Element for $rust {
                const DTYPE: DType = DType::$dtype;
            }
        )*
    };
}

elements! {
    i8 => Int8, i16 => Int16, i32 => Int32, i64 => Int64,
    u8 => UInt8, u16 => UInt16, u32 => UInt32, u64 => UInt64,
    f32 => Fp32, f64 => Fp64,
}
