//! References in f64, and how far a float is off.

/// |y − exact| in units in the last place of the float nearest to `exact`.
pub(crate) fn ulps(y: f32, exact: f64) -> f64 {
    if y.is_nan() && exact.is_nan() {
        return 0.0;
    }
    let rounded = exact as f32;
    if y == rounded {
        return 0.0;
    }
    if rounded.is_infinite() || y.is_infinite() {
        // The largest float is one unit below where infinity begins.
        let edge = f64::from(f32::MAX) * (1.0 + f64::powi(2.0, -24));
        let value = if y.is_infinite() {
            f64::from(y.signum()) * edge
        } else {
            f64::from(y)
        };
        let exact = exact.clamp(-edge, edge);
        return (value - exact).abs() / f64::powi(2.0, 104);
    }
    let exponent = rounded.abs().max(f32::MIN_POSITIVE).to_bits() >> 23;
    let unit = f64::powi(2.0, exponent as i32 - 127 - 23);
    (f64::from(y) - exact).abs() / unit
}

/// erf x = 2/√π · exp(−x²) · Σ 2ⁿ·x²ⁿ⁺¹ / (2n + 1)!!, all terms of one sign.
pub(crate) fn erf(x: f64) -> f64 {
    if x.abs() > 6.0 {
        return x.signum();
    }
    let (mut term, mut sum, mut n) = (x, x, 0.0);
    while term.abs() > 1e-18 * sum.abs() {
        n += 1.0;
        term *= 2.0 * x * x / (2.0 * n + 1.0);
        sum += term;
    }
    std::f64::consts::FRAC_2_SQRT_PI * (-x * x).exp() * sum
}

pub(crate) fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// A name, the kernel, and the reference.
pub(crate) type Function = (
    &'static str,
    fn(maas_kernels::Kernels, &[f32], &mut [f32]),
    fn(f64) -> f64,
);

pub(crate) const FUNCTIONS: [Function; 5] = [
    ("exp", |set, x, y| set.exp(x, y), f64::exp),
    ("ln", |set, x, y| set.ln(x, y), f64::ln),
    ("tanh", |set, x, y| set.tanh(x, y), f64::tanh),
    ("erf", |set, x, y| set.erf(x, y), erf),
    ("sigmoid", |set, x, y| set.sigmoid(x, y), sigmoid),
];
