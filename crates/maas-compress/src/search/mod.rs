//! The smallest network within a budget of accuracy.

mod curve;
mod plan;
mod trials;

use std::fmt;

pub use plan::{Bits, LayerPlan, Plan};

use maas_data::Dataset;
use maas_nn::Network;

use crate::fine_tune::{FineTune, Source};
use crate::measure::{Measured, measure};
use crate::pruning::check_fraction;
use crate::report::Method;
use crate::{
    CompressedNetwork, Criterion, Error, Grain, Magnitude, Prune, Pruner, Report, ShrinkReport,
    Target, shrink,
};
use curve::{Curve, curves};
use trials::Trials;

/// Finds how far each layer can be compressed so that the file is the smallest, or [calls the fastest](Self::fastest), with
/// a metric within a budget.
///
/// Each layer is tried alone at every sparsity and number of bits: what it would cost in the file, and how much it would
/// change the network's answers. A price for a unit of that change gives a plan, for each layer then takes what is cheapest
/// in all (Shoham and Gersho, 1988); a search over the price finds the cheapest plan that is within the budget
/// after it was pruned, fine-tuned and rounded.
///
/// The metric is that of the data given: choose by validation data, never by test data.
///
/// ```
/// use maas_compress::BudgetSearch;
/// use maas_core::Seed;
/// use maas_data::Dataset;
/// use maas_nn::{Network, Sequential};
/// use ndarray::Array2;
///
/// let x = Array2::from_shape_fn((64, 4), |(i, j)| ((i * 4 + j) as f32).sin());
/// let y = Array2::from_shape_fn((64, 1), |(i, _)| x[[i, 0]]);
/// let data = Dataset::new(x.view(), y.view()).unwrap();
/// let mut network = Sequential::new(data.features()).dense(64).relu().dense(1).build(Seed(7))?;
///
/// // .fine_tune(|network| trainer.fit(network, &train)) goes between these two lines.
/// let found = BudgetSearch::within(0.05).run(&mut network, &data)?;
/// assert!(found.report.metric_after <= found.report.metric_before + 0.05);
/// println!("{}: {:.1} % zeros in all", found.plan, 100.0 * found.plan.sparsity());
/// # Ok::<(), maas_compress::Error>(())
/// ```
#[must_use]
pub struct BudgetSearch<'a> {
    budget: f64,
    /// Fractions of the units of hidden layers that leave the network, the most that is within the budget.
    units: Vec<f64>,
    sparsities: Vec<f64>,
    bits: Vec<Bits>,
    layers: Layers,
    fine_tune: Option<FineTune<'a>>,
    target: Target,
}

/// A plan, what it makes of a network, and the metric of that.
type Best = (Plan, Network, Measured);

/// Whether layers are compressed differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layers {
    Each,
    Alike,
}

/// What a search has found.
#[derive(Debug)]
#[non_exhaustive]
pub struct Found {
    /// The network, compiled.
    pub network: CompressedNetwork,
    /// How far each layer is compressed.
    pub plan: Plan,
    /// What that has brought.
    pub report: Report,
}

impl<'a> BudgetSearch<'a> {
    /// A search for the smallest file whose metric is worse by at most `budget` than before, in the metric's own unit: 0.01
    /// is a percentage point of accuracy.
    ///
    /// See the type for an example.
    pub fn within(budget: f64) -> Self {
        Self {
            budget,
            units: vec![0.0],
            sparsities: SPARSITIES.to_vec(),
            bits: vec![
                Bits::Full,
                Bits::Codebook(32),
                Bits::Codebook(16),
                Bits::Codebook(8),
            ],
            layers: Layers::Each,
            fine_tune: None,
            target: Target::default(),
        }
    }

    /// Trains a pruned network further, before it is rounded and measured. Its result is left out; its error may be any.
    ///
    /// See the type for an example.
    pub fn fine_tune<T, E: Into<Source>>(
        mut self,
        fine_tune: impl FnMut(&mut Network) -> Result<T, E> + 'a,
    ) -> Self {
        self.fine_tune = Some(FineTune::new(fine_tune));
        self
    }

