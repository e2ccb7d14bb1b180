//! Checks for tests: gradients against differences, and layers, losses and metrics against every law.

mod difference;
mod laws;
mod losses;
mod oracle;
mod report;

use maas_core::{Seed, Values};

pub use laws::{Breach, Law, LayerLaws, Quantity};
pub use losses::{LossBreach, LossLaw, check_loss, check_metric};
pub use report::{GradientReport, Precision, TensorReport};

use crate::layer::ValueType;
use crate::{Error, Loss, LossBatch, Mode, Network, Plan, PlanOptions, Targets};
use difference::{Checker, Tensor};
use oracle::Oracle;

/// The pass that is checked: one of training, noise included.
const MODE: Mode = Mode::Train {
    seed: Seed(0),
    step: 0,
    first_row: 0,
};

/// Compares the gradients that `backward` gives, by every parameter and every single-precision input, with central
/// differences of the loss. Frozen parameters have no gradient and are left out.
///
/// The loss is evaluated in double precision where all layers and the loss have a
/// [`reference`](crate::Layer::reference), as the library's own have. An error of up to `tolerance` is accepted, relative
/// to the larger of the two gradients and to at least a hundredth of the largest gradient of all: rounding leaves
/// something of sums that cancel, such as the gradient by a bias before a batch normalisation. 1e-3 is far above what
/// single-precision products lose and far below any mistake.
///
/// Where a layer or the loss has no reference, differences are of the single-precision function. Their step is
/// h = 2⁻⁸ · max(1, |θ|), which balances the rounding of the loss, about ε·|J|/h with ε = 2⁻²⁴, against the
/// curvature that a central difference leaves out, about h²; errors are then relative to the largest gradient of
/// the tensor, and those that rounding explains are accepted.
///
/// Elements at a kink of the loss, as relu has at 0, are found by their differences, which do not settle as the step
/// shrinks, and are left out. Of large tensors, 64 elements are checked, evenly spread.
///
/// # Errors
/// [`Error::Gradient`] for the element that is furthest off, if one is off; [`Error::Kinks`] when more than half of
/// the elements lie at kinks; and what a pass or the loss reports.
///
/// ```
/// use maas_core::{Seed, Values};
/// use maas_nn::{MeanSquaredError, Precision, Sequential, Targets, check_gradients};
///
/// let network = Sequential::rows(2).dense(4).gelu().dense(1).build(Seed(7))?;
/// let x = [0.1, -0.4, 0.7, 0.2, -0.3, 0.5];
/// let report = check_gradients(
///     &network,
///     &MeanSquaredError,
///     &[Values::F32(&x)],
///     Targets::Values(&[0.2, 0.4, -0.1]),
///     1e-3,
/// )?;
/// assert_eq!(report.precision, Precision::Double);
/// println!("{report}");
/// # Ok::<(), maas_nn::Error>(())
/// ```
pub fn check_gradients(
    network: &Network,
    loss: &dyn Loss,
    inputs: &[Values<'_>],
    targets: Targets<'_>,
    tolerance: f64,
) -> Result<GradientReport, Error> {
    let rows = rows(network, inputs)?;
    let options = PlanOptions::train(rows).head(loss.link()).input_gradients();
    let mut plan = Plan::new(network, options)?;
    for (index, &values) in inputs.iter().enumerate() {
        plan.set_input(index, rows, values)?;
    }
    plan.forward_head(rows, network, MODE)?;
    let (predictions, gradient) = plan.head(rows);
    loss.evaluate(&LossBatch::new(predictions, targets, rows)?, Some(gradient))?;
    plan.backward(rows, network)?;

    let mut largest = largest(plan.gradient());
    for (index, row) in network.architecture.inputs.iter().enumerate() {
        if row.value_type == ValueType::F32 {
            largest = largest.max(self::largest(plan.input_gradient(index, rows)?));
        }
    }
    let mut checker = Checker {
        oracle: Oracle::new(network, loss, inputs, targets, rows)?,
        tolerance,
        scale: FLOOR * largest,
    };
    let mut tensors = Vec::new();
    let learning = network.segments().iter();
    for segment in learning.filter(|segment| segment.trainable) {
        let gradient = &plan.gradient()[segment.range.clone()];
        tensors.push(checker.check(
            &segment.name,
            Tensor::Parameters(segment.range.start),
            gradient,
        )?);
    }
    for (index, spec) in network.spec().inputs.iter().enumerate() {
        if network.architecture.inputs[index].value_type == ValueType::F32 {
            let gradient = plan.input_gradient(index, rows)?;
            tensors.push(checker.check(spec.name(), Tensor::Input(index), gradient)?);
        }
    }
    GradientReport::new(checker.oracle.precision(), tensors, tolerance)
}

/// The part of the largest gradient of all that errors are at least relative to.
const FLOOR: f64 = 1e-2;

fn largest(gradient: &[f32]) -> f64 {
    let sizes = gradient.iter().map(|&g| f64::from(g).abs());
    sizes.fold(0.0, f64::max)
}

fn rows(network: &Network, inputs: &[Values<'_>]) -> Result<usize, Error> {
    let types = &network.architecture.inputs;
    if inputs.len() != types.len() {
        return Err(Error::InputCount {
            expected: types.len(),
            found: inputs.len(),
        });
    }
    let widths = inputs
        .iter()
        .zip(types)
        .map(|(values, row)| (values.len(), row.width()));
    let (length, width) = widths
        .clone()
        .max_by_key(|&(_, width)| width)
        .unwrap_or((0, 0));
    let rows = length.checked_div(width).unwrap_or(0);
    for (found, width) in widths {
        if found != rows * width {
            return Err(Error::Length {
                expected: rows * width,
                found,
            });
        }
    }
    Ok(rows)
}
