use std::collections::BTreeMap;
use std::collections::btree_map;

/// The value of a parameter.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Parameter {
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A whole number that is larger than [`i64::MAX`].
    UInt(u64),
    /// Any other number; finite.
    Double(f64),
    /// A text.
    String(String),
}

impl Parameter {
    /// The value as a whole number that is not negative, if it is one.
    ///
    /// ```
    /// use maas_service::Parameter;
    /// assert_eq!(Parameter::from(3_usize).as_u64(), Some(3));
    /// assert_eq!(Parameter::from("3").as_u64(), None);
    /// ```
    #[must_use]
    pub fn as_u64(&self) -> Option<u64> {
        match *self {
            Self::Int(value) => u64::try_from(value).ok(),
            Self::UInt(value) => Some(value),
            Self::Bool(_) | Self::Double(_) | Self::String(_) => None,
        }
    }
}

impl From<bool> for Parameter {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Parameter {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<u64> for Parameter {
    fn from(value: u64) -> Self {
        i64::try_from(value).map_or(Self::UInt(value), Self::Int)
    }
}

impl From<usize> for Parameter {
    fn from(value: usize) -> Self {
        Self::from(value as u64)
    }
}

impl From<f64> for Parameter {
    fn from(value: f64) -> Self {
        Self::Double(value)
    }
}

impl From<String> for Parameter {
    fn from(value: String) -> Self {
        Self::String(value)
    }
}

impl From<&str> for Parameter {
    fn from(value: &str) -> Self {
        Self::String(value.to_owned())
    }
}

/// Named values beside the tensors of a request or a response, in the order of their names.
///
/// ```
/// use maas_service::{Parameter, Parameters};
///
/// let mut parameters = Parameters::default();
/// parameters.set("beams", 2_usize);
/// assert_eq!(parameters.get("beams"), Some(&Parameter::Int(2)));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parameters(BTreeMap<String, Parameter>);

impl Parameters {
    /// The value of `name`.
    ///
    /// ```
    /// assert!(maas_service::Parameters::default().get("priority").is_none());
    /// ```
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Parameter> {
        self.0.get(name)
    }

    /// Sets the value of `name`, whatever it was.
    ///
    /// ```
    /// let mut parameters = maas_service::Parameters::default();
    /// parameters.set("priority", 1_i64);
    /// assert_eq!(parameters.len(), 1);
    /// ```
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<Parameter>) {
        self.0.insert(name.into(), value.into());
    }

    /// How many there are.
    ///
    /// ```
    /// assert_eq!(maas_service::Parameters::default().len(), 0);
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    ///
    /// ```
    /// assert!(maas_service::Parameters::default().is_empty());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them, in the order of their names.
    ///
    /// ```
    /// assert_eq!(maas_service::Parameters::default().iter().count(), 0);
    /// ```
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Parameter)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }
}

impl IntoIterator for Parameters {
    type Item = (String, Parameter);
    type IntoIter = btree_map::IntoIter<String, Parameter>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl FromIterator<(String, Parameter)> for Parameters {
    fn from_iter<I: IntoIterator<Item = (String, Parameter)>>(pairs: I) -> Self {
        Self(pairs.into_iter().collect())
    }
}