    /// First looks for the fewest units, since calls are fastest without them: [`units`](Self::units) from 0 to 95 %.
    ///
    /// ```
    /// # let search = maas_compress::BudgetSearch::within(0.01)
    /// .fastest()
    /// # ;
    /// ```
    pub fn fastest(self) -> Self {
        self.units(UNITS)
    }

    /// Fractions of the units of hidden layers that may leave the network: those of least magnitude among all of them,
    /// before it is fine-tuned. The most whose metric is within the budget leave; the search goes on with what is left.
    ///
    /// ```
    /// # let search = maas_compress::BudgetSearch::within(0.01)
    /// .units([0.0, 0.5, 0.75])
    /// # ;
    /// ```
    pub fn units(self, fractions: impl Into<Vec<f64>>) -> Self {
        let mut units = fractions.into();
        units.sort_by(|a, b| b.total_cmp(a));
        Self { units, ..self }
    }

    /// Other sparsities to choose from than those from 0 to 99 %.
    ///
    /// ```
    /// # let search = maas_compress::BudgetSearch::within(0.01)
    /// .sparsities([0.0, 0.5, 0.9])
    /// # ;
    /// ```
    pub fn sparsities(self, sparsities: impl Into<Vec<f64>>) -> Self {
        Self {
            sparsities: sparsities.into(),
            ..self
        }
    }

    /// Other bits to choose from than single precision and codebooks of 32, 16 and 8 values.
    ///
    /// ```
    /// # use maas_compress::{Bits, BudgetSearch};
    /// # let search = BudgetSearch::within(0.01)
    /// .bits([Bits::Full, Bits::Int8])
    /// # ;
    /// ```
    pub fn bits(self, bits: impl Into<Vec<Bits>>) -> Self {
        Self {
            bits: bits.into(),
            ..self
        }
    }

    /// Compresses all layers alike: what a search for each layer is to be compared with.
    ///
    /// ```
    /// # let search = maas_compress::BudgetSearch::within(0.01)
    /// .alike()
    /// # ;
    /// ```
    pub fn alike(self) -> Self {
        Self {
            layers: Layers::Alike,
            ..self
        }
    }

    /// Compiles the network for other calls than those of one row on one thread.
    ///
    /// ```
    /// # use maas_compress::{BudgetSearch, Target};
    /// # let search = BudgetSearch::within(0.01)
    /// .target(Target::rows(64))
    /// # ;
    /// ```
    pub fn target(self, target: Target) -> Self {
        Self { target, ..self }
    }

    /// Searches, and leaves the network pruned, fine-tuned, rounded and masked as the plan says.
    ///
    /// # Errors
    /// [`Error::Budget`] when no plan is within the budget, with what was reached; [`Error::Sparsity`] and
    /// [`Error::NoValues`] for what cannot be chosen; [`Error::NoChoices`] without anything to choose from;
    /// [`Error::NotFinite`]; [`Error::FineTune`]; [`Error::Network`] when network and data do not fit. The network is then
    /// as it was.
    ///
    /// See the type for an example.
    pub fn run(mut self, network: &mut Network, data: &Dataset) -> Result<Found, Error> {
        if self.units.is_empty() || self.sparsities.is_empty() || self.bits.is_empty() {
            return Err(Error::NoChoices);
        }
        self.units.iter().copied().try_for_each(check_fraction)?;
        crate::prune::finite_weights(network)?;
        let before = measure(network, data)?;
        let mut trials = Trials::new(self.budget, before.value, data);
        for units in std::mem::take(&mut self.units) {
            let (narrow, shrunk) = self.narrow(network, units)?;
            if shrunk.is_some() && trials.of(&narrow)?.is_none() {
                continue;
            }
            if let Some(best) = self.search(&narrow, &mut trials)? {
                return self.found(network, before, best, shrunk, trials);
            }
        }
        Err(Error::Budget {
            expected: self.budget,
            found: trials.least,
        })
    }

