use std::collections::HashMap;

use super::cells::Cells;
use super::encoding::{Column, ColumnKind, Encoding, Fill, TargetColumns};
use super::number::number;
use crate::{Classes, Dataset, Error, Input, Targets};

/// An encoding on its way through some rows.
pub(super) struct Encoder<'a> {
    encoding: &'a Encoding,
    cells: &'a Cells,
    /// Where the columns are, and the numbers of their categories.
    columns: Vec<(usize, HashMap<&'a str, usize>)>,
    targets: Vec<usize>,
    classes: HashMap<&'a str, usize>,
    weights: Option<usize>,
    /// Whether a mark may look like a number.
    numeric_marks: bool,
}

impl<'a> Encoder<'a> {
    pub(super) fn new(encoding: &'a Encoding, cells: &'a Cells) -> Result<Self, Error> {
        let find = |name: &str| find(cells.names(), name);
        let numbered = |texts: &'a [String]| texts.iter().map(String::as_str).zip(0..).collect();
        let columns = encoding.columns.iter().map(|column| {
            let categories = numbered(column.kind.categories().unwrap_or_default());
            Ok::<_, Error>((find(&column.name)?, categories))
        });
        let (targets, labels) = match &encoding.target {
            TargetColumns::Values(names) => (names.as_slice(), None),
            TargetColumns::Classes { name, labels, .. } => {
                (std::slice::from_ref(name), labels.as_deref())
            }
            TargetColumns::Unknown => (&[][..], None),
        };
        Ok(Self {
            encoding,
            cells,
            columns: columns.collect::<Result<_, _>>()?,
            targets: targets
                .iter()
                .map(|name| find(name))
                .collect::<Result<_, _>>()?,
            classes: numbered(labels.unwrap_or_default()),
            weights: encoding.weights.as_deref().map(find).transpose()?,
            numeric_marks: encoding.marks.any_number(),
        })
    }

    pub(super) fn encode(&self) -> Result<Option<Dataset>, Error> {
        let encoding = self.encoding;
        let names = encoding.feature_names();
        let rows: Vec<usize> = (0..self.cells.rows())
            .filter(|&row| !self.is_dropped(row))
            .collect();
        if rows.is_empty() {
            return Ok(None);
        }
        let mut x = memory(rows.len(), names.len())?;
        for &row in &rows {
            self.append_row(row, &mut x)?;
        }
        let mut inputs = Vec::new();
        if !names.is_empty() {
            inputs.push(Input::new("x", &[names.len()], x)?);
        }
        for (column, (index, categories)) in encoding.columns.iter().zip(&self.columns) {
            if let ColumnKind::Ids(_) = column.kind {
                let id = |&row: &usize| Ok(self.category(row, *index, column, categories)? as i32);
                let ids = rows.iter().map(id).collect::<Result<Vec<i32>, Error>>()?;
                inputs.push(Input::new(column.name.as_str(), &[1], ids)?);
            }
        }
        if inputs.is_empty() {
            return Err(Error::NoInputs);
        }
        let data = Dataset::from_inputs(inputs, self.target_values(&rows)?)?;
        let data = match &encoding.target {
            TargetColumns::Values(targets) => data.named(names, targets.iter().cloned())?,
            TargetColumns::Classes {
                name,
                count,
                labels,
            } => {
                let classes = labels.clone().map_or(Classes::from(*count), Classes::from);
                data.named(names, [name.clone()])?.with_classes(classes)?
            }
            TargetColumns::Unknown => data.named(names, [] as [String; 0])?,
        };
        match self.weights {
            None => Ok(Some(data)),
            Some(column) => {
                let weights = rows.iter().map(|&row| self.number(row, column));
                data.with_weights(weights.collect::<Result<_, _>>()?)
                    .map(Some)
            }
        }
    }

    fn is_dropped(&self, row: usize) -> bool {
        let encoding = self.encoding;
        let missing = |column: usize| encoding.marks.is_missing(self.cells.cell(row, column));
        let mut inputs = encoding.columns.iter().zip(&self.columns);
        inputs.any(|(column, &(index, _))| column.missing == Fill::Drop && missing(index))
            || (encoding.drop_targets
                && self
                    .targets
                    .iter()
                    .chain(&self.weights)
                    .any(|&column| missing(column)))
    }

