use bytes::Bytes;
use maas_core::{DType, Shape, Tensor};

/// The bytes after a message's JSON text, of which tensors take theirs in turn.
pub(super) struct Tail(Bytes);

impl Tail {
    /// Splits a message where its JSON text ends: after `length` bytes, or never.
    pub(super) fn split(message: &Bytes, length: Option<usize>) -> Result<(&[u8], Self), String> {
        let length = length.unwrap_or(message.len());
        match message.get(..length) {
            Some(json) => Ok((json, Self(message.slice(length..)))),
            None => Err(format!(
                "Inference-Header-Content-Length is {length}, but the body has {} bytes",
                message.len()
            )),
        }
    }

    /// The next tensor. Its bytes are copied only where they do not lie well.
    pub(super) fn tensor(
        &mut self,
        dtype: DType,
        shape: Shape,
        size: usize,
    ) -> Result<Tensor, String> {
        if size > self.0.len() {
            return Err(format!(
                "`binary_data_size` is {size}, but {} bytes are left after the JSON text",
                self.0.len()
            ));
        }
        let bytes = self.0.split_to(size);
        Tensor::from_shared(dtype, shape, bytes).map_err(|error| error.to_string())
    }

    /// Checks that no byte is left.
    pub(super) fn end(self) -> Result<(), String> {
        match self.0.len() {
            0 => Ok(()),
            more => Err(format!("{more} bytes follow the last tensor")),
        }
    }
}