    /// The network without this fraction of its units.
    fn narrow(
        &mut self,
        network: &Network,
        units: f64,
    ) -> Result<(Network, Option<ShrinkReport>), Error> {
        let mut narrow = network.clone();
        if units == 0.0 {
            return Ok((narrow, None));
        }
        let pruner = Pruner::new(Magnitude, units).grain(Grain::Neuron);
        pruner.prune(&mut narrow)?;
        let (mut narrow, shrunk) = shrink(&narrow)?;
        if let Some(fine_tune) = &mut self.fine_tune {
            fine_tune.run(&mut narrow)?;
        }
        Ok((narrow, Some(shrunk)))
    }

    /// The harshest plan that is within the budget, with what it makes of the network and the metric of that.
    fn search(
        &mut self,
        network: &Network,
        trials: &mut Trials<'_>,
    ) -> Result<Option<Best>, Error> {
        let curves = curves(network, trials.data, &self.sparsities, &self.bits)?;
        let mut plans = self.plans(&curves);
        let mut best = None;
        // From the mildest plan that is not known to be too much to the harshest: the metric falls, near enough.
        let (mut mild, mut harsh) = (0, plans.len());
        while mild < harsh {
            let middle = usize::midpoint(mild, harsh);
            let tried = self.apply(&plans[middle], network)?;
            if let Some(metric) = trials.of(&tried)? {
                best = Some((middle, tried, metric));
                mild = middle + 1;
            } else {
                harsh = middle;
            }
        }
        Ok(best.map(|(plan, network, metric)| (plans.swap_remove(plan), network, metric)))
    }

    fn found(
        &self,
        network: &mut Network,
        before: Measured,
        (plan, compressed, metric): Best,
        shrunk: Option<ShrinkReport>,
        trials: Trials<'_>,
    ) -> Result<Found, Error> {
        let data = trials.data;
        let compiled = CompressedNetwork::compile_on(compressed, &self.target, data)?;
        let method = Method {
            name: Magnitude.name(),
            lambda: None,
            shrunk,
        };
        let mut report = Report::new(
            (network, before),
            (&compiled, metric),
            method,
            &self.target,
            data,
        )?;
        report.trade_off.after.splice(..0, trials.points);
        *network = compiled.network().clone();
        Ok(Found {
            network: compiled,
            plan,
            report,
        })
    }

    /// Plans from the mildest to the harshest.
    fn plans(&self, curves: &[Curve]) -> Vec<Plan> {
        let mut plans: Vec<Plan> = match self.layers {
            Layers::Each => (0..PRICES)
                .map(|step| 10f64.powf(HIGHEST - step as f64 / PRICES_A_DECADE))
                .map(|price| curves.iter().map(|curve| curve.best(price)).collect())
                .collect(),
            Layers::Alike => (0..self.sparsities.len() * self.bits.len())
                .map(|option| curves.iter().map(|curve| &curve.options[option]).collect())
                .collect(),
        };
        plans.sort_by(|a, b| b.bytes().total_cmp(&a.bytes()));
        plans.dedup();
        plans
    }

    /// The network as a plan makes it.
    fn apply(&mut self, plan: &Plan, network: &Network) -> Result<Network, Error> {
        let mut network = network.clone();
        plan.prune(&mut network)?;
        if let Some(fine_tune) = &mut self.fine_tune {
            fine_tune.run(&mut network)?;
        }
        plan.quantize(&mut network)?;
        Ok(network)
    }
}

impl fmt::Debug for BudgetSearch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BudgetSearch")
            .field("budget", &self.budget)
            .field("units", &self.units)
            .field("sparsities", &self.sparsities)
            .field("bits", &self.bits)
            .field("fine_tune", &self.fine_tune.is_some())
            .finish_non_exhaustive()
    }
}

/// What hidden layers may lose of their units.
const UNITS: [f64; 10] = [0.0, 0.25, 0.5, 0.625, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95];

/// What a layer may lose of its weights.
const SPARSITIES: [f64; 13] = [
    0.0, 0.3, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.98, 0.99,
];

/// Prices of a change as large as the answers themselves, in bytes: powers of ten from the highest on downwards.
const PRICES: usize = 120;
const HIGHEST: f64 = 9.0;
const PRICES_A_DECADE: f64 = 15.0;
