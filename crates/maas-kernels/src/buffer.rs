use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicUsize, Ordering};

/// A fixed-length run of `f32` that starts on a 64-byte boundary, so that segments placed at multiples of 16 floats
/// fill whole cache lines.
///
/// ```
/// use maas_kernels::Buffer;
///
/// let mut buffer = Buffer::zeroed(20);
/// buffer[19] = 1.0;
/// assert_eq!(buffer.len(), 20);
/// assert_eq!(buffer.iter().sum::<f32>(), 1.0);
/// assert_eq!(buffer.as_ptr() as usize % 64, 0);
/// ```
#[derive(Clone, Default)]
pub struct Buffer {
    lines: Vec<Line>,
    len: usize,
}

impl Buffer {
    /// A buffer of `len` zeros.
    ///
    /// ```
    /// assert_eq!(&maas_kernels::Buffer::zeroed(2)[..], &[0.0, 0.0]);
    /// ```
    #[must_use]
    pub fn zeroed(len: usize) -> Self {
        Self {
            lines: vec![Line([0.0; 16]); len.div_ceil(16)],
            len,
        }
    }

    /// Room for `len` floats, and at once for the most that any thread has asked for, which `most` remembers: then a thread
    /// need not grow its buffer later, when it happens to take a larger part than before. The content may be lost.
    pub(crate) fn make_room(&mut self, len: usize, most: &AtomicUsize) {
        if len == 0 {
            return;
        }
        let len = len.max(most.fetch_max(len, Ordering::Relaxed));
        if self.len < len {
            *self = Self::zeroed(len);
        }
    }
}

impl Deref for Buffer {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        // SAFETY: `Line` is 16 floats without padding, and `lines` holds at least `len` floats, all initialised.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast::<f32>(), self.len) }
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        // SAFETY: as in `deref`; the borrow of `self` is exclusive.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast::<f32>(), self.len) }
    }
}

impl From<&[f32]> for Buffer {
    fn from(values: &[f32]) -> Self {
        let mut buffer = Self::zeroed(values.len());
        buffer.copy_from_slice(values);
        buffer
    }
}

impl PartialEq for Buffer {
    fn eq(&self, other: &Self) -> bool {
        self[..] == other[..]
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([f32; 16]);
