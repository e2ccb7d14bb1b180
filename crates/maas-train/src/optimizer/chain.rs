use std::sync::Arc;

use maas_nn::Transform;

use serde_json::{Value, json};

use super::groups::{Group, Treatment};
use crate::{Error, GradientDescent, LearningRate};

/// An optimiser: links that turn a gradient into a direction u, and the rate α of θ ← θ − α·u.
///
/// Links run in the order in which they were added, block by block, so that a chain of any length makes one pass over
/// memory. Without links a chain is gradient descent. [`Sgd`](crate::Sgd), [`Adam`](crate::Adam) and
/// [`GradientDescent`] are chains with a name, and every place that takes a chain takes them.
///
/// ```
/// use maas_nn::{Block, Step, Transform};
/// use maas_train::{Chain, Momentum};
///
/// /// Keeps every element of the direction within ± a limit.
/// #[derive(Debug)]
/// struct Clip(f32);
///
/// impl Transform for Clip {
///     fn apply(&self, _step: &Step, block: &mut Block<'_>) {
///         for update in block.update.iter_mut() {
///             *update = update.clamp(-self.0, self.0);
///         }
///     }
/// }
///
/// let chain = Chain::new(0.01).then(Clip(1.0)).then(Momentum::new(0.9));
/// assert_eq!(chain.links().len(), 2);
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Chain {
    name: &'static str,
    learning_rate: LearningRate,
    links: Vec<Arc<dyn Transform>>,
    groups: Vec<Group>,
}

impl Chain {
    /// A chain without links: θ ← θ − α ∇J(θ).
    ///
    /// ```
    /// assert!(maas_train::Chain::new(0.1).links().is_empty());
    /// ```
    pub fn new(learning_rate: impl Into<LearningRate>) -> Self {
        Self {
            name: "chain",
            learning_rate: learning_rate.into(),
            links: Vec::new(),
            groups: Vec::new(),
        }
    }

    /// Call it so.
    ///
    /// ```
    /// use maas_train::{Adam, Chain};
    /// assert_eq!(Chain::from(Adam::new(1e-3)).name(), "adam");
    /// assert_eq!(Chain::new(1e-3).named("mine").name(), "mine");
    /// ```
    pub fn named(self, name: &'static str) -> Self {
        Self { name, ..self }
    }

    /// What it is called.
    ///
    /// ```
    /// assert_eq!(maas_train::Chain::new(0.1).name(), "chain");
    /// ```
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Add a link at the end.
    ///
    /// ```
    /// use maas_train::{Chain, Momentum};
    /// assert_eq!(Chain::new(0.1).then(Momentum::new(0.9)).links().len(), 1);
    /// ```
    pub fn then(mut self, link: impl Transform + 'static) -> Self {
        self.links.push(Arc::new(link));
        self
    }

    /// Add a link that others hold too.
    pub(crate) fn then_shared(mut self, link: &Arc<dyn Transform>) -> Self {
        self.links.push(Arc::clone(link));
        self
    }

    /// Leave the parameters alone whose names fit this pattern, beside those that the network itself has frozen.
    ///
    /// In a pattern `*` stands for any characters and `?` for any one; `/` also fits the `.` between layer and parameter. A
    /// pattern that fits nothing is an error when an [`Optimizer`](crate::Optimizer) is made. Where several patterns fit a
    /// parameter, the last one counts.
    ///
    /// ```
    /// use maas_train::{Adam, Chain};
    /// let chain = Chain::from(Adam::new(1e-3)).freeze("dense_1/*");
    /// ```
    pub fn freeze(self, pattern: impl Into<String>) -> Self {
        self.group(pattern, Treatment::Frozen)
    }

