use std::fmt;

use serde::{Deserialize, Serialize};

/// The lengths of a tensor's dimensions, slowest first; a scalar has none.
///
/// ```
/// use maas_core::Shape;
///
/// let shape = Shape::from([3, 4]);
/// assert_eq!(shape.elements(), Some(12));
/// assert_eq!(shape.to_string(), "[3, 4]");
/// assert_eq!(Shape::from([usize::MAX, 2]).elements(), None);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Shape(Vec<usize>);

impl Shape {
    /// The lengths, slowest dimension first.
    ///
    /// ```
    /// assert_eq!(maas_core::Shape::from([3, 4]).dims(), [3, 4]);
    /// ```
    pub fn dims(&self) -> &[usize] {
        &self.0
    }

    /// How many dimensions there are.
    ///
    /// ```
    /// assert_eq!(maas_core::Shape::from([3, 4]).rank(), 2);
    /// ```
    pub fn rank(&self) -> usize {
        self.0.len()
    }

    /// The product of the lengths, or `None` when the lengths that are not zero multiply to more than `isize::MAX`.
    ///
    /// A shape with a zero has no elements, yet its other lengths must be sane: strides are products of them.
    ///
    /// ```
    /// use maas_core::Shape;
    /// assert_eq!(Shape::from([0, 11]).elements(), Some(0));
    /// assert_eq!(Shape::from([]).elements(), Some(1));
    /// assert_eq!(Shape::from([0, usize::MAX, 3]).elements(), None);
    /// ```
    pub fn elements(&self) -> Option<usize> {
        elements(&self.0)
    }
}

/// [`Shape::elements`] of borrowed lengths.
pub(crate) fn elements(dims: &[usize]) -> Option<usize> {
    let product = dims
        .iter()
        .filter(|&&length| length != 0)
        .try_fold(1_usize, |product, &length| product.checked_mul(length))?;
    if product > isize::MAX.unsigned_abs() {
        return None;
    }
    Some(if dims.contains(&0) { 0 } else { product })
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.0).finish()
    }
}

impl From<Vec<usize>> for Shape {
    fn from(dims: Vec<usize>) -> Self {
        Self(dims)
    }
}

impl From<&[usize]> for Shape {
    fn from(dims: &[usize]) -> Self {
        Self(dims.to_vec())
    }
}

impl<const N: usize> From<[usize; N]> for Shape {
    fn from(dims: [usize; N]) -> Self {
        Self(dims.to_vec())
    }
}

impl<const N: usize> From<&[usize; N]> for Shape {
    fn from(dims: &[usize; N]) -> Self {
        Self(dims.to_vec())
    }
}

impl From<&Self> for Shape {
    fn from(shape: &Self) -> Self {
        shape.clone()
    }
}

impl AsRef<[usize]> for Shape {
    fn as_ref(&self) -> &[usize] {
        &self.0
    }
}
