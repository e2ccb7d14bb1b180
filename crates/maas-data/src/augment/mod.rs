mod random;

use std::fmt;
use std::sync::Arc;

use maas_core::Seed;

pub use random::RowRandom;

/// A change to the rows of a batch before a network learns from them: a shifted image, a masked word, a little noise.
///
/// It is a closure over one row of one input with random numbers of its own, so that the same row is changed in the
/// same way whatever batch it is in and however many threads work, and in another way in the next epoch. All inputs of
/// a row get the same numbers. The closure must leave finite numbers behind.
///
/// ```
/// use maas_core::Seed;
/// use maas_data::{Augmentation, RowRandom, RowValues};
///
/// // Images of two rows and two columns, mirrored half of the time.
/// let mirror = Augmentation::new(|row: &mut RowValues<'_>, random: &mut RowRandom| {
///     if random.chance(0.5) {
///         let columns = row.shape()[1];
///         row.numbers().chunks_exact_mut(columns).for_each(<[f32]>::reverse);
///     }
/// });
/// let mut batch = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0];
/// mirror.apply(0, &[2, 2], &mut batch, &[17, 18], Seed(7), 0);
/// assert!(batch[..4] == [1.0, 2.0, 3.0, 4.0] || batch[..4] == [2.0, 1.0, 4.0, 3.0]);
/// ```
#[derive(Clone)]
pub struct Augmentation(Arc<Change>);

type Change = dyn Fn(&mut RowValues<'_>, &mut RowRandom) + Send + Sync;

impl Augmentation {
    /// A change by this closure.
    ///
    /// ```
    /// use maas_data::Augmentation;
    /// let nothing = Augmentation::new(|_, _| {});
    /// # let _ = nothing;
    /// ```
    pub fn new(
        change: impl Fn(&mut RowValues<'_>, &mut RowRandom) + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(change))
    }

    /// This change, then another, which goes on with the random numbers of the first.
    ///
    /// ```
    /// # use {maas_core::Seed, maas_data::Augmentation};
    /// let twice = Augmentation::new(|row, _| row.numbers().iter_mut().for_each(|value| *value *= 2.0));
    /// let mut batch = [1.0, 2.0];
    /// twice.clone().then(twice).apply(0, &[1], &mut batch, &[0, 1], Seed(7), 0);
    /// assert_eq!(batch, [4.0, 8.0]);
    /// ```
    #[must_use]
    pub fn then(self, next: Self) -> Self {
        Self::new(move |row, random| {
            (self.0)(row, random);
            (next.0)(row, random);
        })
    }

    /// Changes rows of numbers that were gathered for a batch, in place: `values` holds the rows of these numbers in
    /// the data set, which `input` (counted from 0) has in this shape.
    ///
    /// # Panics
    /// When `values` are not that many rows of that shape.
    ///
    /// ```
    /// # use {maas_core::Seed, maas_data::Augmentation};
    /// let noise = Augmentation::new(|row, random| row.numbers().iter_mut().for_each(|value| *value += random.uniform()));
    /// let (mut one, mut two) = ([0.0; 2], [0.0; 2]);
    /// noise.apply(0, &[1], &mut one, &[3, 4], Seed(7), 0);
    /// noise.apply(0, &[1], &mut two, &[4, 3], Seed(7), 0);
    /// assert_eq!(one, [two[1], two[0]]);
    /// ```
    pub fn apply(
        &self,
        input: usize,
        shape: &[usize],
        values: &mut [f32],
        rows: &[u32],
        seed: Seed,
        epoch: u64,
    ) {
        self.each(input, shape, values, rows, seed, epoch, |values| {
            Row::Numbers(values)
        });
    }

    /// The same for an input of integers.
    ///
    /// # Panics
    /// As [`Augmentation::apply`].
    ///
    /// ```
    /// # use {maas_core::Seed, maas_data::Augmentation};
    /// let mask = Augmentation::new(|row, random| {
    ///     row.ids().iter_mut().for_each(|id| if random.chance(0.15) { *id = 0 });
    /// });
    /// let mut tokens = [5, 6, 7, 8];
    /// mask.apply_ids(0, &[4], &mut tokens, &[0], Seed(7), 0);
    /// ```
    pub fn apply_ids(
        &self,
        input: usize,
        shape: &[usize],
        ids: &mut [i32],
        rows: &[u32],
        seed: Seed,
        epoch: u64,
    ) {
        self.each(input, shape, ids, rows, seed, epoch, |ids| Row::Ids(ids));
    }

    #[expect(clippy::too_many_arguments, reason = "two callers, above")]
    fn each<T>(
        &self,
        input: usize,
        shape: &[usize],
        values: &mut [T],
        rows: &[u32],
        seed: Seed,
        epoch: u64,
        row_of: impl for<'a> Fn(&'a mut [T]) -> Row<'a>,
    ) {
        let width: usize = shape.iter().product();
        assert_eq!(
            values.len(),
            rows.len() * width,
            "values of {} rows of shape {shape:?}",
            rows.len()
        );
        for (values, &row) in values.chunks_exact_mut(width.max(1)).zip(rows) {
            let mut values = RowValues {
                input,
                shape,
                row: row_of(values),
            };
            (self.0)(
                &mut values,
                &mut RowRandom::new(seed, epoch, u64::from(row)),
            );
        }
    }
}

impl fmt::Debug for Augmentation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Augmentation").finish_non_exhaustive()
    }
}

