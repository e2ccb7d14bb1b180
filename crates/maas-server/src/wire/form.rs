use std::sync::Arc;

/// Which tensors of a message are bytes after its JSON text.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Form {
    others: Encoding,
    named: Vec<(Arc<str>, Encoding)>,
}

/// How the values of a tensor are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Encoding {
    #[default]
    Json,
    Binary,
}

impl Form {
    /// All tensors in JSON.
    pub(crate) fn json() -> Self {
        Self::default()
    }

    /// All tensors in bytes.
    pub(crate) fn binary() -> Self {
        Self::of(Encoding::Binary)
    }

    /// All tensors like this, but for those that [`Self::set`] names.
    pub(crate) fn of(others: Encoding) -> Self {
        Self {
            others,
            named: Vec::new(),
        }
    }

    pub(crate) fn set(&mut self, name: Arc<str>, encoding: Encoding) {
        self.named.push((name, encoding));
    }

    /// How tensors are written that are not named.
    pub(crate) fn others(&self) -> Encoding {
        self.others
    }

    pub(crate) fn encoding(&self, name: &str) -> Encoding {
        let named = self.named.iter().find(|(named, _)| **named == *name);
        named.map_or(self.others, |&(_, encoding)| encoding)
    }
}

impl From<bool> for Encoding {
    /// The protocol's `binary_data`.
    fn from(binary: bool) -> Self {
        if binary { Self::Binary } else { Self::Json }
    }
}
