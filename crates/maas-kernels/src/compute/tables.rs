use std::fmt;
use std::marker::PhantomData;
use std::ops::Range;
use std::slice::{from_raw_parts, from_raw_parts_mut};

use super::Divisible;

/// Where row-major tables of as many rows lie in one slice, each from a multiple of 16 elements on.
///
/// ```
/// let layout = maas_kernels::TableLayout::new([3, 2], 8).expect("a slice may be as long");
/// assert_eq!(layout.elements(), 32 + 16);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableLayout {
    tables: Vec<Table>,
    most_rows: usize,
    elements: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Table {
    start: usize,
    width: usize,
}

impl TableLayout {
    /// Tables of these widths, each for at most so many rows. `None` where no slice could hold them.
    ///
    /// ```
    /// assert!(maas_kernels::TableLayout::new([2], usize::MAX).is_none());
    /// ```
    #[must_use]
    pub fn new(widths: impl IntoIterator<Item = usize>, most_rows: usize) -> Option<Self> {
        let (mut tables, mut elements) = (Vec::new(), 0_usize);
        for width in widths {
            tables.push(Table {
                start: elements,
                width,
            });
            let end = elements.checked_add(width.checked_mul(most_rows)?)?;
            elements = end.checked_next_multiple_of(16)?;
        }
        Some(Self {
            tables,
            most_rows,
            elements,
        })
    }

    /// The length of the slice.
    ///
    /// ```
    /// assert_eq!(maas_kernels::TableLayout::new([], 8).map(|layout| layout.elements()), Some(0));
    /// ```
    #[must_use]
    pub fn elements(&self) -> usize {
        self.elements
    }

    /// Where the first `rows` rows of a table lie, of each of which a value of this width takes the beginning: one row
    /// of the value behind the other.
    ///
    /// # Panics
    /// Where there is no such table, or it has less rows or a smaller width.
    ///
    /// ```
    /// let layout = maas_kernels::TableLayout::new([3, 2], 8).expect("a slice may be as long");
    /// assert_eq!(layout.range(1, 4, 2), 32..40);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn range(&self, table: usize, rows: usize, width: usize) -> Range<usize> {
        self.part(table, 0..rows, width)
    }

    #[track_caller]
    fn part(&self, table: usize, rows: Range<usize>, width: usize) -> Range<usize> {
        let Table { start, width: most } = self.tables[table];
        assert!(
            width <= most && rows.end <= self.most_rows,
            "{} rows of {width} in a table of {} rows of {most}",
            rows.end,
            self.most_rows
        );
        let first = start + rows.start * most;
        first..first + rows.len() * width
    }
}

/// Tables of as many rows in one slice, cut at the same row: what a part of the rows needs while others run elsewhere.
///
/// A table may hold values of several widths one after the other. The rows of a value lie one behind the other within a
/// part; the parts lie one behind the other where the value is as wide as its table.
///
/// ```
/// use maas_kernels::{Divisible, TableLayout, Tables};
///
/// let layout = TableLayout::new([2, 1], 4).expect("a slice may be as long");
/// let mut data = vec![0.0; layout.elements()];
/// let (mut top, mut bottom) = Tables::new(&mut data, &layout, 3).divide(2);
/// top.get_mut(0, 2).copy_from_slice(&[1.0, 2.0, 3.0, 4.0]);
/// bottom.get_mut(0, 2).copy_from_slice(&[5.0, 6.0]);
/// assert_eq!(data[layout.range(0, 3, 2)], [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
/// ```
pub struct Tables<'a, T> {
    data: *mut T,
    layout: &'a TableLayout,
    rows: Range<usize>,
    /// The table that is lent.
    without: Option<usize>,
    borrowed: PhantomData<&'a mut [T]>,
}

// SAFETY: tables are exclusive references to their rows.
unsafe impl<T: Send> Send for Tables<'_, T> {}
// SAFETY: a shared reference gives shared references to elements only.
unsafe impl<T: Sync> Sync for Tables<'_, T> {}

impl<'a, T> Tables<'a, T> {
    /// The first `rows` rows of the tables that lie in `data`.
    ///
    /// # Panics
    /// When the data are shorter than the layout, or the tables have less rows.
    #[must_use]
    #[track_caller]
    pub fn new(data: &'a mut [T], layout: &'a TableLayout, rows: usize) -> Self {
        assert!(
            data.len() >= layout.elements && rows <= layout.most_rows,
            "{rows} rows in {} elements, of a layout of {} rows in {}",
            data.len(),
            layout.most_rows,
            layout.elements
        );
        Self {
            data: data.as_mut_ptr(),
            layout,
            rows: 0..rows,
            without: None,
            borrowed: PhantomData,
        }
    }

    /// Which rows these are.
    ///
    /// ```
    /// # use maas_kernels::{Divisible, TableLayout, Tables};
    /// # let layout = TableLayout::new([1], 4).expect("a slice may be as long");
    /// # let mut data = vec![0.0; layout.elements()];
    /// let (_, bottom) = Tables::new(&mut data, &layout, 3).divide(2);
    /// assert_eq!(bottom.rows(), 2..3);
    /// ```
    #[must_use]
    pub fn rows(&self) -> Range<usize> {
        self.rows.clone()
    }

