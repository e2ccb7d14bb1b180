use std::sync::Arc;

use crate::storage::Storage;
use crate::{DType, Error};

/// A tensor's bytes, which start where its elements may lie.
#[derive(Clone)]
pub(crate) enum Content {
    Own(Storage),
    Shared(Arc<dyn AsRef<[u8]> + Send + Sync>),
}

impl Content {
    /// The bytes as they lie where that is possible, or a copy.
    pub(crate) fn share(
        dtype: DType,
        bytes: impl AsRef<[u8]> + Send + Sync + 'static,
    ) -> Result<Self, Error> {
        let found = bytes.as_ref();
        if found.as_ptr().addr().is_multiple_of(dtype.alignment()) {
            Ok(Self::Shared(Arc::new(bytes)))
        } else {
            Storage::copy_of(found).map(Self::Own)
        }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Self::Own(storage) => storage.bytes(),
            Self::Shared(bytes) => (**bytes).as_ref(),
        }
    }

    /// The bytes to be changed, which nobody else sees.
    pub(crate) fn bytes_mut(&mut self) -> Result<&mut [u8], Error> {
        if let Self::Shared(bytes) = self {
            *self = Self::Own(Storage::copy_of((**bytes).as_ref())?);
        }
        match self {
            Self::Own(storage) => Ok(storage.bytes_mut()),
            Self::Shared(_) => unreachable!("it has just become our own"),
        }
    }
}

impl From<Storage> for Content {
    fn from(storage: Storage) -> Self {
        Self::Own(storage)
    }
}
