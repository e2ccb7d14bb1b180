//! Algorithm AS 241 (Wichura, *The Percentage Points of the Normal Distribution*, 1988), on exactly rounded operations.

/// The x with Φ(x) = p, for 0 < p < 1, to about 16 digits and with the same bits on every machine. Not a number elsewhere,
/// but for the infinities at 0 and 1.
///
/// ```
/// use maas_kernels::normal_quantile;
/// assert_eq!(normal_quantile(0.5), 0.0);
/// assert!((normal_quantile(0.975) - 1.959_963_984_540_054).abs() < 1e-13);
/// ```
#[must_use]
pub fn normal_quantile(p: f64) -> f64 {
    let q = p - 0.5;
    if q.abs() <= CENTRAL {
        return centre(q);
    }
    let r = (-ln(tail(p))).sqrt();
    let x = if r <= 5.0 {
        ratio(r - 1.6, &SHOULDER)
    } else {
        ratio(r - 5.0, &FAR_TAIL)
    };
    if q < 0.0 { -x } else { x }
}

/// How far from ½ the central part goes.
pub(super) const CENTRAL: f64 = 0.425;

/// The quantile of ½ + q in the central part.
#[inline(always)]
pub(super) fn centre(q: f64) -> f64 {
    q * ratio(0.180_625 - q * q, &CENTRE)
}

/// The quantile of 1 − tail on the shoulder, which ends at tail = e⁻²⁵.
#[inline(always)]
pub(super) fn shoulder(tail: f64) -> f64 {
    ratio((-ln(tail)).sqrt() - 1.6, &SHOULDER)
}

/// The lesser of p and 1 − p.
#[inline(always)]
pub(super) fn tail(p: f64) -> f64 {
    if p - 0.5 < 0.0 { p } else { 1.0 - p }
}

#[inline(always)]
fn ratio(r: f64, [numerator, denominator]: &[[f64; 8]; 2]) -> f64 {
    polynomial(r, numerator) / polynomial(r, denominator)
}

#[inline(always)]
fn polynomial<const N: usize>(x: f64, coefficients: &[f64; N]) -> f64 {
    let (mut sum, mut i) = (0.0, N);
    while i > 0 {
        i -= 1;
        sum = sum * x + coefficients[i];
    }
    sum
}

/// ln x of a normal x > 0: e·ln 2 + 2·artanh((m − 1) / (m + 1)) with x = 2ᵉ·m and √½ <= m < √2.
#[inline(always)]
fn ln(x: f64) -> f64 {
    const SQRT_HALF_BITS: i64 = 0x3fe6_a09e_667f_3bcd;
    let e = (x.to_bits() as i64 - SQRT_HALF_BITS) >> 52;
    let m = f64::from_bits((x.to_bits() as i64 - (e << 52)) as u64);
    let t = (m - 1.0) / (m + 1.0);
    let series = polynomial(t * t, &ARTANH);
    f64::from(e as i32) * std::f64::consts::LN_2 + 2.0 * t * series
}

const ARTANH: [f64; 12] = [
    1.0,
    1.0 / 3.0,
    1.0 / 5.0,
    1.0 / 7.0,
    1.0 / 9.0,
    1.0 / 11.0,
    1.0 / 13.0,
    1.0 / 15.0,
    1.0 / 17.0,
    1.0 / 19.0,
    1.0 / 21.0,
    1.0 / 23.0,
];
const CENTRE: [[f64; 8]; 2] = [
    [
        3.387_132_872_796_366_5,
        133.141_667_891_784_38,
        1_971.590_950_306_551_3,
        13_731.693_765_509_46,
        45_921.953_931_549_87,
        67_265.770_927_008_7,
        33_430.575_583_588_13,
        2_509.080_928_730_122_7,
    ],
    [
        1.0,
        42.313_330_701_600_91,
        687.187_007_492_057_9,
        5_394.196_021_424_751,
        21_213.794_301_586_597,
        39_307.895_800_092_71,
        28_729.085_735_721_943,
        5_226.495_278_852_854,
    ],
];
const SHOULDER: [[f64; 8]; 2] = [
    [
        1.423_437_110_749_683_5,
        4.630_337_846_156_546,
        5.769_497_221_460_691,
        3.647_848_324_763_204_5,
        1.270_458_252_452_368_4,
        0.241_780_725_177_450_6,
        0.022_723_844_989_269_184,
        0.000_774_545_014_278_341_4,
    ],
    [
        1.0,
        2.053_191_626_637_759,
        1.676_384_830_183_803_8,
        0.689_767_334_985_1,
        0.148_103_976_427_480_08,
        0.015_198_666_563_616_457,
        0.000_547_593_808_499_534_5,
        1.050_750_071_644_416_9e-9,
    ],
];
const FAR_TAIL: [[f64; 8]; 2] = [
    [
        6.657_904_643_501_103,
        5.463_784_911_164_114,
        1.784_826_539_917_291_3,
        0.296_560_571_828_504_87,
        0.026_532_189_526_576_124,
        0.001_242_660_947_388_078_4,
        2.711_555_568_743_487_6e-5,
        2.010_334_399_292_288_1e-7,
    ],
    [
        1.0,
        0.599_832_206_555_888,
        0.136_929_880_922_735_8,
        0.014_875_361_290_850_615,
        0.000_786_869_131_145_613_3,
        1.846_318_317_510_054_8e-5,
        1.421_511_758_316_446e-7,
        2.044_263_103_389_939_7e-15,
    ],
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithms_are_the_library_s() {
        for x in [1e-300, 1e-10, 0.074_9, 0.3, 0.5, 0.75, 0.999, 1.0, 7.0] {
            assert!(
                (ln(x) - x.ln()).abs() <= 4e-16 * x.ln().abs().max(1.0),
                "{x}"
            );
        }
    }

    /// Python's `statistics.NormalDist().inv_cdf` says so.
    #[test]
    fn quantiles_are_known() {
        for (p, x) in QUANTILES {
            assert!(
                (normal_quantile(p) - x).abs() < 1e-13 * x.abs().max(1.0),
                "{p}: {}",
                normal_quantile(p)
            );
            assert!(
                (normal_quantile(1.0 - p) + x).abs() < 1e-9 * x.abs().max(1.0) || p < 1e-3,
                "1 - {p}"
            );
        }
    }

    const QUANTILES: [(f64, f64); 6] = [
        (0.5, 0.0),
        (0.4, -0.2533471031357998),
        (0.1, -1.2815515655446008),
        (0.022750131948179212, -2.0),
        (0.001, -3.090232306167813),
        (1e-10, -6.361340902404056),
    ];
}
