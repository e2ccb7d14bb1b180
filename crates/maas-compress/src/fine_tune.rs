use maas_nn::Network;

use crate::{Error, Masks, Prune};

/// Why a closure of the user's failed.
pub(crate) type Source = Box<dyn std::error::Error + Send + Sync>;

/// Training of the user's, under masks.
pub(crate) struct FineTune<'a>(Run<'a>);

type Run<'a> = Box<dyn FnMut(&mut Network) -> Result<(), Source> + 'a>;

impl<'a> FineTune<'a> {
    pub(crate) fn new<T, E: Into<Source>>(
        mut fine_tune: impl FnMut(&mut Network) -> Result<T, E> + 'a,
    ) -> Self {
        Self(Box::new(move |network| {
            fine_tune(network).map(drop).map_err(Into::into)
        }))
    }

    /// Whatever happens to masks and weights meanwhile, what is masked before is masked after.
    pub(crate) fn run(&mut self, network: &mut Network) -> Result<(), Error> {
        let masks = Masks::of(network);
        (self.0)(network).map_err(Error::FineTune)?;
        masks.prune(network)?;
        Ok(())
    }
}