    /// The rows of a value of this width.
    ///
    /// # Panics
    /// Where there is no such table, its width is smaller, or it is lent.
    ///
    /// ```
    /// # use maas_kernels::{TableLayout, Tables};
    /// # let layout = TableLayout::new([2], 4).expect("a slice may be as long");
    /// let mut data = vec![1.0; layout.elements()];
    /// assert_eq!(Tables::new(&mut data, &layout, 3).get(0, 1), [1.0; 3]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn get(&self, table: usize, width: usize) -> &[T] {
        let range = self.range(table, width);
        // SAFETY: the range lies in the data, as `new` has asserted. Nobody else has these rows while the tables are
        // borrowed, and no one writes what is not lent while they are shared.
        unsafe { from_raw_parts(self.data.add(range.start), range.len()) }
    }

    /// [`get`](Self::get), to write.
    ///
    /// # Panics
    /// As [`get`](Self::get).
    ///
    /// ```
    /// # use maas_kernels::{TableLayout, Tables};
    /// # let layout = TableLayout::new([2], 4).expect("a slice may be as long");
    /// # let mut data = vec![1.0; layout.elements()];
    /// Tables::new(&mut data, &layout, 1).get_mut(0, 2).fill(2.0);
    /// assert_eq!(data[..3], [2.0, 2.0, 1.0]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn get_mut(&mut self, table: usize, width: usize) -> &mut [T] {
        let range = self.range(table, width);
        // SAFETY: as in `get`; the borrow is exclusive.
        unsafe { from_raw_parts_mut(self.data.add(range.start), range.len()) }
    }

    /// The same tables for a while.
    ///
    /// ```
    /// # use maas_kernels::{TableLayout, Tables};
    /// # let layout = TableLayout::new([1], 4).expect("a slice may be as long");
    /// # let mut data = vec![1.0; layout.elements()];
    /// let mut tables = Tables::new(&mut data, &layout, 4);
    /// drop(tables.reborrow());
    /// assert_eq!(tables.get(0, 1).len(), 4);
    /// ```
    #[must_use]
    pub fn reborrow(&mut self) -> Tables<'_, T> {
        Tables {
            data: self.data,
            layout: self.layout,
            rows: self.rows.clone(),
            without: self.without,
            borrowed: PhantomData,
        }
    }

    /// One table to write, and the others beside it.
    ///
    /// # Panics
    /// As [`get`](Self::get), or when another table is lent.
    ///
    /// ```
    /// # use maas_kernels::{TableLayout, Tables};
    /// # let layout = TableLayout::new([1, 1], 4).expect("a slice may be as long");
    /// # let mut data = vec![1.0; layout.elements()];
    /// let mut tables = Tables::new(&mut data, &layout, 4);
    /// let (y, others) = tables.lend(1, 1);
    /// y.copy_from_slice(others.get(0, 1));
    /// ```
    #[must_use]
    #[track_caller]
    pub fn lend(&mut self, table: usize, width: usize) -> (&mut [T], Tables<'_, T>) {
        assert!(self.without.is_none(), "one table is lent at a time");
        let (range, data) = (self.range(table, width), self.data);
        let mut others = self.reborrow();
        others.without = Some(table);
        // SAFETY: as in `get_mut`; the others do not give this table.
        let lent = unsafe { from_raw_parts_mut(data.add(range.start), range.len()) };
        (lent, others)
    }

    #[track_caller]
    fn range(&self, table: usize, width: usize) -> Range<usize> {
        assert!(self.without != Some(table), "table {table} is lent");
        self.layout.part(table, self.rows.clone(), width)
    }
}

impl<T: Send> Divisible for Tables<'_, T> {
    fn units(&self) -> usize {
        self.rows.len()
    }

    fn divide(self, at: usize) -> (Self, Self) {
        assert!(at <= self.rows.len(), "row {at} of {}", self.rows.len());
        let (top, bottom) = self.rows.clone().divide(at);
        let part = |rows| Self { rows, ..self };
        (part(top), part(bottom))
    }
}

impl<T> fmt::Debug for Tables<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tables")
            .field("layout", self.layout)
            .field("rows", &self.rows)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Every part writes its number everywhere, and finds it: no two parts or tables share an element.
        #[test]
        fn parts_and_tables_are_disjoint(
            widths in proptest::collection::vec(0..5_usize, 1..5),
            rows in 0..12_usize,
            cut in 0..12_usize,
        ) {
            let layout = TableLayout::new(widths.iter().copied(), 12).unwrap();
            let mut data = vec![0; layout.elements()];
            let (mut top, mut bottom) = Tables::new(&mut data, &layout, rows).divide(cut.min(rows));
            for (part, tables) in [&mut top, &mut bottom].into_iter().enumerate() {
                for (table, &width) in widths.iter().enumerate() {
                    let (lent, others) = tables.lend(table, width);
                    lent.fill(1 + 2 * table + part);
                    for (other, &width) in widths.iter().enumerate().take(table) {
                        prop_assert!(others.get(other, width).iter().all(|&x| x == 1 + 2 * other + part));
                    }
                }
            }
            for (table, &width) in widths.iter().enumerate() {
                let whole = &data[layout.range(table, rows, width)];
                let (a, b) = whole.split_at(cut.min(rows) * width);
                prop_assert!(a.iter().all(|&x| x == 1 + 2 * table));
                prop_assert!(b.iter().all(|&x| x == 2 + 2 * table));
            }
        }
    }

    #[test]
    #[should_panic(expected = "table 0 is lent")]
    fn what_is_lent_is_not_given() {
        let layout = TableLayout::new([1], 1).unwrap();
        let _ = Tables::new(&mut [0; 16], &layout, 1).lend(0, 1).1.get(0, 1);
    }

    #[test]
    #[should_panic(expected = "2 rows in 16 elements")]
    fn more_rows_than_there_are_is_refused() {
        let layout = TableLayout::new([1], 1).unwrap();
        let _ = Tables::new(&mut [0; 16], &layout, 2);
    }
}
