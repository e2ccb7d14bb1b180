use std::fmt;
use std::hash::{Hash, Hasher};

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
#[derive(Clone, Serialize, Deserialize)]
#[serde(from = "Vec<usize>", into = "Vec<usize>")]
pub struct Shape(Dims);

/// Shapes of few dimensions, which almost all are, take no memory elsewhere.
#[derive(Clone)]
enum Dims {
    Few { lengths: [usize; FEW], rank: usize },
    Many(Vec<usize>),
}

const FEW: usize = 4;

impl Shape {
    /// The lengths, slowest dimension first.
    ///
    /// ```
    /// assert_eq!(maas_core::Shape::from([3, 4]).dims(), [3, 4]);
    /// ```
    pub fn dims(&self) -> &[usize] {
        match &self.0 {
            Dims::Few { lengths, rank } => &lengths[..*rank],
            Dims::Many(lengths) => lengths,
        }
    }

    /// How many dimensions there are.
    ///
    /// ```
    /// assert_eq!(maas_core::Shape::from([3, 4]).rank(), 2);
    /// ```
    pub fn rank(&self) -> usize {
        self.dims().len()
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
        elements(self.dims())
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
        f.debug_list().entries(self.dims()).finish()
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Shape").field(&self.dims()).finish()
    }
}

/// That of a scalar.
impl Default for Shape {
    fn default() -> Self {
        Self::from([])
    }
}

impl PartialEq for Shape {
    fn eq(&self, other: &Self) -> bool {
        self.dims() == other.dims()
    }
}

impl Eq for Shape {}

impl Hash for Shape {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.dims().hash(state);
    }
}

impl From<&[usize]> for Shape {
    fn from(dims: &[usize]) -> Self {
        let mut lengths = [0; FEW];
        Self(match lengths.get_mut(..dims.len()) {
            Some(first) => {
                first.copy_from_slice(dims);
                let rank = dims.len();
                Dims::Few { lengths, rank }
            }
            None => Dims::Many(dims.to_vec()),
        })
    }
}

impl From<Vec<usize>> for Shape {
    fn from(dims: Vec<usize>) -> Self {
        Self::from(&*dims)
    }
}

impl From<Shape> for Vec<usize> {
    fn from(shape: Shape) -> Self {
        shape.dims().to_vec()
    }
}

impl<const N: usize> From<[usize; N]> for Shape {
    fn from(dims: [usize; N]) -> Self {
        Self::from(&dims[..])
    }
}

impl<const N: usize> From<&[usize; N]> for Shape {
    fn from(dims: &[usize; N]) -> Self {
        Self::from(&dims[..])
    }
}

impl From<&Self> for Shape {
    fn from(shape: &Self) -> Self {
        shape.clone()
    }
}

impl AsRef<[usize]> for Shape {
    fn as_ref(&self) -> &[usize] {
        self.dims()
    }
}

#[cfg(test)]
mod tests {
    use super::Shape;

    #[test]
    fn few_and_many_dimensions_are_alike() {
        for rank in 0..9 {
            let lengths: Vec<usize> = (1..=rank).collect();
            let shape = Shape::from(&*lengths);
            assert_eq!((shape.dims(), shape.rank()), (&*lengths, rank));
            assert_eq!(shape, Shape::from(lengths.clone()));
            assert_ne!(shape, Shape::from([lengths.clone(), vec![0]].concat()));
            assert_eq!(Vec::from(shape), lengths);
        }
    }
}
