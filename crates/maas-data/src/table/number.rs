use crate::Error;

/// A cell's number, or what is wrong with it.
pub(crate) fn number(text: &str, at: impl Fn() -> (u64, String)) -> Result<f32, Error> {
    match text.parse::<f32>() {
        Ok(number) if number.is_finite() => Ok(number),
        parsed => {
            let ((line, column), found) = (at(), text.to_owned());
            Err(if parsed.is_ok() {
                Error::CellNotFinite {
                    line,
                    column,
                    found,
                }
            } else if is_date(text) {
                Error::Date {
                    line,
                    column,
                    found,
                }
            } else if is_separated(text) {
                Error::SeparatedNumber {
                    line,
                    column,
                    found,
                }
            } else {
                Error::NotANumber {
                    line,
                    column,
                    found,
                }
            })
        }
    }
}

/// Whether a text is digits with thousands separators or a decimal comma.
fn is_separated(text: &str) -> bool {
    const SEPARATORS: [char; 6] = [',', '\'', '_', ' ', '\u{a0}', '\u{202f}'];
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    mantissa.starts_with(|first: char| first.is_ascii_digit() || first == ',')
        && mantissa.ends_with(|last: char| last.is_ascii_digit())
        && mantissa
            .chars()
            .all(|c| c.is_ascii_digit() || c == '.' || SEPARATORS.contains(&c))
        && exponent.parse::<i32>().is_ok()
}

/// Whether a text is a date, a time, or both, in one of the usual ways.
pub(crate) fn is_date(text: &str) -> bool {
    is_numeric_date(text.split(['T', ' ']).next().unwrap_or(text))
        || is_time(text)
        || has_month(text)
}

/// 2024-01-31, 31.12.24, 1/31/2024.
fn is_numeric_date(text: &str) -> bool {
    ['-', '/', '.'].into_iter().any(|separator| {
        let groups: Vec<&str> = text.split(separator).collect();
        let years = groups.iter().filter(|group| group.len() == 4).count();
        groups.len() == 3
            && years <= 1
            && groups
                .iter()
                .all(|group| matches!(group.len(), 1 | 2 | 4) && all_digits(group))
    })
}

/// 12:30, 12:30:59.5.
fn is_time(text: &str) -> bool {
    let groups: Vec<&str> = text.split(':').collect();
    (2..=3).contains(&groups.len())
        && all_digits(groups[0])
        && groups[0].len() <= 2
        && groups[1].len() == 2
        && all_digits(groups[1])
}

/// 31 Jan 2024, January 31, Jan-24.
fn has_month(text: &str) -> bool {
    let mut words = text.split([' ', '-', '/', ',', '.']);
    let is_month = |word: &str| {
        let word = word.to_lowercase();
        word.len() >= 3 && MONTHS.iter().any(|month| month.starts_with(&word))
    };
    let has_number = text.bytes().any(|byte| byte.is_ascii_digit());
    has_number && words.any(is_month)
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> Error {
        number(text, || (2, "a".to_owned())).unwrap_err()
    }

    #[test]
    fn dates_are_known() {
        for text in [
            "2024-01-31",
            "31.12.2024",
            "31.12.24",
            "1/31/2024",
            "2024-01-31T12:00:00Z",
            "2024-01-31 12:00",
            "12:30",
            "12:30:59.5",
            "31 Jan 2024",
            "January 31, 2024",
            "Jan-24",
        ] {
            assert!(matches!(error(text), Error::Date { .. }), "{text}");
        }
        for text in [
            "a-b-c",
            "1-2",
            "mayor 5",
            "1:2:3:4",
            "12345-1-1",
            "Mar",
            "x:30",
        ] {
            assert!(matches!(error(text), Error::NotANumber { .. }), "{text}");
        }
    }

    #[test]
    fn separated_numbers_are_known() {
        for text in [
            "1,5",
            "1,234.5",
            "1.234,5",
            "-1'000",
            "1 000",
            "1\u{a0}000",
            "1_000",
            ",5",
            "1.234.567",
            "1,5e3",
        ] {
            assert!(
                matches!(error(text), Error::SeparatedNumber { .. }),
                "{text}"
            );
        }
        for text in ["5 kg", "$5", "5%", "high", "-", "1,", "0x10", "1,5ex"] {
            assert!(matches!(error(text), Error::NotANumber { .. }), "{text}");
        }
        for text in ["5", "-5.5", "+1e3", ".5", "5."] {
            assert!(number(text, || (2, "a".to_owned())).is_ok(), "{text}");
        }
    }
}
