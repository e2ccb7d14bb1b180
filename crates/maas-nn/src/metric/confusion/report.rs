use std::fmt;

use serde::{Deserialize, Serialize};

use super::{ConfusionMatrix, table};

/// How well a class is told from the others, or an average over classes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ClassFigures {
    /// The share of what was predicted that is right; 0 where nothing was predicted.
    pub precision: f64,
    /// The share of what there is that was found; 0 where there is nothing.
    pub recall: f64,
    /// The harmonic mean of both; 0 where there is neither.
    pub f1: f64,
    /// How many rows of the class there are.
    pub support: u64,
    /// How many rows were taken for it.
    pub predicted: u64,
}

/// Precision, recall, F1 and support of every class with their averages: scikit-learn's `classification_report`.
///
/// A class that neither occurs nor is predicted does not enter averages.
///
/// ```
/// use maas_nn::metric::ConfusionMatrix;
///
/// let matrix = ConfusionMatrix::from_labels(2, &[0, 0, 0, 1], &[0, 0, 1, 1])?.names(["benign", "malignant"])?;
/// assert_eq!(
///     matrix.report().to_string(),
///     "\
/// \x20                 precision  recall      f1  support
/// benign               1.0000  0.6667  0.8000        3
/// malignant            0.5000  1.0000  0.6667        1
/// accuracy                             0.7500        4
/// macro average        0.7500  0.8333  0.7333        4
/// weighted average     0.8750  0.7500  0.7667        4
/// "
/// );
/// # Ok::<(), maas_nn::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ClassificationReport {
    /// Every class's name and figures, in order.
    pub classes: Vec<(String, ClassFigures)>,
    /// The share of rows that were taken for what they are, which is also precision, recall and F1 of all decisions
    /// together.
    pub accuracy: f64,
    /// The plain mean over classes.
    pub macro_average: ClassFigures,
    /// The mean over classes by their support.
    pub weighted_average: ClassFigures,
}

impl ClassificationReport {
    pub(super) fn new(matrix: &ConfusionMatrix) -> Self {
        let named = |(class, name): (usize, &String)| (name.clone(), matrix.class(class));
        let classes: Vec<(String, ClassFigures)> =
            matrix.class_names().iter().enumerate().map(named).collect();
        let average = |weight: fn(&ClassFigures) -> f64| {
            let total: f64 = classes.iter().map(|(_, figures)| weight(figures)).sum();
            let mean = |figure: fn(&ClassFigures) -> f64| {
                let weighted = classes.iter().map(|(_, f)| weight(f) * figure(f));
                weighted.sum::<f64>() / total
            };
            ClassFigures {
                precision: mean(|f| f.precision),
                recall: mean(|f| f.recall),
                f1: mean(|f| f.f1),
                support: matrix.rows(),
                predicted: matrix.rows(),
            }
        };
        let there = |f: &ClassFigures| f64::from(u8::from(f.support + f.predicted > 0));
        Self {
            accuracy: matrix.accuracy(),
            macro_average: average(there),
            weighted_average: average(|f| f.support as f64),
            classes,
        }
    }
}

impl fmt::Display for ClassificationReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = |name: &str, figures: &ClassFigures| {
            let ClassFigures {
                precision,
                recall,
                f1,
                support,
                ..
            } = figures;
            let figures = [precision, recall, f1].map(|figure| format!("{figure:.4}"));
            let cells = std::iter::once(name.to_owned()).chain(figures);
            cells.chain([support.to_string()]).collect::<Vec<String>>()
        };
        let head = ["", "precision", "recall", "f1", "support"];
        let mut rows = vec![head.map(str::to_owned).to_vec()];
        rows.extend(
            self.classes
                .iter()
                .map(|(name, figures)| line(name, figures)),
        );
        let mut accuracy = line("accuracy", &self.macro_average);
        accuracy[1].clear();
        accuracy[2].clear();
        accuracy[3] = format!("{:.4}", self.accuracy);
        rows.push(accuracy);
        rows.push(line("macro average", &self.macro_average));
        rows.push(line("weighted average", &self.weighted_average));
        table::write(f, &rows)
    }
}
