//! The smallest network within a budget of accuracy.

mod curve;
mod plan;

use std::fmt;

pub use plan::{Bits, LayerPlan, Plan};

use maas_data::Dataset;
use maas_nn::metric::Goal;
use maas_nn::{Network, Representation};

use crate::fine_tune::{FineTune, Source};
use crate::measure::{goal, measure};
use crate::report::{Method, SizedMetric};
use crate::{CompressedNetwork, Criterion, Error, Magnitude, Report, Target, format};
use curve::{Curve, curves};

/// Finds how far each layer can be compressed so that the file is the smallest whose metric is within a budget.
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
    sparsities: Vec<f64>,
    bits: Vec<Bits>,
    layers: Layers,
    fine_tune: Option<FineTune<'a>>,
    target: Target,
}

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
        if self.sparsities.is_empty() || self.bits.is_empty() {
            return Err(Error::NoChoices);
        }
        crate::prune::finite_weights(network)?;
        let before = measure(network, data)?;
        let curves = curves(network, data, &self.sparsities, &self.bits)?;
        let plans = self.plans(&curves);
        let loss = |metric: f64| match goal(data) {
            Goal::Minimize => metric - before.value,
            Goal::Maximize => before.value - metric,
        };
        let (mut best, mut least) = (None, f64::INFINITY);
        let mut points = Vec::new();
        // From the mildest plan that is not known to be too much to the harshest: the metric falls, near enough.
        let (mut mild, mut harsh) = (0, plans.len());
        while mild < harsh {
            let middle = usize::midpoint(mild, harsh);
            let tried = self.apply(&plans[middle], network)?;
            let metric = measure(&tried, data)?;
            points.push(SizedMetric::new(
                format::write(&tried, |_| Representation::Dense)?
                    .bytes
                    .len(),
                metric.value,
            ));
            least = least.min(loss(metric.value));
            if loss(metric.value) <= self.budget {
                best = Some((plans[middle].clone(), tried, metric));
                mild = middle + 1;
            } else {
                harsh = middle;
            }
        }
        let Some((plan, compressed, metric)) = best else {
            return Err(Error::Budget {
                expected: self.budget,
                found: least,
            });
        };
        let compiled = CompressedNetwork::compile_on(compressed, &self.target, data)?;
        let method = Method {
            name: Magnitude.name(),
            lambda: None,
            shrunk: None,
        };
        let mut report = Report::new(
            (network, before),
            (&compiled, metric),
            method,
            &self.target,
            data,
        )?;
        report.trade_off.after.splice(..0, points);
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
            .field("sparsities", &self.sparsities)
            .field("bits", &self.bits)
            .field("fine_tune", &self.fine_tune.is_some())
            .finish_non_exhaustive()
    }
}

/// What a layer may lose of its weights.
const SPARSITIES: [f64; 13] = [
    0.0, 0.3, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.98, 0.99,
];

/// Prices of a change as large as the answers themselves, in bytes: powers of ten from the highest on downwards.
const PRICES: usize = 120;
const HIGHEST: f64 = 9.0;
const PRICES_A_DECADE: f64 = 15.0;
