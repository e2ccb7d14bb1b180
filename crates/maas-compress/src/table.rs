//! Tables of text.

use std::fmt::{self, Write};

/// Rows of cells, the first of them the header.
pub(crate) type Rows = Vec<Vec<String>>;

pub(crate) fn markdown(rows: &Rows) -> String {
    let mut text = String::new();
    for (index, row) in rows.iter().enumerate() {
        let _ = writeln!(text, "| {} |", row.join(" | "));
        if index == 0 {
            let _ = writeln!(text, "|{}", " --- |".repeat(row.len()));
        }
    }
    text
}

/// For a terminal: columns as wide as they need to be; numbers, in all but the first and the last column, to the right.
pub(crate) fn aligned(f: &mut fmt::Formatter<'_>, rows: &Rows) -> fmt::Result {
    let columns = rows[0].len();
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for row in rows {
        let mut line = format!("{:<width$}", row[0], width = widths[0]);
        for (cell, &width) in row.iter().zip(&widths).skip(1) {
            let _ = write!(line, "   {cell:>width$}");
        }
        writeln!(f, "{}", line.trim_end())?;
    }
    Ok(())
}
