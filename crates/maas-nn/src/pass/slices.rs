use std::ops::Range;

/// Several slices of one buffer, numbered as a layer declared them.
#[derive(Clone, Copy, Debug)]
pub struct Slices<'a> {
    pub(crate) data: &'a [f32],
    pub(crate) ranges: &'a [Range<usize>],
}

impl<'a> Slices<'a> {
    /// Slice `index`.
    ///
    /// # Panics
    /// When the layer declared fewer.
    pub fn get(self, index: usize) -> &'a [f32] {
        &self.data[self.ranges[index].clone()]
    }

    /// How many there are.
    pub fn len(self) -> usize {
        self.ranges.len()
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.ranges.is_empty()
    }
}

/// Several slices of one buffer to write, numbered as a layer declared them.
#[derive(Debug)]
pub struct SlicesMut<'a> {
    pub(crate) data: &'a mut [f32],
    pub(crate) ranges: &'a [Range<usize>],
}

impl SlicesMut<'_> {
    /// Slice `index`.
    ///
    /// # Panics
    /// When the layer declared fewer.
    pub fn get(&mut self, index: usize) -> &mut [f32] {
        &mut self.data[self.ranges[index].clone()]
    }

    /// Several slices at once.
    ///
    /// # Panics
    /// When the layer declared fewer, or an index is there twice.
    pub fn many<const N: usize>(&mut self, indices: [usize; N]) -> [&mut [f32]; N] {
        self.data
            .get_disjoint_mut(indices.map(|index| self.ranges[index].clone()))
            .expect("segments do not overlap, and no index is asked for twice")
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.ranges.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }
}
