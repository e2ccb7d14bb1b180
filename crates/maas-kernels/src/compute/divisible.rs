use std::ops::Range;

/// Data that can be cut in two: what [`Compute::split`](crate::Compute::split) hands out in parts.
///
/// Slices are cut between elements, [`Chunks`] between chunks, and a tuple wherever its members are. A structure of your
/// own is cut by cutting its fields.
///
/// ```
/// use maas_kernels::Divisible;
///
/// let mut sums = [0.0; 4];
/// let (left, right) = (&[1.0, 2.0, 3.0, 4.0][..], &mut sums[..]).divide(3);
/// assert_eq!((left.0.len(), right.1.len()), (3, 1));
/// ```
pub trait Divisible: Sized + Send {
    /// How many units there are: elements, chunks, or whatever the data are cut between.
    fn units(&self) -> usize;

    /// The first `at` units, and the rest.
    fn divide(self, at: usize) -> (Self, Self);
}

impl<T: Sync> Divisible for &[T] {
    fn units(&self) -> usize {
        self.len()
    }

    fn divide(self, at: usize) -> (Self, Self) {
        self.split_at(at)
    }
}

impl<T: Send> Divisible for &mut [T] {
    fn units(&self) -> usize {
        self.len()
    }

    fn divide(self, at: usize) -> (Self, Self) {
        self.split_at_mut(at)
    }
}

/// Numbers to tell parts where they lie: of rows, of columns, of blocks.
impl Divisible for Range<usize> {
    fn units(&self) -> usize {
        self.len()
    }

    fn divide(self, at: usize) -> (Self, Self) {
        let middle = self.start + at;
        (self.start..middle, middle..self.end)
    }
}

/// Data in chunks of equal length, of which the last may be shorter: the rows of a matrix, the blocks of a sum.
///
/// ```
/// use maas_kernels::{Chunks, Divisible};
///
/// let rows = Chunks::new(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0][..], 2);
/// assert_eq!(rows.units(), 3);
/// let (first, rest) = rows.divide(1);
/// assert_eq!((first.data, rest.data.len()), (&[1.0, 2.0][..], 4));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Chunks<D> {
    /// All of them.
    pub data: D,
    /// Units of the data in a chunk.
    pub width: usize,
}

impl<D: Divisible> Chunks<D> {
    /// Chunks of `width` units.
    ///
    /// # Panics
    /// When `width` is 0.
    ///
    /// ```
    /// assert_eq!(maas_kernels::Chunks::new(&[1.0, 2.0][..], 2).width, 2);
    /// ```
    #[track_caller]
    pub fn new(data: D, width: usize) -> Self {
        assert!(width > 0, "chunks of nothing");
        Self { data, width }
    }
}

impl<D: Divisible> Divisible for Chunks<D> {
    fn units(&self) -> usize {
        self.data.units().div_ceil(self.width)
    }

    fn divide(self, at: usize) -> (Self, Self) {
        let width = self.width;
        let at = (at * width).min(self.data.units());
        let (first, rest) = self.data.divide(at);
        (Self { data: first, width }, Self { data: rest, width })
    }
}

macro_rules! tuple {
    ($($name:ident),+) => {
        impl<$($name: Divisible),+> Divisible for ($($name,)+) {
            #[track_caller]
            #[allow(non_snake_case)]
            fn units(&self) -> usize {
                let ($($name,)+) = self;
                let units = [$($name.units()),+];
                assert!(units.iter().all(|n| *n == units[0]), "parts of different lengths: {units:?}");
                units[0]
            }

            #[allow(non_snake_case)]
            fn divide(self, at: usize) -> (Self, Self) {
                let ($($name,)+) = self;
                $(let $name = $name.divide(at);)+
                (($($name.0,)+), ($($name.1,)+))
            }
        }
    };
}

tuple!(A, B);
tuple!(A, B, C);
tuple!(A, B, C, D);
tuple!(A, B, C, D, E);
