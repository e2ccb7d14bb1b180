use std::sync::Arc;

use maas_core::{Seed, Values};
use maas_data::{Dataset, Shuffle, Targets};
use maas_nn::{Loss, LossBatch, Mode, Network, Plan, PlanOptions, Segment};
use serde_json::{Value, json};

use super::Criterion;
use super::calibration::Calibration;
use crate::Error;
use crate::inputs::{check, values};

/// −Σ w · ∂J/∂w over steps of training: what moves towards zero goes first, whatever its size.
///
/// Sanh et al., *Movement Pruning: Adaptive Sparsity by Fine-Tuning*, 2020. The steps are those of plain gradient
/// descent, taken by a copy of the network: the network that is pruned does not move. Gradients are those of all
/// parameters, masked or not; what is masked is zero and does not move. With a learning rate of 0 the score is the first
/// term of Taylor's series, −w · ∂J/∂w: how much the loss would grow without the weight.
///
/// [`MovementInTraining`] takes the steps that a trainer takes anyway.
///
/// ```
/// use maas_compress::{Movement, Prune, Pruner};
/// use maas_core::Seed;
/// use maas_data::Dataset;
/// use maas_nn::{MeanSquaredError, Sequential};
/// use ndarray::array;
///
/// // y = x₀: the other weight is driven to zero.
/// let x = array![[1.0, 1.0], [-1.0, 1.0], [1.0, -1.0], [-1.0, -1.0]];
/// let data = Dataset::new(x.view(), array![[1.0], [-1.0], [1.0], [-1.0]].view()).unwrap();
/// let mut network = Sequential::new(data.features()).dense(1).build(Seed(7))?;
/// network.segment_mut("dense.kernel")?.assign(&array![[0.5], [0.75]].into_dyn());
/// Pruner::new(Movement::new(&data, MeanSquaredError).epochs(3), 0.5).prune(&mut network)?;
/// assert_eq!(network.segment("dense.kernel")?, array![[0.5], [0.0]].into_dyn());
/// # Ok::<(), maas_compress::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Movement {
    calibration: Calibration,
    loss: Arc<dyn Loss>,
    epochs: usize,
    batch_size: usize,
    learning_rate: f32,
    seed: Seed,
}

impl Movement {
    /// Over one epoch of these rows, of which a copy is kept, in batches of 32, at the learning rate 10⁻³.
    ///
    /// See the type for an example.
    pub fn new(data: &Dataset, loss: impl Loss + 'static) -> Self {
        Self {
            calibration: Calibration::new(data),
            loss: Arc::new(loss),
            epochs: 1,
            batch_size: 32,
            learning_rate: 1e-3,
            seed: Seed(0),
        }
    }

    /// Visits every row this often, at least once.
    ///
    /// See the type for an example.
    pub fn epochs(self, epochs: usize) -> Self {
        Self {
            epochs: epochs.max(1),
            ..self
        }
    }

    /// Rows of a step, at least one.
    ///
    /// ```
    /// # use {maas_compress::Movement, maas_data::Dataset, maas_nn::MeanSquaredError, ndarray::array};
    /// # let data = Dataset::new(array![[1.0]].view(), array![[1.0]].view()).unwrap();
    /// let movement = Movement::new(&data, MeanSquaredError).batch_size(128);
    /// ```
    pub fn batch_size(self, rows: usize) -> Self {
        Self {
            batch_size: rows.max(1),
            ..self
        }
    }

    /// How far the copy goes along the gradient in a step.
    ///
    /// ```
    /// # use {maas_compress::Movement, maas_data::Dataset, maas_nn::MeanSquaredError, ndarray::array};
    /// # let data = Dataset::new(array![[1.0]].view(), array![[1.0]].view()).unwrap();
    /// let taylor = Movement::new(&data, MeanSquaredError).learning_rate(0.0);
    /// ```
    pub fn learning_rate(self, learning_rate: f32) -> Self {
        Self {
            learning_rate,
            ..self
        }
    }

    /// Where the order of rows and the noise of layers come from.
    ///
    /// ```
    /// # use {maas_compress::Movement, maas_data::Dataset, maas_nn::MeanSquaredError, ndarray::array};
    /// # let data = Dataset::new(array![[1.0]].view(), array![[1.0]].view()).unwrap();
    /// let movement = Movement::new(&data, MeanSquaredError).seed(maas_core::Seed(7));
    /// ```
    pub fn seed(self, seed: Seed) -> Self {
        Self { seed, ..self }
    }

    /// The targets as the loss sees them.
    fn targets(&self, network: &Network) -> Result<Learned, Error> {
        let width = network.output_width();
        match self.calibration.data().targets() {
            Targets::Values { width: found, data } if *found == width => {
                let mut data = data.clone();
                if let Some(moments) = network.target_moments() {
                    let columns = moments.mean().iter().zip(moments.deviation()).cycle();
                    data.iter_mut()
                        .zip(columns)
                        .for_each(|(y, (mean, deviation))| *y = (*y - mean) / deviation);
                }
                Ok(Learned::Values(data, width))
            }
            // One output tells two classes apart.
            Targets::Labels { classes, data }
                if *classes == width || (width == 1 && *classes <= 2) =>
            {
                Ok(Learned::Labels(data.clone()))
            }
            Targets::Values { width: found, .. } | Targets::Labels { classes: found, .. } => {
                let (expected, found) = (width, *found);
                Err(maas_nn::Error::Width { expected, found }.into())
            }
            _ => Err(Error::NoTargets),
        }
    }
}

