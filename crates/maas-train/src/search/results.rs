//! What came of it.

use std::fmt;

use maas_core::Seed;
use serde::{Deserialize, Serialize};

use super::Setting;
use crate::Goal;

/// What all trials of a search came to, in their order. It prints as a table, the best first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SearchResults {
    /// Which way figures are better.
    pub goal: Goal,
    /// One a trial.
    pub trials: Vec<TrialResult>,
}

/// What a trial came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TrialResult {
    /// Its number, from 0.
    pub number: usize,
    /// Its seed.
    pub seed: Seed,
    /// Its settings, in the order of the space.
    pub settings: Vec<(String, Setting)>,
    /// Its figure, or what went wrong.
    pub outcome: Outcome,
}

/// A figure, or what went wrong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Outcome {
    /// What the closure answered.
    Figure(f64),
    /// Its error, with causes, or the message of its panic.
    Failed(String),
}

impl TrialResult {
    /// The figure, where there is one.
    #[must_use]
    pub fn figure(&self) -> Option<f64> {
        match self.outcome {
            Outcome::Figure(figure) => Some(figure),
            Outcome::Failed(_) => None,
        }
    }
}

impl SearchResults {
    /// The trial with the best figure, the first of several; `None` where none has one that is a number.
    #[must_use]
    pub fn best(&self) -> Option<&TrialResult> {
        self.ranked()
            .into_iter()
            .next()
            .filter(|trial| trial.figure().is_some_and(|figure| !figure.is_nan()))
    }

    /// All trials, the best first; those that failed, and those whose figure is not a number, last.
    #[must_use]
    pub fn ranked(&self) -> Vec<&TrialResult> {
        let mut trials: Vec<&TrialResult> = self.trials.iter().collect();
        trials.sort_by(|a, b| {
            let (a, b) = (a.key(), b.key());
            let figures = match self.goal {
                Goal::Minimize => a.1.total_cmp(&b.1),
                Goal::Maximize => b.1.total_cmp(&a.1),
            };
            a.0.cmp(&b.0).then(figures)
        });
        trials
    }
}

impl TrialResult {
    fn key(&self) -> (u8, f64) {
        match self.outcome {
            Outcome::Figure(figure) if !figure.is_nan() => (0, figure),
            Outcome::Figure(_) => (1, 0.0),
            Outcome::Failed(_) => (2, 0.0),
        }
    }
}

impl fmt::Display for SearchResults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows = vec![vec!["trial".to_owned()]];
        if let Some(first) = self.trials.first() {
            rows[0].extend(first.settings.iter().map(|(name, _)| name.clone()));
        }
        rows[0].push("figure".to_owned());
        for trial in self.ranked() {
            let mut row = vec![trial.number.to_string()];
            row.extend(
                trial
                    .settings
                    .iter()
                    .map(|(_, setting)| setting.to_string()),
            );
            row.push(match &trial.outcome {
                Outcome::Figure(figure) => Setting::Number(*figure).to_string(),
                Outcome::Failed(error) => error.clone(),
            });
            rows.push(row);
        }
        let columns = rows[0].len();
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
        let widths: Vec<usize> = (0..columns)
            .map(|column| width(column).unwrap_or(0))
            .collect();
        for (index, row) in rows.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            for (column, (cell, &width)) in row.iter().zip(&widths).enumerate() {
                if column + 1 == columns {
                    write!(f, "{cell}")?;
                } else {
                    write!(f, "{cell:>width$}  ")?;
                }
            }
        }
        Ok(())
    }
}
