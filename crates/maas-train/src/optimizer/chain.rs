use std::sync::Arc;

use maas_nn::Transform;

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
    learning_rate: LearningRate,
    links: Vec<Arc<dyn Transform>>,
    misfit: Option<Coefficient>,
}

impl Chain {
    /// A chain without links: θ ← θ − α ∇J(θ).
    ///
    /// ```
    /// assert!(maas_train::Chain::new(0.1).links().is_empty());
    /// ```
    pub fn new(learning_rate: impl Into<LearningRate>) -> Self {
        Self {
            learning_rate: learning_rate.into(),
            links: Vec::new(),
            misfit: None,
        }
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

    /// Go at another rate.
    ///
    /// ```
    /// use maas_train::{Adam, Chain, LearningRate};
    ///
    /// let chain = Chain::from(Adam::new(1e-3)).learning_rate(1e-4);
    /// assert_eq!(chain.rate(), LearningRate::constant(1e-4));
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
    /// assert_eq!(Chain::new(0.1).rate(), LearningRate::constant(0.1));
    /// ```
    #[must_use]
    pub fn rate(&self) -> LearningRate {
        self.learning_rate
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

    /// A named optimiser has no way to fail while it is built: what is wrong with it is told when it is used.
    pub(crate) fn checked(mut self, coefficients: &[Coefficient]) -> Self {
        self.misfit = self.misfit.or_else(|| {
            coefficients
                .iter()
                .find(|coefficient| !coefficient.fits())
                .copied()
        });
        self
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        self.learning_rate.at(1)?;
        match self.misfit {
            None => Ok(()),
            Some(Coefficient { name, range, value }) => Err(Error::Coefficient {
                name,
                range: range.text(),
                value,
            }),
        }
    }
}

impl From<GradientDescent> for Chain {
    fn from(descent: GradientDescent) -> Self {
        Self::new(descent.learning_rate)
    }
}

/// A number of an optimiser, and where it may lie.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Coefficient {
    pub(crate) name: &'static str,
    pub(crate) range: Range,
    pub(crate) value: f32,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Range {
    /// 0 ≤ x < 1.
    Decay,
    /// 0 < x < ∞.
    Positive,
}

impl Range {
    fn text(self) -> &'static str {
        match self {
            Self::Decay => "[0, 1)",
            Self::Positive => "(0, ∞)",
        }
    }
}

impl Coefficient {
    fn fits(&self) -> bool {
        match self.range {
            Range::Decay => (0.0..1.0).contains(&self.value),
            Range::Positive => self.value > 0.0 && self.value.is_finite(),
        }
    }
}
