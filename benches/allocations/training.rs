//! Fits, step by step.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};

use maas_data::Dataset;
use maas_kernels::Parallelism;
use maas_nn::{Block, Error, Link, Loss, LossBatch, MeanSquaredError, Reduces, Step, Transform};
use maas_train::{
    AbsoluteError, Adam, AdamW, AverageWeights, Callback, Chain, ClipByGlobalNorm, ClipByNorm,
    ClipByValue, DecayWeights, EarlyStopping, Event, Figure, Flow, LearningRate, LookAhead,
    Momentum, ProductPrecision, Progress, ProximalL1, R2, RootMeanSquaredError, ScaleByAdam,
    ScaleByNadam, Sgd, Span, StopHandle, Trainer, Training,
};

use crate::counter::{allocations, during};
use crate::{network, noise};

/// The count stays what it was from the second step of a run to the end of its first epoch, and through every later
/// epoch; between epochs there may be a constant number. The last batch of an epoch has fewer rows.
pub(crate) fn steps_allocate_nothing(threads: NonZeroUsize) {
    for (name, chain) in chains() {
        let (single, narrow) = (ProductPrecision::F32, ProductPrecision::Bf16);
        for (rows, batch, precision) in
            [(517, 32, single), (1100, 256, single), (1100, 256, narrow)]
        {
            let notes = Notes::new();
            let weights: Vec<f32> = (0..rows).map(|row| (row % 3) as f32).collect();
            let data = data(rows).weighted(weights).unwrap();
            let end_of_epoch = Arc::clone(&notes.0);
            let trainer = trainer(chain.clone(), Noted(notes.clone()), batch, threads)
                .epochs(3)
                .precision(precision)
                .metric(RootMeanSquaredError)
                .metric(R2)
                .metric(AbsoluteError)
                .callback(Watching::default())
                .on(Event::BatchEnd, |training| {
                    assert!(training.metric("r2").is_some() && training.loss.is_some());
                })
                .early_stopping(EarlyStopping::new(5).monitor(Figure::Loss))
                .stop(&StopHandle::new())
                .on_epoch(move |_| end_of_epoch.lock().unwrap().push(Note::Epoch));
            let mut network = network(24, 1);
            // Threads that are started meanwhile have their own beginnings.
            trainer.fit(&mut network, &data).unwrap();
            notes.clear();
            trainer.fit(&mut network, &data).unwrap();

            let epochs = notes.epochs();
            let case = format!(
                "{name}, {precision}, {rows} rows by {batch}, {threads} threads: {epochs:?}"
            );
            assert_eq!(epochs.len(), 3, "{case}");
            let mut before = None;
            for counts in &epochs {
                assert!(counts.len() >= rows.div_ceil(batch), "{case}");
                let first_of_run = usize::from(before.is_none());
                let (first, last) = (counts[first_of_run], counts[counts.len() - 1]);
                assert_eq!(first, last, "{case}");
                if let Some(before) = before {
                    assert!(first - before <= BETWEEN_EPOCHS, "{case}");
                }
                before = Some(last);
            }
        }
    }
}

/// A fit of five times the rows allocates as often.
pub(crate) fn more_steps_allocate_no_more(threads: NonZeroUsize) {
    for (name, chain) in chains() {
        let count = |rows| {
            let data = data(rows);
            let trainer = trainer(chain.clone(), MeanSquaredError, 256, threads)
                .epochs(2)
                .metric(RootMeanSquaredError);
            let mut network = network(24, 1);
            trainer.fit(&mut network, &data).unwrap();
            during(|| drop(trainer.fit(&mut network, &data).unwrap()))
        };
        let (few, many) = (count(300), count(1500));
        assert_eq!(few, many, "{name}, {threads} threads");
    }
}

/// A record with the names of its metrics, and its place in the history; in the first epoch the best weights.
const BETWEEN_EPOCHS: u64 = 12;

/// Looks at every step.
#[derive(Debug, Default)]
struct Watching {
    rows: f64,
}

impl Callback for Watching {
    fn batch_begin(
        &mut self,
        training: &Training<'_>,
    ) -> Result<Flow, Box<dyn std::error::Error + Send + Sync>> {
        self.rows += f64::from(training.learning_rate);
        Ok(Flow::Continue)
    }

