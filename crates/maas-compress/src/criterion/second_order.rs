use maas_data::Dataset;
use maas_kernels::{Chunks, Compute, Parallelism};
use maas_nn::{Mask, Network, Segment};
use serde_json::{Value, json};

use super::Criterion;
use super::calibration::Calibration;
use super::quadratic::{Quadratic, Triangle, elimination_costs};
use crate::Error;

/// How much the answers of a layer change when a weight goes and all others make up for it: the optimal brain surgeon,
/// exact for each output of a dense layer.
///
/// With the layer's inputs X over rows of calibration and H = XᵀX + λI, the squared change of an output's answers is
/// (v − w)ᵀH(v − w). The weight whose removal costs least, w²ᵢ / (H⁻¹)ᵢᵢ, goes; the others move by
/// −wᵢ / (H⁻¹)ᵢᵢ · H⁻¹eᵢ; and so on until none is left (Hassibi and Stork, *Second order derivatives for network pruning*,
/// 1993; Frantar and Alistarh, *Optimal Brain Compression*, 2022). A weight's score is the largest cost up to its turn,
/// so that a cut through the scores of several outputs or layers takes from each what this order takes first.
///
/// The weights that are kept then minimise that change exactly, whatever chose them: each layer in turn, on the inputs that
/// it has behind the layers pruned before it, as SparseGPT does (Frantar and Alistarh, 2023).
///
/// All of it is in double precision; a kernel of k × n costs some k³·n operations. It applies to the kernels of dense
/// layers.
///
/// ```
/// use maas_compress::{Prune, Pruner, SecondOrder};
/// use maas_core::Seed;
/// use maas_data::Dataset;
/// use maas_nn::Sequential;
/// use ndarray::array;
///
/// // Two features that are the same: one weight takes over what the other did.
/// let data = Dataset::unlabelled(array![[1.0, 1.0], [2.0, 2.0], [-1.0, -1.0]].view()).unwrap();
/// let mut network = Sequential::new(data.features()).dense(1).build(Seed(7))?;
/// network.segment_mut("dense.kernel")?.assign(&array![[0.5], [0.25]].into_dyn());
/// Pruner::new(SecondOrder::new(&data).damping(1e-6), 0.5).prune(&mut network)?;
/// let kernel = network.segment("dense.kernel")?;
/// assert!((kernel[[0, 0]] - 0.75).abs() < 1e-5 && kernel[[1, 0]] == 0.0);
/// # Ok::<(), maas_compress::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct SecondOrder {
    calibration: Calibration,
    damping: f64,
}

impl SecondOrder {
    /// Over these rows, of which a copy is kept; targets are not looked at. λ is one hundredth of the mean of the diagonal.
    ///
    /// See the type for an example.
    pub fn new(data: &Dataset) -> Self {
        Self {
            calibration: Calibration::new(data),
            damping: 0.01,
        }
    }

    /// λ as a part of the mean of the diagonal of XᵀX: above 0 and finite, which is checked when it is used.
    ///
    /// See the type for an example.
    pub fn damping(self, damping: f64) -> Self {
        Self { damping, ..self }
    }

    fn form(&self, network: &Network, segment: &Segment) -> Result<Quadratic, Error> {
        if !(self.damping > 0.0 && self.damping.is_finite()) {
            return Err(Error::Damping {
                found: self.damping,
            });
        }
        let name = self.name();
        let inputs = self.calibration.inputs_of(network, segment, name)?;
        Ok(Quadratic::of_inputs(&inputs, self.damping))
    }
}

impl Criterion for SecondOrder {
    fn config(&self) -> Value {
        json!(self.damping)
    }

    fn scores(&self, network: &Network, segments: &[Segment]) -> Result<Vec<f32>, Error> {
        let mut scores = vec![0.0; network.parameters().len()];
        for segment in segments {
            let form = self.form(network, segment)?;
            let mask = network.mask(&segment.name)?;
            let whole =
                factor(&form, &(0..segment.shape[0]).collect::<Vec<_>>(), segment)?.inverse();
            let by_output = columns(segment, |column, work| {
                let kept = kept(mask, column);
                let inverse = match kept.len() == column.rows {
                    true => whole.clone(),
                    false => factor(&form, &kept, segment)?.inverse(),
                };
                let kernel = &network.parameters()[segment.range.clone()];
                let mut weights: Vec<f64> = at(column, &kept, kernel).collect();
                let costs = elimination_costs(inverse, &mut weights);
                kept.iter().zip(costs).for_each(|(&i, cost)| work[i] = cost);
                Ok(())
            })?;
            put(&by_output, segment, &mut scores);
        }
        Ok(scores)
    }

