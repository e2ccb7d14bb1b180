//! The rates of a chain and its groups.

use maas_nn::{Segment, Step};

use super::groups::Treatment;
use crate::rate::Memory;
use crate::{Chain, EpochRecord, Error, Figure, Goal, Horizon, LearningRate};

/// How a segment is treated.
#[derive(Clone, Copy, Debug)]
pub(super) struct Treated {
    pub(super) frozen: bool,
    /// The number of its rate.
    pub(super) rate: usize,
}

/// The chain's rate, and those of groups.
#[derive(Clone, Debug)]
pub(super) struct Rates {
    rates: Vec<Rate>,
    pub(super) horizon: Horizon,
}

#[derive(Clone, Debug)]
struct Rate {
    schedule: LearningRate,
    memory: Memory,
    factor: f32,
    /// The rate of the step at hand or just done, and that of the last one before it that had a rate above 0.
    now: f32,
    last: f32,
}

impl Rates {
    pub(super) fn new(chain: &Chain, segments: &[Segment]) -> Result<(Self, Vec<Treated>), Error> {
        let rate = |schedule: &LearningRate, factor| Rate {
            schedule: schedule.clone(),
            memory: Memory::default(),
            factor,
            now: 0.0,
            last: 0.0,
        };
        let mut rates = vec![rate(chain.rate(), 1.0)];
        let mut treated = vec![
            Treated {
                frozen: false,
                rate: 0
            };
            segments.len()
        ];
        for group in chain.groups() {
            let treatment = match &group.treatment {
                Treatment::Frozen => Treated {
                    frozen: true,
                    rate: 0,
                },
                Treatment::Factor(factor) => {
                    if !(0.0..f32::INFINITY).contains(factor) {
                        return Err(Error::Coefficient {
                            name: "rate_factor",
                            range: "[0, ∞)",
                            value: *factor,
                        });
                    }
                    rates.push(rate(chain.rate(), *factor));
                    Treated {
                        frozen: false,
                        rate: rates.len() - 1,
                    }
                }
                Treatment::Rate(own) => {
                    rates.push(rate(own, 1.0));
                    Treated {
                        frozen: false,
                        rate: rates.len() - 1,
                    }
                }
            };
            for number in group.segments(segments)? {
                treated[number] = treatment;
            }
        }
        let rates = Self {
            rates,
            horizon: Horizon::unknown(),
        };
        rates.check()?;
        Ok((rates, treated))
    }

    /// Whether the first step has a rate, as far as that can be told before the horizon is known.
    fn check(&self) -> Result<(), Error> {
        for rate in &self.rates {
            match rate.at(1, self.horizon) {
                Err(Error::Horizon { .. }) | Ok(_) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Finds all rates of a step.
    pub(super) fn go_to(&mut self, number: u64) -> Result<(), Error> {
        for rate in &self.rates {
            rate.at(number, self.horizon)?;
        }
        for rate in &mut self.rates {
            rate.last = rate.last_above_zero();
            rate.now = rate.at(number, self.horizon)?;
        }
        Ok(())
    }

    /// The step at the rate with this number.
    pub(super) fn put(&self, rate: usize, step: Step) -> Step {
        let Rate { now, last, .. } = self.rates[rate];
        step.rate(now, if last > 0.0 { last } else { now })
    }

    /// The chain's rate in a step.
    pub(super) fn first_at(&self, number: u64) -> Result<f32, Error> {
        self.rates[0].at(number, self.horizon)
    }

    pub(super) fn observe(&mut self, figure: f64) {
        for rate in &mut self.rates {
            rate.schedule.observe(figure, &mut rate.memory);
        }
    }

    pub(super) fn observe_epoch(&mut self, record: &EpochRecord) {
        for rate in &mut self.rates {
            rate.schedule.observe_epoch(record, &mut rate.memory);
        }
    }

    pub(super) fn settle(
        &mut self,
        goal_of: impl Fn(&Figure) -> Result<Goal, Error>,
    ) -> Result<(), Error> {
        self.rates
            .iter_mut()
            .try_for_each(|rate| rate.schedule.settle(&goal_of))
    }

    /// What is remembered between epochs.
    pub(super) fn numbers(&self) -> impl Iterator<Item = f64> {
        self.rates.iter().flat_map(|rate| {
            let last = f64::from(rate.last_above_zero());
            rate.memory.to_numbers().into_iter().chain([last])
        })
    }

    /// How many [`numbers`](Self::numbers) there are.
    pub(super) fn count(&self) -> usize {
        self.rates.len() * (Memory::NUMBERS + 1)
    }

    /// Puts back [`count`](Self::count) numbers.
    pub(super) fn restore(&mut self, numbers: &[f64]) {
        let (numbers, _) = numbers.as_chunks::<{ Memory::NUMBERS + 1 }>();
        for (rate, &[memory @ .., last]) in self.rates.iter_mut().zip(numbers) {
            rate.memory = Memory::from_numbers(memory);
            (rate.now, rate.last) = (0.0, last as f32);
        }
    }
}

impl Rate {
    fn last_above_zero(&self) -> f32 {
        if self.now > 0.0 { self.now } else { self.last }
    }

    fn at(&self, number: u64, horizon: Horizon) -> Result<f32, Error> {
        let rate = self.schedule.at_with(number, horizon, &self.memory)?;
        Ok(if self.factor == 1.0 {
            rate
        } else {
            rate * self.factor
        })
    }
}