/// The values that one row of a batch has in one input, to be changed by an [`Augmentation`].
///
/// ```
/// use maas_data::Augmentation;
/// let only_images = Augmentation::new(|row, _| {
///     if row.input() == 0 {
///         assert_eq!(row.shape(), [28, 28]);
///         row.numbers().fill(0.0);
///     }
/// });
/// # let _ = only_images;
/// ```
#[derive(Debug)]
pub struct RowValues<'a> {
    input: usize,
    shape: &'a [usize],
    row: Row<'a>,
}

#[derive(Debug)]
enum Row<'a> {
    Numbers(&'a mut [f32]),
    Ids(&'a mut [i32]),
}

impl RowValues<'_> {
    /// Which input it is, counted from 0.
    ///
    /// ```
    /// # use {maas_core::Seed, maas_data::Augmentation};
    /// Augmentation::new(|row, _| assert_eq!(row.input(), 3)).apply(3, &[1], &mut [0.0], &[0], Seed(7), 0);
    /// ```
    pub fn input(&self) -> usize {
        self.input
    }

    /// The shape of the row.
    ///
    /// ```
    /// # use {maas_core::Seed, maas_data::Augmentation};
    /// Augmentation::new(|row, _| assert_eq!(row.shape(), [2])).apply(0, &[2], &mut [0.0; 2], &[0], Seed(7), 0);
    /// ```
    pub fn shape(&self) -> &[usize] {
        self.shape
    }

    /// The row's numbers, row-major; none if the input is one of integers.
    ///
    /// ```
    /// # use {maas_core::Seed, maas_data::Augmentation};
    /// let mut batch = [1.0];
    /// Augmentation::new(|row, _| row.numbers()[0] = 5.0).apply(0, &[1], &mut batch, &[0], Seed(7), 0);
    /// assert_eq!(batch, [5.0]);
    /// ```
    pub fn numbers(&mut self) -> &mut [f32] {
        match &mut self.row {
            Row::Numbers(numbers) => numbers,
            Row::Ids(_) => &mut [],
        }
    }

    /// The row's integers, row-major; none if the input is one of numbers.
    ///
    /// ```
    /// # use {maas_core::Seed, maas_data::Augmentation};
    /// Augmentation::new(|row, _| assert!(row.ids().is_empty())).apply(0, &[1], &mut [0.0], &[0], Seed(7), 0);
    /// ```
    pub fn ids(&mut self) -> &mut [i32] {
        match &mut self.row {
            Row::Numbers(_) => &mut [],
            Row::Ids(ids) => ids,
        }
    }
}
