/// A numeric column of one of the types that networks compute with, borrowed and row-major.
///
/// ```
/// use maas_core::Values;
///
/// let values = Values::from(&[1_i32, 2, 3][..]);
/// assert_eq!(values.len(), 3);
/// assert!(values.as_i32().is_some());
/// assert!(values.as_f32().is_none());
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Values<'a> {
    /// Single-precision numbers.
    F32(&'a [f32]),
    /// Integers, such as the ids that an embedding looks up.
    I32(&'a [i32]),
}

impl<'a> Values<'a> {
    /// How many values there are.
    ///
    /// ```
    /// assert_eq!(maas_core::Values::F32(&[1.0, 2.0]).len(), 2);
    /// ```
    pub fn len(self) -> usize {
        match self {
            Self::F32(values) => values.len(),
            Self::I32(values) => values.len(),
        }
    }

    /// Whether there are none.
    ///
    /// ```
    /// assert!(maas_core::Values::F32(&[]).is_empty());
    /// ```
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The numbers, if they are single-precision.
    ///
    /// ```
    /// assert_eq!(maas_core::Values::F32(&[1.0]).as_f32(), Some(&[1.0][..]));
    /// ```
    pub fn as_f32(self) -> Option<&'a [f32]> {
        match self {
            Self::F32(values) => Some(values),
            Self::I32(_) => None,
        }
    }

    /// The integers, if they are.
    ///
    /// ```
    /// assert_eq!(maas_core::Values::I32(&[1]).as_i32(), Some(&[1][..]));
    /// ```
    pub fn as_i32(self) -> Option<&'a [i32]> {
        match self {
            Self::I32(values) => Some(values),
            Self::F32(_) => None,
        }
    }

    /// The values numbered `range`, or `None` when there are not as many.
    ///
    /// ```
    /// use maas_core::Values;
    /// assert_eq!(Values::I32(&[1, 2, 3]).slice(1..3), Some(Values::I32(&[2, 3])));
    /// ```
    pub fn slice(self, range: std::ops::Range<usize>) -> Option<Self> {
        match self {
            Self::F32(values) => values.get(range).map(Self::F32),
            Self::I32(values) => values.get(range).map(Self::I32),
        }
    }
}

impl<'a> From<&'a [f32]> for Values<'a> {
    fn from(values: &'a [f32]) -> Self {
        Self::F32(values)
    }
}

impl<'a> From<&'a [i32]> for Values<'a> {
    fn from(values: &'a [i32]) -> Self {
        Self::I32(values)
    }
}
