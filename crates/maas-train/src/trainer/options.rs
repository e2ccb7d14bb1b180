//! What else a trainer can do than make steps.

use maas_data::Augmentation;
use maas_nn::ProductPrecision;

use super::Trainer;
use crate::callback::Closure;
use crate::{
    Answer, Callback, Checkpoints, EarlyStopping, EpochRecord, Event, StopHandle, Training,
};

/// Callbacks, early stopping, accumulation, precision.
impl<'a> Trainer<'a> {
    /// Tell this what happens, in Keras' places: see [`Callback`]. Callbacks are called in the order in which they were
    /// added; clones of the trainer share them.
    ///
    /// ```
    /// # use {maas_nn::MeanSquaredError, maas_train::{Adam, Callback, Trainer}};
    /// #[derive(Debug, Default)]
    /// struct Silent;
    ///
    /// impl Callback for Silent {}
    ///
    /// let trainer = Trainer::new(Adam::new(1e-3), MeanSquaredError).callback(Silent);
    /// ```
    pub fn callback(mut self, callback: impl Callback + 'a) -> Self {
        self.callbacks.push(callback);
        self
    }

    /// Call this in one of Keras' places. It may answer nothing, a [`Flow`](crate::Flow), or a [`Result`] of either,
    /// of any error.
    ///
    /// ```
    /// # use {maas_nn::MeanSquaredError, maas_train::{Adam, Trainer}};
    /// use maas_train::{Event, Flow};
    ///
    /// let trainer = Trainer::new(Adam::new(1e-3), MeanSquaredError)
    ///     .on(Event::EpochBegin, |training| eprintln!("epoch {} of {}", training.epoch, training.epochs))
    ///     .on(Event::BatchEnd, |training| if training.loss < Some(1e-3) { Flow::Stop } else { Flow::Continue })
    ///     .on(Event::EpochEnd, |training| {
    ///         let path = format!("{}.safetensors", training.epoch);
    ///         if training.epoch % 100 == 0 { training.network.save(path) } else { Ok(()) }
    ///     });
    /// ```
    pub fn on<A: Answer>(
        self,
        event: Event,
        call: impl FnMut(&Training<'_>) -> A + Send + 'a,
    ) -> Self {
        let name = "a closure";
        self.callback(Closure { event, name, call })
    }

    /// Call this after every epoch with its record.
    ///
    /// ```
    /// # use {maas_nn::MeanSquaredError, maas_train::{Adam, Trainer}};
    /// let mut losses = Vec::new();
    /// let trainer = Trainer::new(Adam::new(1e-3), MeanSquaredError)
    ///     .on_epoch(|record| losses.push(record.loss));
    /// ```
    pub fn on_epoch<A: Answer>(self, mut call: impl FnMut(&EpochRecord) -> A + Send + 'a) -> Self {
        let with_record = move |training: &Training<'_>| training.record().map(&mut call);
        self.callback(Closure {
            event: Event::EpochEnd,
            name: "on_epoch",
            call: with_record,
        })
    }

    /// End when a figure no longer becomes better.
    ///
    /// ```
    /// # use {maas_nn::MeanSquaredError, maas_train::{Adam, EarlyStopping, Trainer}};
    /// let trainer = Trainer::new(Adam::new(1e-3), MeanSquaredError).early_stopping(EarlyStopping::new(5));
    /// ```
    pub fn early_stopping(self, rule: EarlyStopping) -> Self {
        Self {
            early_stopping: Some(rule),
            ..self
        }
    }

    /// End when this handle asks for it.
    ///
    /// ```
    /// # use {maas_nn::MeanSquaredError, maas_train::{Adam, StopHandle, Trainer}};
    /// let stop = StopHandle::new();
    /// let trainer = Trainer::new(Adam::new(1e-3), MeanSquaredError).stop(&stop);
    /// ```
    pub fn stop(self, handle: &StopHandle) -> Self {
        Self {
            stop: Some(handle.clone()),
            ..self
        }
    }

    /// Take a step only after so many batches, on the gradient of all of them: a step then has `batches` times
    /// [`batch_size`](Self::batch_size) rows, in the memory of one batch. At least 1, the default.
    ///
    /// With cⱼ the share of the step's rows that batch j has, the gradient is s ← c₀·g₀, then s ← fma(cⱼ, gⱼ, s) in
    /// the order of the batches, rounded to `f32`, at any number of threads. It differs from that of one large batch by
    /// rounding, and where layers look at a batch as a whole, as batch normalisation does, which sees each by itself.
    /// At the end of an epoch a step has the rows that are left.
    ///
    /// Callbacks, learning rates and checkpoints count steps, not batches.
    ///
    /// ```
    /// # use {maas_nn::MeanSquaredError, maas_train::{Adam, Trainer}};
    /// let trainer = Trainer::new(Adam::new(1e-3), MeanSquaredError).batch_size(32).accumulate(4);
    /// ```
    pub fn accumulate(self, batches: usize) -> Self {
        Self {
            accumulate: batches,
            ..self
        }
    }

    /// Write the run to files from which [`resume`](Trainer::resume) goes on.
    ///
    /// ```
    /// # use {maas_nn::MeanSquaredError, maas_train::{Adam, Checkpoints, Trainer}};
    /// let trainer = Trainer::new(Adam::new(1e-3), MeanSquaredError)
    ///     .checkpoints(Checkpoints::new("checkpoints").every_steps(500));
    /// ```
    pub fn checkpoints(self, rule: Checkpoints) -> Self {
        Self {
            checkpoints: Some(rule),
            ..self
        }
    }

    /// Change the rows of each batch before the network learns from them; targets and data sets stay what they are.
    /// The random numbers of a row depend on the seed, the epoch and the row alone.
    ///
    /// ```
    /// # use {maas_nn::MeanSquaredError, maas_train::{Adam, Trainer}};
    /// use maas_data::Augmentation;
    ///
    /// let noise = Augmentation::new(|row, random| {
    ///     row.numbers().iter_mut().for_each(|value| *value += random.between(-0.1..0.1));
    /// });
    /// let trainer = Trainer::new(Adam::new(1e-3), MeanSquaredError).augment(noise);
    /// ```
    pub fn augment(self, augmentation: Augmentation) -> Self {
        Self {
            augmentation: Some(augmentation),
            ..self
        }
    }

    /// Round the operands of products in training steps, forwards and backwards: see [`ProductPrecision`]. Weights, gradients
    /// and the optimiser stay in single precision, and so do evaluation, validation and prediction, so that what is
    /// reported is what a saved network answers. Other bits than those of single precision, and the same with every set of
    /// kernels and any number of threads.
    ///
    /// ```
    /// # use {maas_nn::MeanSquaredError, maas_train::{Adam, Trainer}};
    /// use maas_train::ProductPrecision;
    ///
    /// let trainer = Trainer::new(Adam::new(1e-3), MeanSquaredError).precision(ProductPrecision::Bf16);
    /// ```
    pub fn precision(self, precision: ProductPrecision) -> Self {
        Self { precision, ..self }
    }
}
