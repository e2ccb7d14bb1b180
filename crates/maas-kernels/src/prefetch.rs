//! Asking for memory ahead of time.

/// Asks for the line of the cache with `p`, which may point anywhere.
#[inline(always)]
pub(crate) fn prefetch<T>(p: *const T) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: every processor of the architecture has it; nothing is read, and what is not mapped is ignored.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(p.cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = p;
}

/// Bytes on a line of the cache.
pub(crate) const LINE: usize = 64;
