use std::fmt;

use maas_data::Dataset;
use maas_nn::Network;

use crate::fine_tune::{FineTune, Source};
use crate::measure::{Measured, measure};
use crate::pruning::{check_same, segments};
use crate::report::Method;
use crate::{CompressedNetwork, Error, Prune, Quantize, Ramp, Report, Shrink, Target};

type Measure<'a> = Box<dyn FnMut(&Network, &Dataset) -> Result<f64, Source> + 'a>;

/// Prunes a network, has it fine-tuned under its masks, shrinks and quantises it where asked to, and says what that has brought.
///
/// ```
/// use maas_compress::{Compressor, SoftThreshold};
/// use maas_core::Seed;
/// use maas_data::Dataset;
/// use maas_nn::{Network, Sequential};
/// use ndarray::Array2;
///
/// let data = Dataset::new(Array2::ones((8, 4)).view(), Array2::ones((8, 1)).view()).unwrap();
/// let mut network = Sequential::new(data.features()).dense(64).relu().dense(1).build(Seed(7))?;
///
/// let (compact, report) = Compressor::new(SoftThreshold::to_sparsity(0.9))
///     .fine_tune(|network: &mut Network| {
///         // Any training; with `maas-train`: trainer.fit(network, &train)
///         network.segment_mut("dense.kernel")?.map_inplace(|weight| *weight *= 1.1);
///         Ok::<(), maas_nn::Error>(())
///     })
///     .run(&mut network, &data)?;
///
/// assert_eq!(report.nonzeros(), 32);
/// assert_eq!(compact.network().parameters(), network.parameters());
/// println!("{report}");
/// # Ok::<(), maas_compress::Error>(())
/// ```
#[must_use]
pub struct Compressor<'a> {
    prune: Box<dyn Prune + 'a>,
    ramp: Ramp,
    rewind: Option<&'a Network>,
    fine_tune: Option<FineTune<'a>>,
    shrink: Option<Shrink>,
    quantize: Option<Box<dyn Quantize + 'a>>,
    fine_tune_quantized: Option<FineTune<'a>>,
    metric: Option<(String, Measure<'a>)>,
    target: Target,
}

impl<'a> Compressor<'a> {
    /// A compressor that prunes in this way: [`SoftThreshold`](crate::SoftThreshold),
    /// [`HardThreshold`](crate::HardThreshold), [`SignStep`](crate::SignStep), or one of your own.
    ///
    /// See the type for an example.
    pub fn new(prune: impl Prune + 'a) -> Self {
        Self {
            prune: Box::new(prune),
            ramp: Ramp::one_shot(),
            rewind: None,
            fine_tune: None,
            shrink: None,
            quantize: None,
            fine_tune_quantized: None,
            metric: None,
            target: Target::default(),
        }
    }

    /// Prunes and fine-tunes in rounds, a share of the way in each, instead of once.
    ///
    /// ```
    /// # use {maas_compress::{Compressor, Magnitude, Pruned, Pruner, Ramp}, maas_core::Seed, maas_data::Dataset};
    /// # use {maas_nn::{Network, Sequential}, ndarray::Array2};
    /// # let data = Dataset::new(Array2::ones((8, 4)).view(), Array2::ones((8, 1)).view()).unwrap();
    /// # let mut network = Sequential::new(data.features()).dense(5).dense(1).build(Seed(7))?;
    /// let mut zeros = Vec::new();
    /// Compressor::new(Pruner::new(Magnitude, 0.8))
    ///     .ramp(Ramp::linear(4))
    ///     .fine_tune(|network: &mut Network| Ok::<(), maas_nn::Error>(zeros.push(Pruned::of(network).zeros)))
    ///     .run(&mut network, &data)?;
    /// assert_eq!(zeros, [5, 10, 15, 20]);
    /// # Ok::<(), maas_compress::Error>(())
    /// ```
    pub fn ramp(mut self, ramp: Ramp) -> Self {
        self.ramp = ramp;
        self
    }

    /// Sets what is kept back to the weights and state of an earlier network, after each pruning and before
    /// the fine-tuning behind it: with a ramp, iterative pruning in search of a lottery ticket (Frankle and Carbin, 2019).
    ///
    /// Without fine-tuning the result is the earlier network under the masks that were found.
    ///
    /// ```
    /// # use {maas_compress::{Compressor, Magnitude, Pruner, Ramp}, maas_core::Seed, maas_data::Dataset};
    /// # use {maas_nn::{Network, Sequential}, ndarray::Array2};
    /// # let data = Dataset::new(Array2::ones((8, 4)).view(), Array2::ones((8, 1)).view()).unwrap();
    /// # let mut network = Sequential::new(data.features()).dense(5).dense(1).build(Seed(7))?;
    /// let beginning = network.clone();
    /// let training = |network: &mut Network| {
    ///     network.segment_mut("dense.kernel")?.map_inplace(|weight| *weight *= 2.0);
    ///     Ok::<(), maas_nn::Error>(())
    /// };
    /// let (ticket, _) = Compressor::new(Pruner::new(Magnitude, 0.8))
    ///     .ramp(Ramp::cubic(3))
    ///     .rewind_to(&beginning)
    ///     .fine_tune(training)
    ///     .run(&mut network, &data)?;
    /// for (now, then) in ticket.network().segment("dense.kernel")?.iter().zip(beginning.segment("dense.kernel")?) {
    ///     assert!(*now == 0.0 || *now == 2.0 * then);
    /// }
    /// # Ok::<(), maas_compress::Error>(())
    /// ```
    pub fn rewind_to(mut self, earlier: &'a Network) -> Self {
        self.rewind = Some(earlier);
        self
    }

