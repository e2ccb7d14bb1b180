//! What normalisations need: sums over columns around their means, and maps by column and by row.

mod columns;
mod rows;
mod sums;

/// Checks that `len` floats are rows of `columns`, and says how many rows.
#[track_caller]
fn rows_of(len: usize, columns: usize) -> usize {
    if columns == 0 {
        assert_eq!(len, 0, "values without columns");
        return 0;
    }
    assert_eq!(len % columns, 0, "a part of a row");
    len / columns
}
