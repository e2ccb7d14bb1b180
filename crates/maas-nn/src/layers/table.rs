use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use crate::{Error, Layer};

/// A layer that can be made again from what [`Layer::config`] says about it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be loaded from a file",
    note = "implement `FromConfig` with the layer's `KIND` and `from_config`"
)]
pub trait FromConfig: Layer + Sized + 'static {
    /// What [`Layer::kind`] returns.
    const KIND: &'static str;

    /// The layer that `config` describes.
    ///
    /// # Errors
    /// When it describes none; `serde_json`'s errors convert with [`Error::custom`].
    fn from_config(config: &Value) -> Result<Self, Error>;
}

/// The kinds of layers that a file may name: the library's, and those that a user adds.
///
/// The table is explicit. A file cannot name a layer that the program did not mean to load.
///
/// ```
/// use maas_nn::Layers;
/// # use maas_nn::{Backward, Error, Forward, FromConfig, Layer, LayerPlan, RowType};
/// # #[derive(Debug)]
/// # struct Identity;
/// # impl Layer for Identity {
/// #     fn kind(&self) -> &str { Self::KIND }
/// #     fn plan(&self, inputs: &[RowType]) -> Result<LayerPlan, Error> { Ok(LayerPlan::new(inputs[0].shape.clone())) }
/// #     fn forward(&self, pass: &mut Forward<'_>) -> Result<(), Error> { Ok(()) }
/// #     fn backward(&self, pass: &mut Backward<'_>) -> Result<(), Error> { Ok(()) }
/// # }
/// impl FromConfig for Identity {
///     const KIND: &'static str = "identity";
///     fn from_config(_: &serde_json::Value) -> Result<Self, Error> {
///         Ok(Self)
///     }
/// }
///
/// let layers = Layers::standard().with::<Identity>();
/// assert!(layers.kinds().eq(["identity"]));
/// ```
#[derive(Clone, Default)]
#[must_use]
pub struct Layers {
    own: BTreeMap<&'static str, Make>,
}

type Make = fn(&Value) -> Result<Arc<dyn Layer>, Error>;

impl Layers {
    /// The library's layers only.
    ///
    /// ```
    /// assert_eq!(maas_nn::Layers::standard().kinds().count(), 0);
    /// ```
    pub fn standard() -> Self {
        Self::default()
    }

    /// Adds a user's layer; the last of a kind wins.
    pub fn with<L: FromConfig>(mut self) -> Self {
        self.own
            .insert(L::KIND, |config| Ok(Arc::new(L::from_config(config)?)));
        self
    }

    /// The kinds that were added to the library's own, sorted.
    pub fn kinds(&self) -> impl Iterator<Item = &'static str> {
        self.own.keys().copied()
    }

    pub(crate) fn make(&self, kind: &str, config: &Value) -> Result<Arc<dyn Layer>, Error> {
        let make = self.own.get(kind).ok_or_else(|| Error::UnknownKind {
            kind: kind.to_owned(),
        })?;
        make(config)
    }
}

impl fmt::Debug for Layers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.own.keys()).finish()
    }
}
