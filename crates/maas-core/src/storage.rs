use crate::Error;

/// Bytes that start on a multiple of 8, so that they can be seen as any [`Element`](crate::Element).
#[derive(Clone, Default)]
pub(crate) struct Storage {
    words: Vec<u64>,
    length: usize,
}

impl Storage {
    /// `length` zero bytes.
    pub(crate) fn zeroed(length: usize) -> Result<Self, Error> {
        let mut storage = Self::default();
        storage.reset(length)?;
        Ok(storage)
    }

    pub(crate) fn copy_of(bytes: &[u8]) -> Result<Self, Error> {
        let mut storage = Self::zeroed(bytes.len())?;
        storage.bytes_mut().copy_from_slice(bytes);
        Ok(storage)
    }

    /// Makes this `length` zero bytes; memory is kept, and asked for only when there is not enough.
    pub(crate) fn reset(&mut self, length: usize) -> Result<(), Error> {
        self.words.clear();
        self.resize(length)
    }

    /// Makes this `length` bytes, of which those that are not new are what they were.
    pub(crate) fn resize(&mut self, length: usize) -> Result<(), Error> {
        let words = length.div_ceil(size_of::<u64>());
        let more = words.saturating_sub(self.words.len());
        self.words
            .try_reserve_exact(more)
            .map_err(|_| Error::OutOfMemory { bytes: length })?;
        self.words.resize(words, 0);
        self.length = length;
        Ok(())
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.words)[..self.length]
    }

    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        &mut bytemuck::cast_slice_mut(&mut self.words)[..self.length]
    }
}