impl Criterion for Movement {
    fn config(&self) -> Value {
        json!([
            self.loss.name(),
            self.loss.config(),
            self.epochs,
            self.batch_size,
            self.learning_rate,
            self.seed
        ])
    }

    fn scores(&self, network: &Network, segments: &[Segment]) -> Result<Vec<f32>, Error> {
        check(network, self.calibration.data())?;
        check_learning(segments, self.name())?;
        let targets = self.targets(network)?;
        let data = self.calibration.data();
        let (inputs, rows) = (values(data), data.rows());
        let options = PlanOptions::train(self.batch_size.min(rows)).head(self.loss.link());
        let mut plan = Plan::new(network, options)?;
        let mut moving = network.clone();
        moving.apply_masks();
        let mut scores = vec![0.0; network.parameters().len()];
        let mut order: Vec<u32> = vec![0; rows];
        let mut step = 0;
        for epoch in 0..self.epochs {
            Shuffle::new(self.seed).fill(epoch as u64, &mut order);
            for batch in order.chunks(self.batch_size) {
                step += 1;
                let mode = Mode::train(self.seed, step);
                for (index, &values) in inputs.iter().enumerate() {
                    set_input(&mut plan, index, values, rows, batch)?;
                }
                plan.forward_head(batch.len(), &moving, mode)?;
                let weights = data.weights().map(|all| gather(all, 1, batch));
                let targets = targets.gather(batch);
                let (predictions, gradient) = plan.head(batch.len());
                let batch_loss = LossBatch::new(predictions, targets.as_targets(), batch.len())?
                    .weights(weights.as_deref())?;
                self.loss.evaluate(&batch_loss, Some(gradient))?;
                plan.backward(batch.len(), &moving)?;
                accumulate(moving.parameters(), plan.gradient(), &mut scores);
                for (weight, gradient) in moving.parameters_mut().iter_mut().zip(plan.gradient()) {
                    *weight -= self.learning_rate * gradient;
                }
                moving.apply_masks();
                if let Some(state) = plan.next_state() {
                    moving.set_state(state)?;
                }
            }
        }
        Ok(scores)
    }
}

/// [`Movement`] over the steps of training that [`GradualPruning`](crate::GradualPruning) sees.
///
/// ```
/// use maas_compress::{GradualPruning, MovementInTraining, Pruner, Ramp};
/// let link = GradualPruning::new(Pruner::new(MovementInTraining, 0.9), Ramp::cubic(10)).every(50);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MovementInTraining;

impl Criterion for MovementInTraining {
    /// # Errors
    /// [`Error::NotInTraining`], always: outside of training nothing moves.
    fn scores(&self, _: &Network, _: &[Segment]) -> Result<Vec<f32>, Error> {
        Err(Error::NotInTraining {
            method: self.name().to_owned(),
        })
    }

    fn accumulates(&self) -> bool {
        true
    }

    fn accumulate(&self, weights: &[f32], gradients: &[f32], scores: &mut [f32]) {
        accumulate(weights, gradients, scores);
    }
}

fn accumulate(weights: &[f32], gradients: &[f32], scores: &mut [f32]) {
    let moves = weights.iter().zip(gradients);
    for (score, (weight, gradient)) in scores.iter_mut().zip(moves) {
        *score -= weight * gradient;
    }
}

fn check_learning(segments: &[Segment], method: &str) -> Result<(), Error> {
    match segments.iter().find(|segment| !segment.trainable) {
        None => Ok(()),
        Some(frozen) => Err(Error::NotApplicable {
            method: method.to_owned(),
            segment: frozen.name.clone(),
            reason: "it is frozen and does not move",
        }),
    }
}

/// Targets as the loss sees them.
enum Learned {
    /// And how many a row.
    Values(Vec<f32>, usize),
    Labels(Vec<u32>),
}

impl Learned {
    fn gather(&self, rows: &[u32]) -> Self {
        match self {
            Self::Values(values, width) => Self::Values(gather(values, *width, rows), *width),
            Self::Labels(labels) => Self::Labels(gather(labels, 1, rows)),
        }
    }

    fn as_targets(&self) -> maas_nn::Targets<'_> {
        match self {
            Self::Values(values, _) => maas_nn::Targets::Values(values),
            Self::Labels(labels) => maas_nn::Targets::Labels(labels),
        }
    }
}

fn set_input(
    plan: &mut Plan,
    index: usize,
    values: Values<'_>,
    rows: usize,
    batch: &[u32],
) -> Result<(), Error> {
    let width = values.len() / rows;
    match values {
        Values::F32(values) => {
            let rows = gather(values, width, batch);
            plan.set_input(index, batch.len(), Values::F32(&rows))?;
        }
        Values::I32(values) => {
            let rows = gather(values, width, batch);
            plan.set_input(index, batch.len(), Values::I32(&rows))?;
        }
        other => plan.set_input(index, batch.len(), other)?,
    }
    Ok(())
}

fn gather<T: Copy>(all: &[T], width: usize, rows: &[u32]) -> Vec<T> {
    let row = |&row: &u32| &all[row as usize * width..][..width];
    rows.iter().flat_map(row).copied().collect()
}
