//! Laws of a link in a chain that an optimiser runs.

use std::num::NonZeroUsize;
use std::sync::Arc;

use maas_core::Seed;
use maas_kernels::{Kernels, Parallelism};
use maas_nn::{Mask, Network, Sequential, Transform};

use super::{Law, noise, same};
use crate::{Chain, Error, Optimizer, OptimizerState};

type Holds = fn(&Arc<dyn Transform>) -> Result<bool, Error>;

pub(super) const LAWS: &[(Law, Holds)] = &[
    (Law::Repetition, repetition),
    (Law::Threads, threads),
    (Law::StateRoundTrip, state_round_trip),
    (Law::FrozenStays, frozen_stays),
    (Law::MaskedStays, masked_stays),
    (Law::HiddenIsUnseen, hidden_is_unseen),
];

const STEPS: u64 = 5;
const MASKED: &str = "dense.kernel";
const FROZEN: &str = "dense_1.kernel";

fn repetition(link: &Arc<dyn Transform>) -> Result<bool, Error> {
    let network = network()?;
    let (first, second) = (run(link, &network, noise)?, run(link, &network, noise)?);
    Ok(first.same(&second))
}

fn threads(link: &Arc<dyn Transform>) -> Result<bool, Error> {
    let network = network()?;
    let first = run(link, &network, noise)?;
    for kernels in [Kernels::portable(), Kernels::best()] {
        for threads in [2, 3, 4] {
            let parallelism =
                Parallelism::threads(NonZeroUsize::new(threads).unwrap_or(NonZeroUsize::MIN));
            let mut other = Ran::new(link, &network)?;
            other.optimizer = other.optimizer.kernels(kernels).parallelism(parallelism);
            other.steps(1..=STEPS, noise)?;
            if !other.same(&first) {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

fn state_round_trip(link: &Arc<dyn Transform>) -> Result<bool, Error> {
    let network = network()?;
    for stop in 1..STEPS {
        let mut first = Ran::new(link, &network)?;
        first.steps(1..=stop, noise)?;
        let saved = first.optimizer.state();
        let mut second = Ran::new(link, &first.network)?;
        second.optimizer.restore(&saved)?;
        if !same_state(&second.optimizer.state(), &saved) {
            return Ok(false);
        }
        first.steps(stop + 1..=STEPS, noise)?;
        second.steps(stop + 1..=STEPS, noise)?;
        if !first.same(&second) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn frozen_stays(link: &Arc<dyn Transform>) -> Result<bool, Error> {
    let network = network()?;
    let ran = run(link, &network, noise)?;
    let mut expected = network.parameters().to_vec();
    for segment in network.segments().iter().filter(|s| s.name != FROZEN) {
        let range = segment.range.clone();
        expected[range.clone()].copy_from_slice(&ran.network.parameters()[range]);
    }
    Ok(same(&expected, ran.network.parameters()))
}

fn masked_stays(link: &Arc<dyn Transform>) -> Result<bool, Error> {
    let ran = run(link, &network()?, noise)?;
    let mut average = ran.network.parameters().to_vec();
    if let Some(found) = ran.optimizer.average() {
        found.write(&mut average)?;
    }
    let masked = |parameters: &[f32]| {
        let (mut zero, names) = (true, ran.network.segments());
        for segment in names.iter().filter(|segment| segment.name == MASKED) {
            let weights = parameters[segment.range.clone()].iter().enumerate();
            zero &= weights
                .filter(|(index, _)| !kept(*index))
                .all(|(_, weight)| weight.to_bits() == 0);
        }
        zero
    };
    Ok(masked(ran.network.parameters()) && masked(&average))
}

/// The gradient of what is masked or frozen makes no difference, not even where it is not a number.
fn hidden_is_unseen(link: &Arc<dyn Transform>) -> Result<bool, Error> {
    let network = network()?;
    let hidden = |index: usize| {
        network.segments().iter().any(|segment| {
            segment.range.contains(&index)
                && (segment.name == FROZEN
                    || (segment.name == MASKED && !kept(index - segment.range.start)))
        })
    };
    let first = run(link, &network, noise)?;
    let second = run(link, &network, |step, index| {
        if hidden(index) {
            f32::NAN
        } else {
            noise(step, index)
        }
    })?;
    Ok(first.same(&second))
}

/// Two kernels that are longer than a block, the second one frozen and the first one masked.
fn network() -> Result<Network, Error> {
    let mut network = Sequential::rows(70)
        .dense(130)
        .dense(65)
        .dense(3)
        .build(Seed(5))?;
    network.set_mask(MASKED, Mask::from_fn(70 * 130, kept))?;
    Ok(network)
}

fn kept(index: usize) -> bool {
    index % 3 != 1
}

/// A link, some steps later.
struct Ran {
    network: Network,
    optimizer: Optimizer,
}

impl Ran {
    fn new(link: &Arc<dyn Transform>, network: &Network) -> Result<Self, Error> {
        let chain = Chain::new(0.05).then_shared(link).freeze(FROZEN);
        Ok(Self {
            optimizer: Optimizer::new(chain, network)?,
            network: network.clone(),
        })
    }

    fn steps(
        &mut self,
        numbers: std::ops::RangeInclusive<u64>,
        gradient: impl Fn(u64, usize) -> f32,
    ) -> Result<(), Error> {
        let mut values = vec![0.0; self.network.parameters().len()];
        for step in numbers {
            values.fill(0.0);
            for segment in self.network.segments() {
                for index in segment.range.clone() {
                    values[index] = gradient(step, index);
                }
            }
            self.optimizer.step(&mut self.network, &mut values)?;
        }
        Ok(())
    }

    fn same(&self, other: &Self) -> bool {
        same(self.network.parameters(), other.network.parameters())
            && same_state(&self.optimizer.state(), &other.optimizer.state())
    }
}

fn run(
    link: &Arc<dyn Transform>,
    network: &Network,
    gradient: impl Fn(u64, usize) -> f32,
) -> Result<Ran, Error> {
    let mut ran = Ran::new(link, network)?;
    ran.steps(1..=STEPS, gradient)?;
    Ok(ran)
}

fn same_state(a: &OptimizerState, b: &OptimizerState) -> bool {
    let bits = |state: &OptimizerState| -> Vec<u64> {
        state
            .scalars
            .iter()
            .map(|scalar| scalar.to_bits())
            .collect()
    };
    a.steps == b.steps && same(&a.values, &b.values) && bits(a) == bits(b)
}
