//! What is tried.

use std::fmt;

use maas_core::Seed;
use serde::{Deserialize, Serialize};

use crate::Error;

/// One value of a setting.
///
/// ```
/// use maas_train::Setting;
/// assert_eq!(Setting::from(32).to_string(), "32");
/// assert_eq!(Setting::from("relu").to_string(), "relu");
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Setting {
    /// A whole number.
    Whole(u64),
    /// A number.
    Number(f64),
    /// A name.
    Text(String),
}

impl From<i32> for Setting {
    fn from(value: i32) -> Self {
        u64::try_from(value).map_or(Self::Number(value.into()), Self::Whole)
    }
}

impl From<usize> for Setting {
    fn from(value: usize) -> Self {
        Self::Whole(value as u64)
    }
}

impl From<f64> for Setting {
    fn from(value: f64) -> Self {
        Self::Number(value)
    }
}

impl From<f32> for Setting {
    fn from(value: f32) -> Self {
        Self::Number(value.into())
    }
}

impl From<&str> for Setting {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(value) => write!(f, "{value}"),
            Self::Number(value) if *value != 0.0 && !(1e-2..1e6).contains(&value.abs()) => {
                write!(f, "{value:.3e}")
            }
            Self::Number(value) => write!(f, "{value:.4}"),
            Self::Text(value) => f.write_str(value),
        }
    }
}

/// What a setting may be.
#[derive(Clone, Debug)]
pub(super) enum Axis {
    Choice(Vec<Setting>),
    Range { low: f64, high: f64 },
    LogRange { low: f64, high: f64 },
}

/// The settings of one trial.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Trial {
    /// Its number, from 0.
    pub number: usize,
    /// A seed of its own.
    pub seed: Seed,
    settings: Vec<(String, Setting)>,
}

impl Trial {
    /// The settings in the order of the space.
    pub fn settings(&self) -> impl Iterator<Item = (&str, &Setting)> {
        self.settings
            .iter()
            .map(|(name, setting)| (name.as_str(), setting))
    }

    /// A number.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] when no setting has this name, or it is no number.
    pub fn number(&self, name: &str) -> Result<f64, Error> {
        match self.setting(name) {
            Some(Setting::Number(value)) => Ok(*value),
            Some(Setting::Whole(value)) => Ok(*value as f64),
            _ => Err(self.refused(name, "a number")),
        }
    }

    /// A whole number.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] when no setting has this name, or it is no whole number of at least 0.
    pub fn whole(&self, name: &str) -> Result<usize, Error> {
        match self.setting(name) {
            Some(Setting::Whole(value)) => usize::try_from(*value).ok(),
            _ => None,
        }
        .ok_or_else(|| self.refused(name, "a whole number"))
    }

    /// A name.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] when no setting has this name, or it is a number.
    pub fn text(&self, name: &str) -> Result<&str, Error> {
        match self.setting(name) {
            Some(Setting::Text(value)) => Ok(value),
            _ => Err(self.refused(name, "a text")),
        }
    }

    fn setting(&self, name: &str) -> Option<&Setting> {
        self.settings()
            .find(|(of, _)| *of == name)
            .map(|(_, setting)| setting)
    }

    fn refused(&self, name: &str, expected: &'static str) -> Error {
        Error::Setting {
            name: name.to_owned(),
            expected,
            found: self.setting(name).map(ToString::to_string),
        }
    }
}

/// All trials: every combination of choices, or so many draws.
pub(super) fn trials(
    axes: &[(String, Axis)],
    drawn: Option<usize>,
    seed: Seed,
) -> Result<Vec<Trial>, Error> {
    check(axes, drawn.is_some())?;
    let count = match drawn {
        Some(count) => count,
        None => (axes.iter())
            .try_fold(1_usize, |count, (_, axis)| count.checked_mul(axis.len()))
            .ok_or(Error::Space {
                name: String::new(),
                problem: "too many combinations",
            })?,
    };
    let trial = |number: usize| {
        let own = seed.derive(number as u64);
        let mut left = number;
        let mut settings: Vec<_> = (axes.iter().enumerate().rev())
            .map(|(index, (name, axis))| {
                let setting = match drawn {
                    // Streams that no network of this seed uses.
                    Some(_) => axis.draw(own.derive(u64::MAX).derive(index as u64).0),
                    None => {
                        let place = left % axis.len();
                        left /= axis.len();
                        axis.at(place)
                    }
                };
                (name.clone(), setting)
            })
            .collect();
        settings.reverse();
        Trial {
            number,
            seed: own,
            settings,
        }
    };
    Ok((0..count).map(trial).collect())
}

fn check(axes: &[(String, Axis)], drawn: bool) -> Result<(), Error> {
    for (index, (name, axis)) in axes.iter().enumerate() {
        let finite = |low: f64, high: f64| low.is_finite() && high.is_finite() && low <= high;
        let problem = match axis {
            _ if axes[..index].iter().any(|(other, _)| other == name) => "the name is there twice",
            Axis::Choice(settings) if settings.is_empty() => "there is nothing to choose from",
            Axis::Range { .. } | Axis::LogRange { .. } if !drawn => "a range is not for a grid",
            Axis::Range { low, high } if !finite(*low, *high) => "the range is empty or not finite",
            Axis::LogRange { low, high } if !(finite(*low, *high) && *low > 0.0) => {
                "the range is empty, not finite or not positive"
            }
            Axis::Choice(_) | Axis::Range { .. } | Axis::LogRange { .. } => continue,
        };
        return Err(Error::Space {
            name: name.clone(),
            problem,
        });
    }
    Ok(())
}

impl Axis {
    fn len(&self) -> usize {
        match self {
            Self::Choice(settings) => settings.len(),
            Self::Range { .. } | Self::LogRange { .. } => 1,
        }
    }

    fn at(&self, place: usize) -> Setting {
        match self {
            Self::Choice(settings) => settings[place].clone(),
            Self::Range { low, .. } | Self::LogRange { low, .. } => Setting::Number(*low),
        }
    }

    /// By 64 random bits.
    fn draw(&self, bits: u64) -> Setting {
        let share = (bits >> 11) as f64 / (1_u64 << 53) as f64;
        match self {
            Self::Choice(settings) => {
                let place = (u128::from(bits) * settings.len() as u128) >> 64;
                settings[place as usize].clone()
            }
            Self::Range { low, high } => Setting::Number(low + share * (high - low)),
            Self::LogRange { low, high } => {
                let number = (low.ln() + share * (high / low).ln()).exp();
                Setting::Number(number.clamp(*low, *high))
            }
        }
    }
}
