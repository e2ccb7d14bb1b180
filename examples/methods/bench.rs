//! A network for the digits that is compressed again and again, and the figures of what has become of it.

use anyhow::Result;
use maas::compress::{Latency, Prune, Target};
use maas::prelude::*;

#[path = "../shared/digits.rs"]
mod digits;

/// A trained network and its data.
#[derive(Clone)]
pub(crate) struct Bench {
    pub(crate) seed: Seed,
    pub(crate) train: Dataset,
    pub(crate) validation: Dataset,
    pub(crate) test: Dataset,
    pub(crate) dense: Network,
}

/// What has become of a network; or means of that.
pub(crate) struct Figures {
    /// The part of the test rows that is recognised.
    pub(crate) accuracy: f64,
    pub(crate) bytes: f64,
    /// A call of 64 rows, in microseconds.
    pub(crate) latency: f64,
}

impl Bench {
    pub(crate) fn new(seed: Seed) -> Result<Self> {
        let (rest, test) = digits::data()?;
        let (train, validation) = rest.stratified_split_off(0.2, seed)?;
        #[rustfmt::skip]
        let mut dense = Sequential::new(train.features())
            .dense(300).relu().dense(100).relu().dense(10).softmax()
            .build(seed)?;
        trainer(Adam::new(rate()), seed).fit(&mut dense, &train)?;
        Ok(Self {
            seed,
            train,
            validation,
            test,
            dense,
        })
    }

    /// Trains a network further.
    pub(crate) fn tune(&self, network: &mut Network) -> Result<()> {
        self.tune_with(Adam::new(rate()), network)
    }

    pub(crate) fn tune_with(
        &self,
        optimizer: impl Into<Chain>,
        network: &mut Network,
    ) -> Result<()> {
        trainer(optimizer, self.seed).fit(network, &self.train)?;
        Ok(())
    }

    /// The network pruned and fine-tuned.
    pub(crate) fn pruned(&self, prune: &dyn Prune) -> Result<Network> {
        let mut network = self.dense.clone();
        prune.prune(&mut network)?;
        self.tune(&mut network)?;
        Ok(network)
    }

    pub(crate) fn accuracy(&self, network: &Network) -> Result<f64> {
        Ok(confusion_matrix(network, &self.test)?.accuracy())
    }

    pub(crate) fn figures(&self, network: &Network) -> Result<Figures> {
        let target = Target::rows(64);
        let compiled = CompressedNetwork::compile_on(network.clone(), &target, &self.test)?;
        let mut latency = f64::INFINITY;
        for _ in 0..3 {
            let [time] = Latency::compare([&compiled], &target, &self.test)?;
            latency = latency.min(time.median.as_secs_f64() * 1e6);
        }
        Ok(Figures {
            accuracy: self.accuracy(network)?,
            bytes: CompressedNetwork::new(network.clone())?.to_bytes()?.len() as f64,
            latency,
        })
    }
}

/// The mean over all networks.
pub(crate) fn mean(benches: &[Bench], figure: impl FnMut(&Bench) -> Result<f64>) -> Result<f64> {
    let figures = benches.iter().map(figure).collect::<Result<Vec<_>>>()?;
    Ok(figures.iter().sum::<f64>() / figures.len() as f64)
}

/// The means of all figures.
pub(crate) fn means(
    benches: &[Bench],
    figures: impl FnMut(&Bench) -> Result<Figures>,
) -> Result<Figures> {
    let all = benches.iter().map(figures).collect::<Result<Vec<_>>>()?;
    let mean = |figure: fn(&Figures) -> f64| all.iter().map(figure).sum::<f64>() / all.len() as f64;
    Ok(Figures {
        accuracy: mean(|figures| figures.accuracy),
        bytes: mean(|figures| figures.bytes),
        latency: mean(|figures| figures.latency),
    })
}

/// Rows of a step.
pub(crate) const BATCH: usize = 32;

pub(crate) fn rate() -> LearningRate {
    LearningRate::cosine(1e-3)
}

fn trainer(optimizer: impl Into<Chain>, seed: Seed) -> Trainer<'static> {
    Trainer::new(optimizer.into(), CategoricalCrossEntropy)
        .epochs(20)
        .batch_size(BATCH)
        .seed(seed)
        .progress(Progress::Quiet)
}
