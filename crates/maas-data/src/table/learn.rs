use std::collections::{BTreeMap, BTreeSet};

use super::cells::Cells;
use super::encoding::{Column, ColumnKind, Encoding, Fill, TargetColumns};
use super::missing::Marks;
use super::number::number;
use super::recipe::{Kind, Recipe};
use crate::{Error, Missing, Target};

/// Learns an [`Encoding`] from rows, part by part.
pub(super) struct Learner {
    marks: Marks,
    columns: Vec<Learnt>,
    target: Target,
    /// The columns of the targets and of the weight, and whether one that is missing drops its row.
    others: Vec<usize>,
    weights: Option<String>,
    drop_targets: bool,
    classes: BTreeSet<String>,
}

struct Learnt {
    index: usize,
    name: String,
    kind: Kind,
    rule: Missing,
    sum: f64,
    count: u64,
    values: Vec<f32>,
    /// By the order of the numbers, how often each occurs.
    numbers: BTreeMap<u32, u64>,
    /// How often each category occurs.
    texts: BTreeMap<String, u64>,
}

impl Learner {
    pub(super) fn new(names: &[String], recipe: &Recipe, target: Target) -> Result<Self, Error> {
        target.check()?;
        let targets = target
            .names()
            .iter()
            .map(|name| recipe.column(names, name))
            .collect::<Result<Vec<usize>, _>>()?;
        let others: Vec<usize> = targets.iter().copied().chain(recipe.weights).collect();
        let columns: Vec<Learnt> = recipe
            .selected
            .iter()
            .filter(|column| !others.contains(column))
            .map(|&index| Learnt::new(index, names, recipe))
            .collect::<Result<_, _>>()?;
        if columns.is_empty() {
            return Err(Error::NoInputs);
        }
        Ok(Self {
            marks: recipe.marks.clone(),
            columns,
            target,
            weights: recipe.weights.map(|column| names[column].clone()),
            drop_targets: others
                .iter()
                .any(|&column| *recipe.rule(column) == Missing::Drop),
            others,
            classes: BTreeSet::new(),
        })
    }

    /// Whether the rows themselves have to be looked at.
    pub(super) fn needs_rows(&self) -> bool {
        self.target.needs_rows() || self.columns.iter().any(Learnt::needs_rows)
    }

    /// Looks at some rows and says how many of them are not dropped.
    pub(super) fn observe(&mut self, cells: &Cells) -> Result<u64, Error> {
        let mut kept = 0;
        for row in 0..cells.rows() {
            let missing = |column: usize| self.marks.is_missing(cells.cell(row, column));
            let mut columns = self.columns.iter();
            if columns.any(|column| column.rule == Missing::Drop && missing(column.index))
                || (self.drop_targets && self.others.iter().any(|&column| missing(column)))
            {
                continue;
            }
            kept += 1;
            if self.target.needs_rows() && !missing(self.others[0]) {
                insert(&mut self.classes, cells.cell(row, self.others[0]));
            }
            for column in self.columns.iter_mut().filter(|column| column.needs_rows()) {
                if !missing(column.index) {
                    column.observe(cells.cell(row, column.index), cells.line(row))?;
                }
            }
        }
        Ok(kept)
    }

    pub(super) fn finish(self) -> Result<Encoding, Error> {
        let classes = in_order(self.classes);
        Ok(Encoding {
            marks: self.marks,
            columns: self
                .columns
                .into_iter()
                .map(Learnt::finish)
                .collect::<Result<_, _>>()?,
            target: match self.target {
                Target::Values(names) => TargetColumns::Values(names),
                Target::Classes {
                    name,
                    classes: None,
                } => TargetColumns::Classes {
                    name,
                    count: classes.len(),
                    labels: Some(classes),
                },
                Target::Classes {
                    name,
                    classes: Some(classes),
                } => TargetColumns::Classes {
                    name,
                    count: classes.count(),
                    labels: classes.into_labels(),
                },
                Target::Unknown => TargetColumns::Unknown,
            },
            weights: self.weights,
            drop_targets: self.drop_targets,
        })
    }
}

impl Learnt {
    fn new(index: usize, names: &[String], recipe: &Recipe) -> Result<Self, Error> {
        let (name, rule) = (names[index].clone(), recipe.rule(index).clone());
        let kind = recipe.kinds[index].clone();
        match (&kind, &rule) {
            (Kind::Number, Missing::Constant(text))
                if text.parse().map_or(true, |value: f32| !value.is_finite()) =>
            {
                Err(Error::FillValue {
                    column: name,
                    found: text.clone(),
                })
            }
            (Kind::Number, _) => Ok(()),
            (_, Missing::Mean | Missing::Median) => Err(Error::NoStatistic {
                column: name,
                rule: rule.name(),
            }),
            _ => Ok(()),
        }
        .map(|()| Self {
            index,
            name: names[index].clone(),
            kind,
            rule,
            sum: 0.0,
            count: 0,
            values: Vec::new(),
            numbers: BTreeMap::new(),
            texts: BTreeMap::new(),
        })
    }