    /// Compiles the network for other calls than those of one row on one thread.
    ///
    /// ```
    /// # use {maas_compress::{Compressor, SoftThreshold, Target}, maas_core::Seed, maas_data::Dataset};
    /// # use {maas_nn::Sequential, ndarray::Array2};
    /// # let data = Dataset::new(Array2::ones((8, 4)).view(), Array2::ones((8, 1)).view()).unwrap();
    /// # let mut network = Sequential::new(data.features()).dense(1).build(Seed(7))?;
    /// let (_, report) =
    ///     Compressor::new(SoftThreshold::to_sparsity(0.5)).target(Target::rows(64)).run(&mut network, &data)?;
    /// assert_eq!(report.target_rows, 64);
    /// # Ok::<(), maas_compress::Error>(())
    /// ```
    pub fn target(self, target: Target) -> Self {
        Self { target, ..self }
    }

    /// Trains the pruned network further. Its result is left out; its error may be any.
    ///
    /// Whatever the closure does, what was masked before it is masked and zero after it.
    ///
    /// See the type for an example.
    pub fn fine_tune<T, E: Into<Source>>(
        mut self,
        fine_tune: impl FnMut(&mut Network) -> Result<T, E> + 'a,
    ) -> Self {
        self.fine_tune = Some(FineTune::new(fine_tune));
        self
    }

    /// Takes out of the pruned and fine-tuned network what its predictions do not need: units that pruning has left without
    /// influence, batch normalisations, constants. The network then has smaller shapes, and [`Report::shrunk`] says what left.
    ///
    /// ```
    /// use maas_compress::{Compressor, Grain, Magnitude, Pruner, Shrink};
    /// # use {maas_core::Seed, maas_data::Dataset, maas_nn::Sequential, ndarray::Array2};
    /// # let data = Dataset::new(Array2::ones((8, 4)).view(), Array2::ones((8, 1)).view()).unwrap();
    /// let mut network = Sequential::new(data.features()).dense(64).relu().dense(1).build(Seed(7))?;
    /// let (_, report) = Compressor::new(Pruner::new(Magnitude, 0.75).grain(Grain::Neuron))
    ///     .shrink(Shrink::new())
    ///     .run(&mut network, &data)?;
    /// assert_eq!(network.segment("dense.kernel")?.shape(), [4, 16]);
    /// assert_eq!(report.layers[0].shape_after, Some([4, 16]));
    /// # Ok::<(), maas_compress::Error>(())
    /// ```
    pub fn shrink(self, shrink: Shrink) -> Self {
        Self {
            shrink: Some(shrink),
            ..self
        }
    }

    /// Gives the weights fewer bits at the end: [`Int8`](crate::Int8), [`Codebook`](crate::Codebook), or one of your own.
    ///
    /// Fine-tuning runs once more before the weights are rounded, in the arithmetic that will be served; in the same way as after
    /// pruning, or in one [of its own](Compressor::fine_tune_quantized).
    ///
    /// ```
    /// # use {maas_compress::{Compressor, Int8, SoftThreshold}, maas_core::Seed, maas_data::Dataset};
    /// # use {maas_nn::{Arithmetic, Sequential}, ndarray::Array2};
    /// # let data = Dataset::new(Array2::ones((8, 4)).view(), Array2::ones((8, 1)).view()).unwrap();
    /// # let mut network = Sequential::new(data.features()).dense(1).build(Seed(7))?;
    /// let (compact, _) =
    ///     Compressor::new(SoftThreshold::to_sparsity(0.5)).quantize(Int8::dynamic()).run(&mut network, &data)?;
    /// assert_eq!(compact.network().arithmetic("dense")?, Arithmetic::int8());
    /// # Ok::<(), maas_compress::Error>(())
    /// ```
    pub fn quantize(mut self, quantize: impl Quantize + 'a) -> Self {
        self.quantize = Some(Box::new(quantize));
        self
    }

    /// Trains in this way before weights are rounded, in place of that of [`fine_tune`](Compressor::fine_tune): at a lower rate,
    /// or with a link such as [`CodebookTraining`](crate::CodebookTraining), where there is an example.
    ///
    /// Its result is left out, its error may be any, and masks stay, as there. Without [`quantize`](Compressor::quantize) it is
    /// not called.
    pub fn fine_tune_quantized<T, E: Into<Source>>(
        mut self,
        fine_tune: impl FnMut(&mut Network) -> Result<T, E> + 'a,
    ) -> Self {
        self.fine_tune_quantized = Some(FineTune::new(fine_tune));
        self
    }

