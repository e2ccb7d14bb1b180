use std::sync::LazyLock;

/// log₂(p / (1 − p)) of p = `one` / 65536, in 1/256, with the logarithm taken as linear between powers of two.
#[inline]
pub(super) fn stretch(one: u32) -> i32 {
    logarithm(one) - logarithm(65536 - one)
}

/// The inverse of [`stretch`]: for each number from −[`LIMIT`] to [`LIMIT`] the least `one` that is stretched to it or more.
#[derive(Clone, Copy, Debug)]
pub(super) struct Squash(&'static [u16]);

impl Squash {
    pub(super) fn new() -> Self {
        static SQUASHED: LazyLock<Vec<u16>> = LazyLock::new(|| {
            let mut one = 1;
            let least = |stretched: i32| {
                while stretch(one) < stretched {
                    one += 1;
                }
                one as u16
            };
            (-LIMIT..=LIMIT).map(least).collect()
        });
        Self(&SQUASHED)
    }

    #[inline]
    pub(super) fn one(self, stretched: i64) -> u32 {
        let limit = i64::from(LIMIT);
        u32::from(self.0[(stretched.clamp(-limit, limit) + limit) as usize])
    }
}

/// As good as certain: odds of 2¹⁴.
const LIMIT: i32 = 14 << 8;

/// The share of `count` in `total` as one of 32 classes, each half a power of two wide.
#[inline]
pub(in crate::format) fn density(count: u32, total: u32) -> usize {
    let share = LIMIT + logarithm(2 * count + 1) - logarithm(total + 1);
    (share >> 7).clamp(0, 31) as usize
}

/// log₂ in 1/256, linear between powers of two.
#[inline]
fn logarithm(number: u32) -> i32 {
    let whole = number.ilog2();
    let part = (u64::from(number) << 8 >> whole) & 0xff;
    ((whole << 8) | part as u32) as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn squash_undoes_stretch() {
        let squash = Squash::new();
        for one in 4..=65532 {
            let stretched = stretch(one);
            let again = squash.one(stretched.into());
            assert_eq!(stretch(again), stretched, "{one}");
        }
        assert_eq!(squash.one(0), 1 << 15);
        assert_eq!(
            (squash.one(i64::MIN / 2), squash.one(i64::MAX / 2)),
            (4, 65533)
        );
    }

    #[test]
    fn shares_are_told_apart() {
        assert_eq!(density(0, 0), 28);
        assert_eq!(density(500, 500), 29);
        assert_eq!(density(250, 500), 28);
        assert_eq!(density(5, 500), 16);
        assert_eq!(density(0, 1 << 20), 0);
        assert_eq!(density(u32::MAX / 2, u32::MAX - 1), 28);
    }
}
