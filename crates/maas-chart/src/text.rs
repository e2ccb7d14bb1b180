use std::fmt::{self, Write};

/// Four significant digits.
///
/// ```
/// assert_eq!(maas_chart::significant(0.012_345_6), "0.01235");
/// ```
#[must_use]
pub fn significant(value: f64) -> String {
    if value == 0.0 || (1e-4..1e6).contains(&value.abs()) {
        let decimals = if value == 0.0 {
            0.0
        } else {
            (3.0 - value.abs().log10().floor()).clamp(0.0, 8.0)
        };
        format!("{value:.*}", decimals as usize)
    } else {
        format!("{value:.3e}")
    }
}

/// Text that XML does not take for markup.
pub(crate) struct Escaped<'a>(pub(crate) &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|character| match character {
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '&' => f.write_str("&amp;"),
            '"' => f.write_str("&quot;"),
            control if control.is_control() => f.write_char(' '),
            other => f.write_char(other),
        })
    }
}