    fn append_row(&self, row: usize, x: &mut Vec<f32>) -> Result<(), Error> {
        for (column, (index, categories)) in self.encoding.columns.iter().zip(&self.columns) {
            match &column.kind {
                ColumnKind::Number => x.push(self.number_or(row, *index, &column.missing)?),
                ColumnKind::Ordinal(_) => {
                    x.push(self.category(row, *index, column, categories)? as f32);
                }
                ColumnKind::OneHot(all) => {
                    let start = x.len();
                    x.resize(start + all.len(), 0.0);
                    x[start + self.category(row, *index, column, categories)?] = 1.0;
                }
                ColumnKind::Ids(_) => {}
            }
        }
        Ok(())
    }

    fn number_or(&self, row: usize, column: usize, fill: &Fill) -> Result<f32, Error> {
        match *fill {
            Fill::Number(value) if self.encoding.marks.is_missing(self.cells.cell(row, column)) => {
                Ok(value)
            }
            _ => self.number(row, column),
        }
    }

    fn number(&self, row: usize, column: usize) -> Result<f32, Error> {
        let text = self.cells.cell(row, column);
        let missing = || self.encoding.marks.is_missing(text);
        if self.numeric_marks && missing() {
            return Err(self.missing(row, column));
        }
        number(text, || self.at(row, column)).map_err(|error| {
            if missing() {
                self.missing(row, column)
            } else {
                error
            }
        })
    }

    fn category(
        &self,
        row: usize,
        index: usize,
        column: &Column,
        categories: &HashMap<&str, usize>,
    ) -> Result<usize, Error> {
        let mut text = self.cells.cell(row, index);
        if self.encoding.marks.is_missing(text) {
            match &column.missing {
                Fill::Category(fill) => text = fill,
                _ => return Err(self.missing(row, index)),
            }
        }
        categories.get(text).copied().ok_or_else(|| {
            let known = column.kind.categories().unwrap_or_default();
            self.unknown(row, index, text, known.to_vec())
        })
    }

    fn target_values(&self, rows: &[usize]) -> Result<Targets, Error> {
        match &self.encoding.target {
            TargetColumns::Unknown => Ok(Targets::Unknown { rows: rows.len() }),
            TargetColumns::Values(names) => {
                let mut data = memory(rows.len(), names.len())?;
                for &row in rows {
                    for &column in &self.targets {
                        data.push(self.number(row, column)?);
                    }
                }
                Ok(Targets::Values {
                    width: names.len(),
                    data,
                })
            }
            TargetColumns::Classes { count, labels, .. } => {
                let label = |&row: &usize| self.class(row, *count, labels.as_deref());
                Ok(Targets::Labels {
                    classes: *count,
                    data: rows.iter().map(label).collect::<Result<_, _>>()?,
                })
            }
        }
    }

    fn class(&self, row: usize, count: usize, labels: Option<&[String]>) -> Result<u32, Error> {
        let column = self.targets[0];
        let text = self.cells.cell(row, column);
        if self.encoding.marks.is_missing(text) {
            return Err(self.missing(row, column));
        }
        let number = match labels {
            Some(_) => self.classes.get(text).copied(),
            None => text.parse().ok().filter(|&class: &usize| class < count),
        };
        let number = number.and_then(|number| u32::try_from(number).ok());
        number.ok_or_else(|| {
            let known = labels.map(<[String]>::to_vec);
            let range = || vec![format!("0 to {}", count.saturating_sub(1))];
            self.unknown(row, column, text, known.unwrap_or_else(range))
        })
    }

    fn at(&self, row: usize, column: usize) -> (u64, String) {
        (self.cells.line(row), self.cells.names()[column].clone())
    }

    fn missing(&self, row: usize, column: usize) -> Error {
        let (line, column_name) = self.at(row, column);
        Error::MissingValue {
            line,
            column: column_name,
            found: self.cells.cell(row, column).to_owned(),
        }
    }

    fn unknown(&self, row: usize, column: usize, text: &str, classes: Vec<String>) -> Error {
        let (line, column) = self.at(row, column);
        Error::UnknownClass {
            line,
            column,
            found: text.to_owned(),
            classes,
        }
    }
}

fn find(names: &[String], name: &str) -> Result<usize, Error> {
    names
        .iter()
        .position(|found| found == name)
        .ok_or_else(|| Error::NoSuchColumn {
            found: name.to_owned(),
            columns: names.to_vec(),
        })
}

/// Memory for so many numbers, or an error instead of an end of the process.
fn memory(rows: usize, width: usize) -> Result<Vec<f32>, Error> {
    let mut numbers = Vec::new();
    rows.checked_mul(width)
        .and_then(|count| numbers.try_reserve_exact(count).ok())
        .ok_or(Error::Memory { rows, width })?;
    Ok(numbers)
}