    /// Go at `factor` times the chain's rate where the name fits; patterns are those of [`freeze`](Self::freeze).
    ///
    /// ```
    /// use maas_train::{Adam, Chain};
    /// let chain = Chain::from(Adam::new(1e-3)).rate_factor("embedding/*", 0.1);
    /// ```
    pub fn rate_factor(self, pattern: impl Into<String>, factor: f32) -> Self {
        self.group(pattern, Treatment::Factor(factor))
    }

    /// Go at a rate of its own where the name fits; patterns are those of [`freeze`](Self::freeze).
    ///
    /// ```
    /// use maas_train::{Adam, Chain, LearningRate};
    /// let chain = Chain::from(Adam::new(1e-3)).rate_of("*.bias", LearningRate::cosine(1e-2));
    /// ```
    pub fn rate_of(self, pattern: impl Into<String>, rate: impl Into<LearningRate>) -> Self {
        self.group(pattern, Treatment::Rate(rate.into()))
    }

    /// Go at another rate.
    ///
    /// ```
    /// use maas_train::{Adam, Chain, LearningRate};
    ///
    /// let chain = Chain::from(Adam::new(1e-3)).learning_rate(1e-4);
    /// assert_eq!(*chain.rate(), LearningRate::constant(1e-4));
    /// ```
    pub fn learning_rate(self, learning_rate: impl Into<LearningRate>) -> Self {
        Self {
            learning_rate: learning_rate.into(),
            ..self
        }
    }

    /// The learning rate.
    ///
    /// ```
    /// use maas_train::{Chain, LearningRate};
    /// assert_eq!(*Chain::new(0.1).rate(), LearningRate::constant(0.1));
    /// ```
    pub fn rate(&self) -> &LearningRate {
        &self.learning_rate
    }

    /// What it is, as data: its name, its links with their numbers, its groups and its rates.
    ///
    /// ```
    /// use maas_train::{Adam, Chain};
    ///
    /// let identity = Chain::from(Adam::new(1e-3).beta_1(0.5)).identity();
    /// assert_eq!(identity["links"][0][0], "scale_by_adam");
    /// assert_eq!(identity["links"][0][1]["beta_1"], 0.5);
    /// ```
    #[must_use]
    pub fn identity(&self) -> Value {
        let rates: Vec<&LearningRate> = std::iter::once(&self.learning_rate)
            .chain(
                self.groups
                    .iter()
                    .filter_map(|group| match &group.treatment {
                        Treatment::Rate(rate) => Some(rate),
                        _ => None,
                    }),
            )
            .collect();
        let mut identity = self.links_and_groups();
        identity["name"] = self.name.into();
        identity["rates"] = json!(rates);
        identity
    }

    /// What state depends on.
    pub(super) fn links_and_groups(&self) -> Value {
        let links: Vec<Value> = self
            .links
            .iter()
            .map(|link| json!([link.name(), link.config()]))
            .collect();
        let groups: Vec<Value> = self.groups.iter().map(Group::identity).collect();
        json!({ "links": links, "groups": groups })
    }

    /// The links in their order.
    ///
    /// ```
    /// use maas_train::{Adam, Chain};
    /// assert_eq!(Chain::from(Adam::new(1e-3)).links()[0].buffers(), 2);
    /// ```
    #[must_use]
    pub fn links(&self) -> &[Arc<dyn Transform>] {
        &self.links
    }

    pub(super) fn groups(&self) -> &[Group] {
        &self.groups
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        for link in &self.links {
            link.check().map_err(|error| match error {
                maas_nn::Error::Setting {
                    name,
                    expected,
                    found,
                } => Error::Coefficient {
                    name,
                    range: expected,
                    value: found,
                },
                error => error.into(),
            })?;
        }
        Ok(())
    }

    fn group(mut self, pattern: impl Into<String>, treatment: Treatment) -> Self {
        self.groups.push(Group {
            pattern: pattern.into(),
            treatment,
        });
        self
    }
}

impl From<GradientDescent> for Chain {
    fn from(descent: GradientDescent) -> Self {
        Self::new(descent.learning_rate).named("gradient_descent")
    }
}
