use std::fmt;

/// The hash of Fowler, Noll and Vo, variant 1a, 64 bits. It finds accidents, not forgeries: every step is a bijection of the
/// state, so two contents that differ in one byte never have the same hash.
///
/// ```
/// let mut hash = maas_core::Fnv::new();
/// hash.update(b"foo");
/// hash.update(b"bar");
/// assert_eq!(hash.finish(), 0x8594_4171_f739_67e8);
/// assert_eq!(hash.to_string(), "85944171f73967e8");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fnv(u64);

impl Fnv {
    /// The hash of nothing.
    ///
    /// ```
    /// assert_eq!(maas_core::Fnv::new().finish(), 0xcbf2_9ce4_8422_2325);
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    /// Goes on with these bytes.
    ///
    /// See the type for an example.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |hash, &byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
    }

    /// The hash of all bytes so far.
    ///
    /// See the type for an example.
    #[must_use]
    pub fn finish(&self) -> u64 {
        self.0
    }
}

impl Default for Fnv {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for Fnv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Fnv;

    #[test]
    fn the_hash_is_fnv_1a() {
        // From the test vectors of the FNV page (isthe.com/chongo/tech/comp/fnv).
        let hash = |text: &str| {
            let mut hash = Fnv::new();
            hash.update(text.as_bytes());
            hash.finish()
        };
        assert_eq!(hash(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(hash("a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(hash("foobar"), 0x8594_4171_f739_67e8);
    }
}
