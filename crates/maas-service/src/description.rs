use std::collections::BTreeMap;
use std::time::Duration;

use maas_core::{Model, Signature};

/// What a service says of itself: the signature that requests are checked against, and what kind of model it is.
///
/// ```
/// use maas_core::{DType, Signature, TensorSpec};
/// use maas_service::Description;
///
/// let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[2]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
/// assert_eq!(Description::new(signature, "maas_dense").platform, "maas_dense");
/// # Ok::<(), maas_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Description {
    /// Names, types and shapes of inputs and outputs.
    pub signature: Signature,
    /// The kind of model, as the Open Inference Protocol's metadata name it.
    pub platform: String,
    /// How many rows one request may have, where there is a bound that is known.
    pub max_rows: Option<usize>,
    /// Everything else that is worth knowing.
    pub properties: BTreeMap<String, String>,
}

impl Description {
    /// A description without properties.
    ///
    /// ```
    /// use maas_core::{DType, Signature, TensorSpec};
    /// # use maas_service::Description;
    /// let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[2]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// assert!(Description::new(signature, "maas").properties.is_empty());
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    #[must_use]
    pub fn new(signature: Signature, platform: impl Into<String>) -> Self {
        Self {
            signature,
            platform: platform.into(),
            max_rows: None,
            properties: BTreeMap::new(),
        }
    }

    /// The description of a model.
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # use maas_service::Description;
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[2]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
    /// assert_eq!(Description::of(&model).platform, "maas");
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    #[must_use]
    pub fn of<M: Model + ?Sized>(model: &M) -> Self {
        Self::new(model.signature().clone(), model.platform())
    }
}

/// Whether a service takes requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Readiness {
    /// It takes requests.
    Ready,
    /// It will, when it has loaded its model.
    Loading,
    /// It finishes what it has and takes nothing new.
    Draining,
    /// It has too much to do; try again after this time.
    Overloaded {
        /// How long to wait before trying again.
        retry_after: Duration,
    },
    /// It is stopped.
    Down,
}

impl Readiness {
    /// Whether it takes requests.
    ///
    /// ```
    /// use maas_service::Readiness;
    /// assert!(Readiness::Ready.is_ready());
    /// assert!(!Readiness::Down.is_ready());
    /// ```
    #[must_use]
    pub fn is_ready(self) -> bool {
        self == Self::Ready
    }
}