    fn compensate(
        &self,
        before: &Network,
        pruned: &mut Network,
        segments: &[Segment],
    ) -> Result<(), Error> {
        for segment in segments {
            let form = self.form(pruned, segment)?;
            let kernel = &before.parameters()[segment.range.clone()];
            let mask = pruned.mask(&segment.name)?;
            let by_output = columns(segment, |column, work| {
                let kept = kept(mask, column);
                let all: Vec<usize> = (0..column.rows).collect();
                let weights: Vec<f64> = at(column, &all, kernel).collect();
                let mut lost = weights.clone();
                kept.iter().for_each(|&i| lost[i] = 0.0);
                let mut change: Vec<f64> = kept
                    .iter()
                    .map(|&i| form.row(i).iter().zip(&lost).map(|(h, w)| h * w).sum())
                    .collect();
                if change.iter().any(|&change| change != 0.0) {
                    factor(&form, &kept, segment)?.solve(&mut change);
                }
                for (&i, change) in kept.iter().zip(change) {
                    work[i] = (weights[i] + change) as f32;
                }
                Ok(())
            })?;
            put(&by_output, segment, pruned.parameters_mut());
        }
        Ok(())
    }
}

/// An output of a kernel.
#[derive(Clone, Copy)]
struct Column {
    number: usize,
    /// Rows and columns of the kernel.
    rows: usize,
    columns: usize,
}

/// The rows of a column that the mask keeps.
fn kept(mask: Option<&Mask>, column: Column) -> Vec<usize> {
    let keeps =
        |&row: &usize| mask.is_none_or(|mask| mask.keeps(row * column.columns + column.number));
    (0..column.rows).filter(keeps).collect()
}

/// The weights of a column in these rows.
fn at<'a>(column: Column, rows: &'a [usize], kernel: &'a [f32]) -> impl Iterator<Item = f64> + 'a {
    rows.iter()
        .map(move |row| kernel[row * column.columns + column.number].into())
}

fn factor(form: &Quadratic, kept: &[usize], segment: &Segment) -> Result<Triangle, Error> {
    let factored = form.part(kept).cholesky();
    factored.ok_or_else(|| Error::Indefinite {
        segment: segment.name.clone(),
    })
}

/// Runs `work` for each column of a kernel, on all threads; what it writes for each row, column by column.
fn columns(
    segment: &Segment,
    work: impl Fn(Column, &mut [f32]) -> Result<(), Error> + Sync,
) -> Result<Vec<f32>, Error> {
    let (rows, columns) = (segment.shape[0], segment.shape[1]);
    let mut values = vec![0.0; rows * columns];
    let mut outcomes: Vec<Result<(), Error>> = Vec::new();
    outcomes.resize_with(columns, || Ok(()));
    let compute = Compute {
        parallelism: Parallelism::available(),
        ..Compute::default()
    };
    let data = (
        0..columns,
        Chunks::new(&mut values[..], rows),
        &mut outcomes[..],
    );
    compute.split(data, 1, |(numbers, values, outcomes)| {
        let parts = values.data.chunks_exact_mut(rows).zip(outcomes);
        for (number, (values, outcome)) in numbers.zip(parts) {
            let column = Column {
                number,
                rows,
                columns,
            };
            *outcome = work(column, values);
        }
    });
    outcomes.into_iter().collect::<Result<(), Error>>()?;
    Ok(values)
}

/// Puts the values of columns into the segment's place.
fn put(by_output: &[f32], segment: &Segment, to: &mut [f32]) {
    let (rows, columns) = (segment.shape[0], segment.shape[1]);
    let to = &mut to[segment.range.clone()];
    for (column, values) in by_output.chunks_exact(rows).enumerate() {
        for (row, &value) in values.iter().enumerate() {
            to[row * columns + column] = value;
        }
    }
}
