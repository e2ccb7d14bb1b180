use maas_kernels::Kernels;

use super::Network;
use crate::Error;

/// Which elements of a segment are kept: one bit each.
///
/// ```
/// use maas_nn::Mask;
///
/// let mask = Mask::of_nonzeros(&[0.5, 0.0, -1.0]);
/// assert_eq!((mask.len(), mask.kept()), (3, 2));
/// assert!(mask.keeps(0) && !mask.keeps(1));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mask {
    words: Vec<u64>,
    len: usize,
}

impl Mask {
    /// A mask of `len` elements that keeps those for which `keep` says so.
    ///
    /// ```
    /// assert_eq!(maas_nn::Mask::from_fn(100, |i| i % 2 == 0).kept(), 50);
    /// ```
    pub fn from_fn(len: usize, keep: impl Fn(usize) -> bool) -> Self {
        let words = (0..len.div_ceil(64))
            .map(|word| {
                let bits = word * 64..len.min(word * 64 + 64);
                bits.fold(0, |bits, i| bits | (u64::from(keep(i)) << (i % 64)))
            })
            .collect();
        Self { words, len }
    }

    /// A mask that keeps what is not zero.
    ///
    /// ```
    /// assert_eq!(maas_nn::Mask::of_nonzeros(&[1.0, -0.0]).kept(), 1);
    /// ```
    pub fn of_nonzeros(values: &[f32]) -> Self {
        Self::from_fn(values.len(), |i| values[i] != 0.0)
    }

    /// A mask of these bits: bit i mod 64 of word i / 64 belongs to element i; bits beyond `len` are 0.
    ///
    /// # Errors
    /// [`Error::Length`] when there are not ⌈len / 64⌉ words.
    ///
    /// ```
    /// assert_eq!(maas_nn::Mask::from_words(vec![0b101], 3)?.kept(), 2);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn from_words(mut words: Vec<u64>, len: usize) -> Result<Self, Error> {
        if words.len() != len.div_ceil(64) {
            return Err(Error::Length {
                expected: len.div_ceil(64),
                found: words.len(),
            });
        }
        if let Some(last) = words.last_mut()
            && !len.is_multiple_of(64)
        {
            *last &= (1 << (len % 64)) - 1;
        }
        Ok(Self { words, len })
    }

    /// The bits.
    ///
    /// ```
    /// assert_eq!(maas_nn::Mask::from_fn(3, |i| i != 1).words(), [0b101]);
    /// ```
    pub fn words(&self) -> &[u64] {
        &self.words
    }

    /// The bits as bytes, for files: bit i mod 8 of byte i / 8 belongs to element i.
    ///
    /// ```
    /// assert_eq!(maas_nn::Mask::from_fn(10, |i| i != 1).to_bytes(), [0b1111_1101, 0b11]);
    /// ```
    pub fn to_bytes(&self) -> Vec<u8> {
        let words = self.words.iter().flat_map(|word| word.to_le_bytes());
        words.take(self.len.div_ceil(8)).collect()
    }

    /// The mask that [`to_bytes`](Mask::to_bytes) gave these bytes for.
    ///
    /// # Errors
    /// [`Error::Length`] when there are not ⌈len / 8⌉ bytes.
    ///
    /// ```
    /// assert_eq!(maas_nn::Mask::from_bytes(&[0b101], 3)?.kept(), 2);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn from_bytes(bytes: &[u8], len: usize) -> Result<Self, Error> {
        if bytes.len() != len.div_ceil(8) {
            return Err(Error::Length {
                expected: len.div_ceil(8),
                found: bytes.len(),
            });
        }
        Ok(Self::from_fn(len, |i| bytes[i / 8] >> (i % 8) & 1 == 1))
    }

    /// How many elements it speaks of.
    ///
    /// ```
    /// # use maas_nn::Mask;
    /// assert_eq!(Mask::from_fn(100, |_| true).len(), 100);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it speaks of none.
    ///
    /// ```
    /// # use maas_nn::Mask;
    /// assert!(Mask::from_fn(0, |_| true).is_empty());
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many elements are kept.
    ///
    /// ```
    /// # use maas_nn::Mask;
    /// assert_eq!(Mask::from_fn(100, |i| i < 10).kept(), 10);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn kept(&self) -> usize {
        self.words
            .iter()
            .map(|word| word.count_ones() as usize)
            .sum()
    }

    /// Whether element `index` is kept.
    ///
    /// # Panics
    /// When there are not as many elements.
    ///
    /// ```
    /// # use maas_nn::Mask;
    /// assert!(Mask::from_fn(100, |i| i < 10).keeps(9));
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn keeps(&self, index: usize) -> bool {
        assert!(index < self.len, "element {index} of {}", self.len);
        self.words[index / 64] >> (index % 64) & 1 == 1
    }
}

