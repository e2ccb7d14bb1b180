use std::sync::Arc;

use bytes::Bytes;
use maas_core::Tensor;

/// A message of the protocol: JSON text, and after it the bytes of tensors that are not in it.
#[derive(Debug, Default)]
pub(crate) struct Message {
    /// What is sent first: the JSON text, which may be all there is.
    pub(crate) json: Vec<u8>,
    /// The tensors after it, if any of the message's tensors stands there.
    pub(crate) binary: Option<Vec<Arc<Tensor>>>,
}

/// Bytes up to this many are written after the text at once; more are sent from where they lie.
const FEW: usize = 16 << 10;

impl Message {
    /// What `Inference-Header-Content-Length` says; a message that is JSON alone goes without it.
    pub(crate) fn header_length(&self) -> Option<usize> {
        self.binary.as_ref().map(|_| self.json.len())
    }

    pub(crate) fn content_type(&self) -> &'static str {
        match self.binary {
            Some(_) => "application/octet-stream",
            None => "application/json",
        }
    }

    /// The message in one piece.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        let mut bytes = self.json;
        let tensors = self.binary.unwrap_or_default();
        bytes.reserve(tensors.iter().map(|tensor| tensor.bytes().len()).sum());
        for tensor in tensors {
            bytes.extend_from_slice(tensor.bytes());
        }
        bytes
    }

    /// The message in pieces that follow one another; large tensors are not copied.
    pub(crate) fn into_parts(self) -> Vec<Bytes> {
        let tensors = self.binary.as_deref().unwrap_or_default();
        if tensors
            .iter()
            .map(|tensor| tensor.bytes().len())
            .sum::<usize>()
            <= FEW
        {
            return vec![self.into_bytes().into()];
        }
        let mut parts = vec![self.json.into()];
        let tensors = self.binary.into_iter().flatten();
        parts.extend(tensors.map(|tensor| Bytes::from_owner(Content(tensor))));
        parts
    }
}

struct Content(Arc<Tensor>);

impl AsRef<[u8]> for Content {
    fn as_ref(&self) -> &[u8] {
        self.0.bytes()
    }
}
