use ndarray::{ArrayViewMut, Dimension};

use crate::Error;
use crate::cut::first_not_finite;

/// Runs `change` on the weights of a view in row-major order; on a copy when they do not lie that way.
///
/// # Errors
/// [`Error::NotFinite`] before `change` is run.
pub(crate) fn on_weights<'a, D: Dimension, T>(
    weights: impl Into<ArrayViewMut<'a, f32, D>>,
    change: impl FnOnce(&mut [f32]) -> T,
) -> Result<T, Error> {
    let mut view = weights.into();
    if let Some(weights) = view.as_slice_mut() {
        check(weights)?;
        return Ok(change(weights));
    }
    let mut copy: Vec<f32> = view.iter().copied().collect();
    check(&copy)?;
    let result = change(&mut copy);
    view.iter_mut()
        .zip(copy)
        .for_each(|(weight, changed)| *weight = changed);
    Ok(result)
}

fn check(weights: &[f32]) -> Result<(), Error> {
    match first_not_finite(weights) {
        Some((index, found)) => Err(Error::NotFinite {
            segment: None,
            index,
            found,
        }),
        None => Ok(()),
    }
}
