use crate::Error;

/// The area under the ROC curve: how often a row of class 1 has a higher score than one of class 0, ties counted half.
/// Exact; scikit-learn's `roc_auc_score`.
///
/// # Errors
/// [`Error::Length`] when there are not as many labels as scores, [`Error::Label`] for a label that is neither 0 nor 1,
/// [`Error::OneClass`] when all rows are of one class.
///
/// ```
/// let area = maas_nn::metric::roc_auc(&[0.1, 0.4, 0.35, 0.8], &[0, 0, 1, 1])?;
/// assert_eq!(area, 0.75);
/// # Ok::<(), maas_nn::Error>(())
/// ```
pub fn roc_auc(scores: &[f32], labels: &[u32]) -> Result<f64, Error> {
    let ranked = ranked(scores, labels)?;
    let groups = ranked
        .chunk_by(|a, b| a.0 == b.0)
        .map(|group| counts(group.iter()));
    area_under_roc(groups).ok_or(Error::OneClass)
}

/// The average precision: Σ (Rₙ − Rₙ₋₁)·Pₙ over all thresholds, the area under the curve of precision and recall.
/// Exact; scikit-learn's `average_precision_score`.
///
/// # Errors
/// As for [`roc_auc`].
///
/// ```
/// let precision = maas_nn::metric::average_precision(&[0.1, 0.4, 0.35, 0.8], &[0, 0, 1, 1])?;
/// assert!((precision - 0.8333333).abs() < 1e-6);
/// # Ok::<(), maas_nn::Error>(())
/// ```
pub fn average_precision(scores: &[f32], labels: &[u32]) -> Result<f64, Error> {
    let ranked = ranked(scores, labels)?;
    let groups = ranked
        .chunk_by(|a, b| a.0 == b.0)
        .map(|group| counts(group.iter()));
    area_under_precision(groups).ok_or(Error::OneClass)
}

/// (negatives, positives) in groups of falling scores: the area, or `None` where all are of one kind.
pub(super) fn area_under_roc(groups: impl Iterator<Item = (f64, f64)>) -> Option<f64> {
    let (mut negatives, mut positives, mut area) = (0.0, 0.0, 0.0);
    for (negative, positive) in groups {
        area += negative * (positives + 0.5 * positive);
        negatives += negative;
        positives += positive;
    }
    (negatives * positives > 0.0).then(|| area / (negatives * positives))
}

/// The same for precision over recall.
pub(super) fn area_under_precision(groups: impl Iterator<Item = (f64, f64)>) -> Option<f64> {
    let (mut negatives, mut positives, mut area) = (0.0, 0.0, 0.0);
    for (negative, positive) in groups {
        negatives += negative;
        positives += positive;
        if positive > 0.0 {
            area += positive * positives / (positives + negatives);
        }
    }
    (negatives * positives > 0.0).then(|| area / positives)
}

/// Scores with their labels, the highest first; −0 and +0 tie, NaN comes last.
fn ranked(scores: &[f32], labels: &[u32]) -> Result<Vec<(f32, u32)>, Error> {
    if scores.len() != labels.len() {
        return Err(Error::Length {
            expected: scores.len(),
            found: labels.len(),
        });
    }
    crate::loss::check_labels(labels, 2)?;
    let lowest = |score: f32| {
        if score.is_nan() {
            f32::NEG_INFINITY
        } else {
            score
        }
    };
    let pairs = scores
        .iter()
        .map(|&score| lowest(score))
        .zip(labels.iter().copied());
    let mut ranked: Vec<(f32, u32)> = pairs.collect();
    ranked.sort_unstable_by(|a, b| b.0.partial_cmp(&a.0).unwrap_or(std::cmp::Ordering::Equal));
    Ok(ranked)
}

fn counts<'a>(group: impl Iterator<Item = &'a (f32, u32)>) -> (f64, f64) {
    group.fold((0.0, 0.0), |(negative, positive), &(_, label)| {
        let label = f64::from(label);
        (negative + 1.0 - label, positive + label)
    })
}
