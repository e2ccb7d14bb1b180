use std::fmt;

use super::difference::Mismatch;
use crate::Error;

/// What a gradient check found: every element that was looked at and lies at no kink agrees.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct GradientReport {
    /// The precision in which differences were taken.
    pub precision: Precision,
    /// One entry a parameter, then one a single-precision input.
    pub tensors: Vec<TensorReport>,
}

/// The precision in which differences are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// Of the layers' references, in `f64`.
    Double,
    /// Of the layers themselves, in `f32`, where one of them has no reference.
    Single,
}

/// What a gradient check found in one tensor.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct TensorReport {
    /// The segment's or the input's name.
    pub name: String,
    /// Elements looked at.
    pub checked: usize,
    /// Elements among them that lie at a kink and were left out.
    pub kinks: usize,
    /// The largest relative error.
    pub worst: f64,
    pub(super) mismatch: Option<Mismatch>,
}

impl GradientReport {
    pub(super) fn new(
        precision: Precision,
        tensors: Vec<TensorReport>,
        tolerance: f64,
    ) -> Result<Self, Error> {
        let failed = tensors
            .iter()
            .filter(|tensor| tensor.worst.is_nan() || tensor.worst > tolerance);
        let furthest = failed.max_by(|a, b| a.worst.total_cmp(&b.worst));
        if let Some(TensorReport {
            name,
            mismatch: Some(mismatch),
            ..
        }) = furthest
        {
            let &Mismatch {
                index,
                expected,
                found,
            } = mismatch;
            return Err(Error::Gradient {
                tensor: name.clone(),
                index,
                expected,
                found,
            });
        }
        let elements: usize = tensors.iter().map(|tensor| tensor.checked).sum();
        let kinks: usize = tensors.iter().map(|tensor| tensor.kinks).sum();
        if kinks * 2 > elements {
            return Err(Error::Kinks { kinks, elements });
        }
        Ok(Self { precision, tensors })
    }

    /// The largest relative error of all.
    ///
    /// ```
    /// # use maas_core::{Seed, Values};
    /// # use maas_nn::{MeanSquaredError, Sequential, Targets, check_gradients};
    /// let network = Sequential::rows(1).dense(1).build(Seed(7))?;
    /// let (x, y) = ([0.5, 1.5], [1.0, 2.0]);
    /// let report = check_gradients(&network, &MeanSquaredError, &[Values::F32(&x)], Targets::Values(&y), 1e-3)?;
    /// assert!(report.worst() < 1e-5);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn worst(&self) -> f64 {
        self.tensors
            .iter()
            .map(|tensor| tensor.worst)
            .fold(0.0, f64::max)
    }
}

impl fmt::Display for GradientReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let precision = match self.precision {
            Precision::Double => "double",
            Precision::Single => "single",
        };
        write!(
            f,
            "gradients agree with differences in {precision} precision"
        )?;
        for TensorReport {
            name,
            checked,
            kinks,
            worst,
            ..
        } in &self.tensors
        {
            write!(
                f,
                "\n  {name}: {checked} elements, {kinks} at kinks, relative error at most {worst:.1e}"
            )?;
        }
        Ok(())
    }
}
