/// How likely it is that a bit is 1 under one context.
#[derive(Clone, Copy, Debug)]
pub(super) struct Estimate {
    /// In 1/65536.
    pub(super) one: u16,
    seen: u8,
}

impl Estimate {
    pub(super) const NEW: Self = Self {
        one: 1 << 15,
        seen: 0,
    };

    /// Moves 1 / (seen + 1.5) of the way to the bit: as far as a count would at first, and ever less.
    #[inline]
    pub(super) fn update(&mut self, bit: bool) {
        let part = PARTS[usize::from(self.seen)];
        let one = u32::from(self.one);
        let one = if bit {
            one + (((65535 - one) * part) >> 16)
        } else {
            one - ((one * part) >> 16)
        };
        self.one = one as u16;
        self.seen = self.seen.saturating_add(1);
    }
}

/// 1 / (seen + 1.5) in 1/65536.
const PARTS: [u32; 256] = {
    let mut parts = [0; 256];
    let mut seen = 0;
    while seen < 256 {
        parts[seen] = (1 << 17) / (2 * seen as u32 + 3);
        seen += 1;
    }
    parts
};

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_bit_is_ever_certain(bits in prop::collection::vec(any::<bool>(), 0..2000)) {
            let mut estimate = Estimate::NEW;
            for bit in bits {
                estimate.update(bit);
                prop_assert!(estimate.one > 0);
            }
        }
    }
}
