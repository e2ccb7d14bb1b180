use super::oracle::{Element, Oracle};
use super::{Precision, TensorReport};
use crate::Error;

/// The most elements of a tensor that are looked at.
const ELEMENTS: usize = 64;

pub(super) struct Checker<'a> {
    pub(super) oracle: Oracle<'a>,
    pub(super) tolerance: f64,
    /// What errors are at least relative to.
    pub(super) scale: f64,
}

/// Where a tensor's elements lie.
#[derive(Clone, Copy)]
pub(super) enum Tensor {
    Parameters(usize),
    Input(usize),
}

/// The element that is furthest off.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Mismatch {
    pub(super) index: usize,
    pub(super) expected: f64,
    pub(super) found: f64,
}

/// How differences are taken in one precision.
struct Method {
    /// The first step, by the element's size.
    step: f64,
    /// How often the step is made smaller where differences do not settle.
    retries: usize,
    /// The loss's relative rounding error.
    rounding: f64,
    /// The part of the tensor's largest gradient that errors are at least relative to, as they are to the checker's scale.
    floor: f64,
}

impl Checker<'_> {
    pub(super) fn check(
        &mut self,
        name: &str,
        tensor: Tensor,
        gradient: &[f32],
    ) -> Result<TensorReport, Error> {
        let method = match self.oracle.precision() {
            Precision::Double => Method {
                step: 1e-4,
                retries: 3,
                rounding: 1e-15,
                floor: 0.0,
            },
            Precision::Single => Method {
                step: 1.0 / 256.0,
                retries: 0,
                rounding: 1.0 / 16_777_216.0,
                floor: 1.0,
            },
        };
        let largest = gradient
            .iter()
            .fold(0.0, |largest: f64, &g| largest.max(f64::from(g).abs()));
        let least = self.scale.max(method.floor * largest);
        let checked = gradient.len().min(ELEMENTS);
        let mut report = TensorReport {
            name: name.to_owned(),
            checked,
            kinks: 0,
            worst: 0.0,
            mismatch: None,
        };
        for number in 0..checked {
            let index = number * gradient.len() / checked;
            let element = match tensor {
                Tensor::Parameters(start) => Element::Parameter(start + index),
                Tensor::Input(input) => Element::Input(input, index),
            };
            let found = f64::from(gradient[index]);
            let Some((expected, noise)) = self.difference(element, &method, least)? else {
                report.kinks += 1;
                continue;
            };
            let scale = expected.abs().max(found.abs()).max(least);
            let error = ((expected - found).abs() - noise).max(0.0);
            let relative = if error == 0.0 { 0.0 } else { error / scale };
            if found.is_nan() || relative.is_nan() || relative > report.worst {
                report.worst = if found.is_nan() { f64::NAN } else { relative };
                report.mismatch = Some(Mismatch {
                    index,
                    expected,
                    found,
                });
                if report.worst.is_nan() {
                    break;
                }
            }
        }
        Ok(report)
    }

    /// The derivative and its error by rounding, or `None` where differences do not settle as the step shrinks.
    fn difference(
        &mut self,
        element: Element,
        method: &Method,
        least: f64,
    ) -> Result<Option<(f64, f64)>, Error> {
        let at = self.oracle.get(element);
        let middle = self.oracle.loss()?;
        let mut step = method.step * at.abs().max(1.0);
        for _ in 0..=method.retries {
            let wide = self.sides(element, at, middle, step)?;
            let narrow = self.sides(element, at, middle, step / 4.0)?;
            let noise = |step: f64| 2.0 * method.rounding * middle.abs() / step;
            let scale = narrow.center.abs().max(least);
            let slack = 0.3 * self.tolerance * scale + noise(step) + noise(step / 4.0);
            // Curvature makes the sides differ in proportion to the step, a kink does not.
            let settled = (wide.center - narrow.center).abs() <= slack;
            if settled && narrow.gap <= 0.5 * wide.gap + slack {
                return Ok(Some((wide.center, noise(step))));
            }
            step /= 16.0;
        }
        Ok(None)
    }

    fn sides(&mut self, element: Element, at: f64, middle: f64, step: f64) -> Result<Sides, Error> {
        let mut side = |value: f64| {
            self.oracle.set(element, value);
            let reached = self.oracle.get(element);
            let loss = self.oracle.loss();
            self.oracle.set(element, at);
            loss.map(|loss| (reached, loss))
        };
        let (left, below) = side(at - step)?;
        let (right, above) = side(at + step)?;
        Ok(Sides {
            center: (above - below) / (right - left),
            gap: ((above - middle) / (right - at) - (middle - below) / (at - left)).abs(),
        })
    }
}

/// Difference quotients around an element.
struct Sides {
    center: f64,
    /// How far those of the two sides are apart.
    gap: f64,
}