    fn batch_end(
        &mut self,
        training: &Training<'_>,
    ) -> Result<Flow, Box<dyn std::error::Error + Send + Sync>> {
        self.rows += training.metrics().map(|(_, value)| value).sum::<f64>();
        Ok(Flow::Continue)
    }
}

fn chains() -> [(&'static str, Chain); 6] {
    [
        ("Adam", Adam::new(1e-3).into()),
        ("momentum", Sgd::new(1e-3).momentum(0.9).nesterov().into()),
        ("gradient descent", Sgd::new(1e-3).into()),
        (
            "a chain with all kinds of links",
            Chain::new(LearningRate::cosine(1e-3).warm_up(Span::steps(3)))
                .then(ClipByValue::new(1.0))
                .then(ClipByNorm::new(1.0))
                .then(ClipByGlobalNorm::new(1.0))
                .then(ScaleByNadam::default())
                .then(Momentum::new(0.5))
                .then(DecayWeights::new(1e-3))
                .then(ProximalL1::new(1e-3))
                .then(LookAhead::default())
                .then(AverageWeights::default())
                .rate_factor("*.bias", 0.5),
        ),
        ("adamw", AdamW::new(1e-3).into()),
        (
            "a chain",
            Chain::new(1e-3)
                .then(Limit(1.0))
                .then(ScaleByAdam::default())
                .then(Momentum::new(0.5)),
        ),
    ]
}

/// g ← g·min(1, limit / ‖g‖), which reduces the gradient before it is changed.
#[derive(Debug)]
struct Limit(f32);

impl Transform for Limit {
    fn reduces(&self) -> Reduces {
        Reduces::Network
    }

    fn reduce(&self, step: &Step, gradient: &[f32]) -> f32 {
        step.kernels.sum_squares(gradient).sqrt()
    }

    fn apply(&self, step: &Step, block: &mut Block<'_>) {
        let factor = (self.0 / block.reduction).min(1.0);
        step.kernels.scale(factor, block.update);
    }
}

fn data(rows: usize) -> Dataset {
    Dataset::new(noise(rows, 24).view(), noise(rows, 1).view()).unwrap()
}

fn trainer<'a>(
    chain: Chain,
    loss: impl Loss + 'static,
    batch: usize,
    threads: NonZeroUsize,
) -> Trainer<'a> {
    Trainer::new(chain, loss)
        .batch_size(batch)
        .parallelism(Parallelism::threads(threads))
        .progress(Progress::Quiet)
}

/// Mean squared error that notes how often memory was asked for when it is called for a gradient, once a step.
#[derive(Debug)]
struct Noted(Notes);

impl Loss for Noted {
    fn name(&self) -> &str {
        MeanSquaredError.name()
    }

    fn link(&self) -> Link {
        MeanSquaredError.link()
    }

    fn evaluate(&self, batch: &LossBatch<'_>, gradient: Option<&mut [f32]>) -> Result<f32, Error> {
        if gradient.is_some() {
            self.0.0.lock().unwrap().push(Note::Step(allocations()));
        }
        MeanSquaredError.evaluate(batch, gradient)
    }
}

#[derive(Clone, Debug)]
struct Notes(Arc<Mutex<Vec<Note>>>);

#[derive(Clone, Copy, Debug)]
enum Note {
    Step(u64),
    Epoch,
}

impl Notes {
    /// With room enough that noting allocates nothing.
    fn new() -> Self {
        Self(Arc::new(Mutex::new(Vec::with_capacity(1 << 16))))
    }

    fn clear(&self) {
        self.0.lock().unwrap().clear();
    }

    /// The counts of each epoch's steps.
    fn epochs(&self) -> Vec<Vec<u64>> {
        let notes = self.0.lock().unwrap();
        let epochs = notes.split_inclusive(|note| matches!(note, Note::Epoch));
        let steps = |note: &Note| match note {
            Note::Step(count) => Some(*count),
            Note::Epoch => None,
        };
        epochs
            .map(|epoch| epoch.iter().filter_map(steps).collect())
            .collect()
    }
}