    fn needs_rows(&self) -> bool {
        let of_rule = matches!(
            self.rule,
            Missing::Mean | Missing::Median | Missing::MostFrequent
        );
        of_rule || self.kind.needs_rows()
    }

    fn observe(&mut self, text: &str, line: u64) -> Result<(), Error> {
        if self.kind != Kind::Number {
            match self.texts.get_mut(text) {
                Some(count) => *count += 1,
                None => {
                    self.texts.insert(text.to_owned(), 1);
                }
            }
            return Ok(());
        }
        let number = number(text, || (line, self.name.clone()))?;
        self.count += 1;
        match self.rule {
            Missing::Median => self.values.push(number),
            Missing::MostFrequent => *self.numbers.entry(ordered(number)).or_insert(0) += 1,
            _ => self.sum += f64::from(number),
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Column, Error> {
        let nothing = || Error::NothingToLearn {
            column: self.name.clone(),
        };
        let missing = match (&self.rule, &self.kind) {
            (Missing::Refuse, _) => Fill::Refuse,
            (Missing::Drop, _) => Fill::Drop,
            (Missing::Constant(text), Kind::Number) => {
                Fill::Number(text.parse().map_err(|_| nothing())?)
            }
            (Missing::Constant(text), _) => Fill::Category(text.clone()),
            (Missing::Mean, _) if self.count > 0 => {
                Fill::Number((self.sum / self.count as f64) as f32)
            }
            (Missing::Median, _) if self.count > 0 => Fill::Number(median(&mut self.values)),
            (Missing::MostFrequent, Kind::Number) => {
                let most = most_frequent(&self.numbers).copied();
                Fill::Number(unordered(most.ok_or_else(nothing)?))
            }
            (Missing::MostFrequent, _) => {
                Fill::Category(most_frequent(&self.texts).ok_or_else(nothing)?.clone())
            }
            _ => return Err(nothing()),
        };
        let mut learnt: BTreeSet<String> = self.texts.into_keys().collect();
        if let Fill::Category(fill) = &missing {
            learnt.insert(fill.clone());
        }
        let categories = |given: Option<Vec<String>>| given.unwrap_or_else(|| in_order(learnt));
        let kind = match self.kind {
            Kind::Number => ColumnKind::Number,
            Kind::OneHot(given) => ColumnKind::OneHot(categories(given)),
            Kind::Ordinal(given) => ColumnKind::Ordinal(categories(given)),
            Kind::Ids(given) => ColumnKind::Ids(categories(given)),
        };
        match (kind.categories(), &missing) {
            (Some([]), _) => Err(Error::NothingToLearn { column: self.name }),
            (Some(known), Fill::Category(fill)) if !known.contains(fill) => Err(Error::FillValue {
                column: self.name,
                found: fill.clone(),
            }),
            _ => Ok(Column {
                name: self.name,
                kind,
                missing,
            }),
        }
    }
}

/// In numerical order when all are integers, else in the order of their characters.
fn in_order(texts: BTreeSet<String>) -> Vec<String> {
    let numbers: Result<Vec<i64>, _> = texts.iter().map(|text| text.parse()).collect();
    match numbers {
        Ok(numbers) => {
            let mut numbered: Vec<(i64, String)> = numbers.into_iter().zip(texts).collect();
            numbered.sort_unstable();
            numbered.into_iter().map(|(_, text)| text).collect()
        }
        Err(_) => texts.into_iter().collect(),
    }
}

fn insert(texts: &mut BTreeSet<String>, text: &str) {
    if !texts.contains(text) {
        texts.insert(text.to_owned());
    }
}

/// The first in order of those that occur most often.
fn most_frequent<K: Ord>(counts: &BTreeMap<K, u64>) -> Option<&K> {
    let most = counts.values().max()?;
    counts
        .iter()
        .find(|&(_, count)| count == most)
        .map(|(key, _)| key)
}

/// The lower and the upper half meet in it. There is at least one value.
fn median(values: &mut [f32]) -> f32 {
    let half = values.len() / 2;
    let even = values.len().is_multiple_of(2);
    let (below, &mut upper, _) = values.select_nth_unstable_by(half, f32::total_cmp);
    match below.iter().copied().max_by(f32::total_cmp) {
        Some(lower) if even => ((f64::from(lower) + f64::from(upper)) / 2.0) as f32,
        _ => upper,
    }
}

/// Integers in the order of the numbers; both zeros are one.
fn ordered(number: f32) -> u32 {
    let bits = (number + 0.0).to_bits();
    if bits >> 31 == 0 {
        bits | 1 << 31
    } else {
        !bits
    }
}

fn unordered(ordered: u32) -> f32 {
    f32::from_bits(if ordered >> 31 == 1 {
        ordered & !(1 << 31)
    } else {
        !ordered
    })
}
