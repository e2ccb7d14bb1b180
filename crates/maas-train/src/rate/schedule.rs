//! The formulas. t counts steps from 0, so that the first step goes at the first rate.

use serde::{Deserialize, Serialize};

use super::math::{cos_pi, ln, power, whole_power};
use super::{Horizon, Span};
use crate::Error;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Schedule {
    Constant {
        rate: f32,
    },
    Step {
        from: f32,
        factor: f32,
        every: Span,
    },
    Piecewise {
        pieces: Vec<(f32, Span)>,
        then: f32,
    },
    Exponential {
        from: f32,
        factor: f32,
        over: Span,
    },
    InverseTime {
        from: f32,
        decay: f32,
        over: Span,
    },
    Polynomial {
        from: f32,
        to: f32,
        power: f32,
        over: Span,
    },
    Cosine {
        from: f32,
        to: f32,
        over: Span,
    },
    WarmRestarts {
        from: f32,
        to: f32,
        first: Span,
        lengthen: f32,
        lower: f32,
    },
    OneCycle {
        highest: f32,
        rise: f32,
        start_divisor: f32,
        end_divisor: f32,
        over: Span,
    },
    Table {
        rates: Vec<f32>,
        every: Span,
    },
}

impl Schedule {
    /// The rate after `t` steps. What makes no sense comes out as a rate that makes none.
    pub(super) fn at(&self, t: f64, horizon: Horizon) -> Result<f64, Error> {
        let length = |span: Span| {
            let steps = span.steps_in(horizon)?;
            if steps > 0.0 {
                Ok(steps)
            } else {
                Err(Error::Span { value: steps })
            }
        };
        Ok(match self {
            Self::Constant { rate } => f64::from(*rate),
            Self::Step {
                from,
                factor,
                every,
            } => f64::from(*from) * power(f64::from(*factor), (t / length(*every)?).floor()),
            Self::Piecewise { pieces, then } => {
                let mut end = 0.0;
                for (rate, span) in pieces {
                    end += span.steps_in(horizon)?;
                    if t < end {
                        return Ok(f64::from(*rate));
                    }
                }
                f64::from(*then)
            }
            Self::Exponential { from, factor, over } => {
                f64::from(*from) * power(f64::from(*factor), t / length(*over)?)
            }
            Self::InverseTime { from, decay, over } => {
                f64::from(*from) / (1.0 + f64::from(*decay) * t / length(*over)?)
            }
            Self::Polynomial {
                from,
                to,
                power: exponent,
                over,
            } => {
                let left = 1.0 - share(t, over.steps_in(horizon)?);
                between(*from, *to, power(left, f64::from(*exponent)))
            }
            Self::Cosine { from, to, over } => {
                between(*from, *to, fall(share(t, over.steps_in(horizon)?)))
            }
            Self::WarmRestarts {
                from,
                to,
                first,
                lengthen,
                lower,
            } => {
                let (restarts, share) = cycle(t / length(*first)?, f64::from(*lengthen));
                let height = whole_power(f64::from(*lower), restarts);
                between(*from, *to, height * fall(share))
            }
            Self::OneCycle {
                highest,
                rise,
                start_divisor,
                end_divisor,
                over,
            } => {
                let length = over.steps_in(horizon)?;
                let start = f64::from(*highest) / f64::from(*start_divisor);
                let end = start / f64::from(*end_divisor);
                let (top, last) = (f64::from(*rise) * length - 1.0, length - 1.0);
                let highest = f64::from(*highest);
                if t <= top {
                    highest + (start - highest) * fall(share(t, top))
                } else {
                    let (t, last) = ((t - top.max(0.0)).max(0.0), last - top.max(0.0));
                    end + (highest - end) * fall(share(t, last))
                }
            }
            Self::Table { rates, every } => {
                let place = (t / length(*every)?).floor().min(rates.len() as f64 - 1.0);
                rates
                    .get(place as usize)
                    .map_or(f64::NAN, |&rate| f64::from(rate))
            }
        })
    }
}

/// How much of a span is over. One without a length, which a warm-up may leave, is at its beginning first.
fn share(t: f64, length: f64) -> f64 {
    if t <= 0.0 {
        0.0
    } else if length > 0.0 {
        (t / length).min(1.0)
    } else {
        1.0
    }
}

/// ½ (1 + cos π x): from 1 to 0.
fn fall(x: f64) -> f64 {
    0.5 * (1.0 + cos_pi(x))
}

/// `to` at 0, `from` at 1.
fn between(from: f32, to: f32, share: f64) -> f64 {
    let (from, to) = (f64::from(from), f64::from(to));
    to + (from - to) * share
}

/// Restarts so far, and the share of the present cycle: cycles have the lengths 1, q, q², …
fn cycle(t: f64, q: f64) -> (u64, f64) {
    if q == 1.0 {
        return (t.floor() as u64, t.fract());
    }
    let start = |n: u64| (1.0 - whole_power(q, n)) / (1.0 - q);
    // Floating point may miss the number by one in either direction.
    let mut n = (ln((1.0 - t * (1.0 - q)).max(f64::MIN_POSITIVE)) / ln(q))
        .floor()
        .max(0.0) as u64;
    while n > 0 && start(n) > t {
        n -= 1;
    }
    while whole_power(q, n) > 0.0 && start(n + 1) <= t {
        n += 1;
    }
    (n, ((t - start(n)) / whole_power(q, n)).clamp(0.0, 1.0))
}