    /// Measures something else than the root mean squared error of a regression and the accuracy of a classification.
    ///
    /// ```
    /// # use {maas_compress::{Compressor, SoftThreshold}, maas_core::Seed, maas_data::Dataset};
    /// # use {maas_nn::{Network, Sequential}, ndarray::Array2};
    /// # let data = Dataset::new(Array2::ones((8, 4)).view(), Array2::ones((8, 1)).view()).unwrap();
    /// # let mut network = Sequential::new(data.features()).dense(1).build(Seed(7))?;
    /// let (_, report) = Compressor::new(SoftThreshold::to_sparsity(0.5))
    ///     .metric("largest answer", |network: &Network, data: &Dataset| {
    ///         let answers = network.predict(data.x())?;
    ///         Ok::<f64, maas_nn::Error>(answers.fold(f64::MIN, |largest, &answer| largest.max(answer.into())))
    ///     })
    ///     .run(&mut network, &data)?;
    /// assert_eq!(report.metric, "largest answer");
    /// # Ok::<(), maas_compress::Error>(())
    /// ```
    pub fn metric<E: Into<Source>>(
        mut self,
        name: impl Into<String>,
        mut metric: impl FnMut(&Network, &Dataset) -> Result<f64, E> + 'a,
    ) -> Self {
        let measure: Measure<'a> =
            Box::new(move |network, data| metric(network, data).map_err(Into::into));
        self.metric = Some((name.into(), measure));
        self
    }

    /// Compresses the network and measures it before and after on these data, which were not trained on.
    ///
    /// The network is left pruned, fine-tuned, shrunk, quantised and masked, and the compressed network is a copy of it.
    ///
    /// # Errors
    /// Those of [`Prune::prune_part`]; [`Error::OtherNetwork`] for an earlier one with other parameters; [`Error::FineTune`] and [`Error::Metric`] with the closure's own error as source;
    /// [`Error::Network`] when network and data do not fit. The network is then as it was.
    ///
    /// See the type for an example.
    pub fn run(
        mut self,
        network: &mut Network,
        data: &Dataset,
    ) -> Result<(CompressedNetwork, Report), Error> {
        let metric_before = self.measure(network, data)?;
        let mut pruned = network.clone();
        let mut lambda = None;
        for round in 1..=self.ramp.rounds() {
            let share = self.ramp.share(round);
            lambda = self.prune.prune_part(share, &mut pruned)?.lambda;
            if let Some(earlier) = self.rewind {
                rewind(&mut pruned, earlier)?;
            }
            self.fine_tuned(&mut pruned)?;
        }
        let mut shrunk = None;
        if let Some(shrink) = self.shrink {
            let (smaller, report) = shrink.run(&pruned)?;
            pruned = smaller;
            shrunk = Some(report);
        }
        if let Some(quantize) = self.quantize.take() {
            quantize.prepare(&mut pruned)?;
            match &mut self.fine_tune_quantized {
                Some(fine_tune) => fine_tune.run(&mut pruned)?,
                None => self.fine_tuned(&mut pruned)?,
            }
            quantize.quantize(&mut pruned)?;
        }

        let compressed = CompressedNetwork::compile_on(pruned, &self.target, data)?;
        let metric_after = self.measure(compressed.network(), data)?;
        let report = Report::new(
            (network, metric_before),
            (&compressed, metric_after),
            Method {
                name: self.prune.name(),
                lambda,
                shrunk,
            },
            &self.target,
            data,
        )?;
        *network = compressed.network().clone();
        Ok((compressed, report))
    }

    fn fine_tuned(&mut self, network: &mut Network) -> Result<(), Error> {
        match &mut self.fine_tune {
            Some(fine_tune) => fine_tune.run(network),
            None => Ok(()),
        }
    }

    fn measure(&mut self, network: &Network, data: &Dataset) -> Result<Measured, Error> {
        let Some((name, metric)) = &mut self.metric else {
            return measure(network, data);
        };
        match metric(network, data) {
            Ok(value) => Ok(Measured {
                name: name.clone(),
                value,
                interval: None,
            }),
            Err(source) => Err(Error::Metric {
                name: name.clone(),
                source,
            }),
        }
    }
}

/// The weights and state of an earlier network, under the masks of this one.
fn rewind(network: &mut Network, earlier: &Network) -> Result<(), Error> {
    check_same(segments(network), earlier)?;
    network.set_state(earlier.state())?;
    network
        .parameters_mut()
        .copy_from_slice(earlier.parameters());
    network.apply_masks();
    Ok(())
}

impl fmt::Debug for Compressor<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Compressor")
            .field("ramp", &self.ramp)
            .field("rewind", &self.rewind.is_some())
            .field("fine_tune", &self.fine_tune.is_some())
            .field("shrink", &self.shrink)
            .field("quantize", &self.quantize.is_some())
            .field("metric", &self.metric.as_ref().map(|(name, _)| name))
            .finish_non_exhaustive()
    }
}
