use super::missing::Marks;
use crate::{Error, Missing};

/// What is to be made of the columns of a table.
#[derive(Clone, Debug)]
pub(super) struct Recipe {
    /// Which columns are in use, in which order.
    pub(super) selected: Vec<usize>,
    /// Of every column, how it becomes numbers, and its own rule for missing values if it has one.
    pub(super) kinds: Vec<Kind>,
    pub(super) rules: Vec<Option<Missing>>,
    pub(super) missing: Missing,
    pub(super) marks: Marks,
    pub(super) weights: Option<usize>,
}

/// How a column becomes numbers; its categories, if the user gave them.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    Number,
    OneHot(Option<Vec<String>>),
    Ordinal(Option<Vec<String>>),
    Ids(Option<Vec<String>>),
}

impl Recipe {
    pub(super) fn new(columns: usize) -> Self {
        Self {
            selected: (0..columns).collect(),
            kinds: vec![Kind::Number; columns],
            rules: vec![None; columns],
            missing: Missing::Refuse,
            marks: Marks::default(),
            weights: None,
        }
    }

    pub(super) fn rule(&self, column: usize) -> &Missing {
        let has_mean = self.kinds[column] == Kind::Number;
        match (&self.rules[column], &self.missing) {
            (None, Missing::Mean | Missing::Median) if !has_mean => &Missing::Refuse,
            (rule, missing) => rule.as_ref().unwrap_or(missing),
        }
    }

    /// The index of a column in use.
    pub(super) fn column(&self, names: &[String], name: &str) -> Result<usize, Error> {
        let mut selected = self.selected.iter().copied();
        selected
            .find(|&column| names[column] == name)
            .ok_or_else(|| Error::NoSuchColumn {
                found: name.to_owned(),
                columns: self
                    .selected
                    .iter()
                    .map(|&column| names[column].clone())
                    .collect(),
            })
    }
}

impl Kind {
    pub(super) fn needs_rows(&self) -> bool {
        matches!(
            self,
            Self::OneHot(None) | Self::Ordinal(None) | Self::Ids(None)
        )
    }
}