/// Masks, applied last in each step of training, so that what is pruned stays pruned.
impl Network {
    /// The mask of a segment, if it has one.
    ///
    /// # Errors
    /// [`Error::UnknownSegment`].
    ///
    /// ```
    /// # use maas_core::Seed;
    /// # use maas_nn::Sequential;
    /// # let mut network = Sequential::rows(4).dense(3).build(Seed(7))?;
    /// assert_eq!(network.mask("dense.kernel")?, None);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn mask(&self, segment: &str) -> Result<Option<&Mask>, Error> {
        Ok(self.masks[self.segment_index(segment)?].as_ref())
    }

    /// The masks of all segments, in their order.
    ///
    /// ```
    /// # use maas_core::Seed;
    /// # use maas_nn::Sequential;
    /// # let mut network = Sequential::rows(4).dense(3).build(Seed(7))?;
    /// assert_eq!(network.masks().flatten().count(), 0);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn masks(&self) -> impl Iterator<Item = Option<&Mask>> {
        self.masks.iter().map(Option::as_ref)
    }

    /// Masks a segment and applies the mask.
    ///
    /// # Errors
    /// [`Error::UnknownSegment`]; [`Error::Length`] when the mask is for another number of elements.
    ///
    /// ```
    /// use maas_core::Seed;
    /// use maas_nn::{Mask, Sequential};
    ///
    /// let mut network = Sequential::rows(2).dense(2).build(Seed(7))?;
    /// network.set_mask("dense.kernel", Mask::from_fn(4, |i| i == 0))?;
    /// assert_eq!(network.segment("dense.kernel")?.iter().filter(|&&w| w != 0.0).count(), 1);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn set_mask(&mut self, segment: &str, mask: Mask) -> Result<(), Error> {
        let index = self.segment_index(segment)?;
        let range = self.segments()[index].range.clone();
        if mask.len() != range.len() {
            return Err(Error::Length {
                expected: range.len(),
                found: mask.len(),
            });
        }
        Kernels::best().apply_mask(&mut self.parameters[range], mask.words());
        self.masks[index] = Some(mask);
        Ok(())
    }

    /// Sets the masks of all segments, in their order, and applies them; a segment without one loses its own.
    ///
    /// # Errors
    /// [`Error::Length`] when there is not one for each segment, or one is for another number of elements; nothing is
    /// then changed.
    ///
    /// ```
    /// # use maas_core::Seed;
    /// # use maas_nn::Sequential;
    /// # use maas_nn::Mask;
    /// let mut network = Sequential::rows(4).dense(3).build(Seed(7))?;
    /// network.set_masks(vec![Some(Mask::from_fn(12, |i| i < 6)), None])?;
    /// assert_eq!(network.masks().flatten().count(), 1);
    /// assert!(network.set_masks(vec![None]).is_err());
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn set_masks(&mut self, masks: Vec<Option<Mask>>) -> Result<(), Error> {
        let length = |expected, found| match expected == found {
            true => Ok(()),
            false => Err(Error::Length { expected, found }),
        };
        length(self.segments().len(), masks.len())?;
        for (segment, mask) in self.segments().iter().zip(&masks) {
            if let Some(mask) = mask {
                length(segment.range.len(), mask.len())?;
            }
        }
        self.masks = masks;
        self.apply_masks();
        Ok(())
    }

    /// Takes all masks away; weights stay what they are.
    ///
    /// ```
    /// # use maas_core::Seed;
    /// # use maas_nn::Sequential;
    /// # use maas_nn::Mask;
    /// let mut network = Sequential::rows(4).dense(3).build(Seed(7))?;
    /// network.set_mask("dense.kernel", Mask::from_fn(12, |i| i < 6))?;
    /// network.clear_masks();
    /// assert_eq!(network.mask("dense.kernel")?, None);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn clear_masks(&mut self) {
        self.masks.fill(None);
    }

    /// Zeroes the parameters that are masked.
    ///
    /// ```
    /// # use maas_core::Seed;
    /// # use maas_nn::Sequential;
    /// # use maas_nn::Mask;
    /// let mut network = Sequential::rows(4).dense(3).build(Seed(7))?;
    /// network.set_mask("dense.kernel", Mask::from_fn(12, |i| i < 6))?;
    /// network.segment_mut("dense.kernel")?.fill(1.0);
    /// network.apply_masks();
    /// assert_eq!(network.segment("dense.kernel")?.sum(), 6.0);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn apply_masks(&mut self) {
        let Self {
            architecture,
            parameters,
            masks,
            ..
        } = self;
        mask(&architecture.layout.segments, masks, parameters);
    }

    /// Zeroes what is masked in a buffer of the parameters' layout, such as a gradient.
    ///
    /// # Errors
    /// [`Error::Length`] when the buffer is of another length.
    ///
    /// ```
    /// # use maas_core::Seed;
    /// # use maas_nn::Sequential;
    /// # use maas_nn::Mask;
    /// let mut network = Sequential::rows(4).dense(3).build(Seed(7))?;
    /// network.set_mask("dense.kernel", Mask::from_fn(12, |i| i < 6))?;
    /// let mut gradient = vec![1.0; network.parameters().len()];
    /// network.apply_masks_to(&mut gradient)?;
    /// assert_eq!(gradient[..12].iter().sum::<f32>(), 6.0);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn apply_masks_to(&self, values: &mut [f32]) -> Result<(), Error> {
        if values.len() != self.parameters.len() {
            return Err(Error::Length {
                expected: self.parameters.len(),
                found: values.len(),
            });
        }
        mask(self.segments(), &self.masks, values);
        Ok(())
    }
}

fn mask(segments: &[super::Segment], masks: &[Option<Mask>], values: &mut [f32]) {
    for (segment, mask) in segments.iter().zip(masks) {
        if let Some(mask) = mask {
            Kernels::best().apply_mask(&mut values[segment.range.clone()], mask.words());
        }
    }
}
