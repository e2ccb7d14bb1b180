//! Where the numbers of links may lie.

use maas_nn::Error;

/// 0 ≤ x < 1.
pub(super) fn decay(name: &'static str, value: f32) -> Result<(), Error> {
    within((0.0..1.0).contains(&value), name, "[0, 1)", value)
}

/// 0 ≤ x ≤ 1.
pub(super) fn share(name: &'static str, value: f32) -> Result<(), Error> {
    within((0.0..=1.0).contains(&value), name, "[0, 1]", value)
}

/// 0 ≤ x < ∞.
pub(super) fn non_negative(name: &'static str, value: f32) -> Result<(), Error> {
    within((0.0..f32::INFINITY).contains(&value), name, "[0, ∞)", value)
}

/// 0 < x < ∞.
pub(super) fn positive(name: &'static str, value: f32) -> Result<(), Error> {
    within(value > 0.0 && value.is_finite(), name, "(0, ∞)", value)
}

fn within(fits: bool, name: &'static str, expected: &'static str, found: f32) -> Result<(), Error> {
    if fits {
        Ok(())
    } else {
        Err(Error::Setting {
            name,
            expected,
            found,
        })
    }
}
