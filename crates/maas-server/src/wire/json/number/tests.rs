use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn same_as_std<T: Number + FromStr + PartialEq + std::fmt::Debug>(
    text: &str,
    bits: impl Fn(T) -> u64,
) -> Result<(), TestCaseError> {
    for after in ["", ",", "]  ]}]}      ", " ,123456789"] {
        let read = T::read(format!("{text}{after}").as_bytes());
        let (value, length) = read.ok_or_else(|| TestCaseError::fail(text.to_owned()))?;
        let expected = text.parse().unwrap_or_else(|_| panic!("{text}"));
        prop_assert_eq!(bits(value), bits(expected), "{}", text);
        prop_assert_eq!(length, text.len());
    }
    Ok(())
}

fn f32_like_std(text: &str) -> Result<(), TestCaseError> {
    same_as_std::<f32>(text, |value| value.to_bits().into())
}

fn f64_like_std(text: &str) -> Result<(), TestCaseError> {
    same_as_std::<f64>(text, f64::to_bits)
}

#[test]
fn hard_numbers_are_rounded_once() {
    for text in [
        "0",
        "-0",
        "0.0",
        "-0.000",
        "0e5",
        "16777217",
        "16777219",
        "33554433.0",
        "33554435.000000000",
        "16777217.00000000000000000001",
        "9007199254740993",
        "9007199254740993.0",
        "1.17549435e-38",
        "1.1754942e-38",
        "1e-45",
        "7e-46",
        "7.006492321624085e-46",
        "3.4028234e38",
        "3.4028235677973365e38",
        "0.1",
        "123456789012345678",
        "1234567890123456789",
        "12345678901234567890",
        "0.00000000000000000001",
        "1e22",
        "1e23",
        "1.0e-22",
        "100000000000000000000000",
        "8.5899346e9",
        "8589934592.5",
        "0.3",
        "2.5e-1",
        "4.35",
        "1.00000017881393432617187499",
        "1.00000017881393432617187500",
        "1.00000017881393432617187501",
        "1.000000178813934326",
        "1.000000059604644775",
        "1.0000000596046447754",
        "1.0000000596046447753",
    ] {
        f32_like_std(text).unwrap();
        f64_like_std(text).unwrap();
    }
}

#[test]
fn numbers_are_those_of_json() {
    for text in [
        "", "-", "+1", ".5", "01", "-01", "00", "1.", "1.e1", "1e", "1e+", "-.5", "e1", "a", "NaN",
        "inf",
    ] {
        assert!(f64::read(text.as_bytes()).is_none(), "{text}");
        assert!(
            f32::read(format!("{text} ,    ").as_bytes()).is_none(),
            "{text}"
        );
        assert!(length(text.as_bytes()).is_none(), "{text}");
    }
    for text in ["1e39", "-1e39", "3.4028236e38", "1e99999999999999999999"] {
        assert!(f32::read(text.as_bytes()).is_none(), "{text}");
        assert_eq!(length(text.as_bytes()), Some(text.len()));
    }
    assert!(f64::read(b"1e309").is_none());
    for text in ["1.0", "1e0", "1E2", "256", "-1", "99999999999999999999"] {
        assert!(u8::read(text.as_bytes()).is_none(), "{text}");
    }
    assert_eq!(u8::read(b"-0"), Some((0, 2)));
    assert_eq!(u64::read(b"18446744073709551615]"), Some((u64::MAX, 20)));
    assert!(u64::read(b"18446744073709551616]").is_none());
    assert_eq!(i64::read(b"-9223372036854775808]"), Some((i64::MIN, 20)));
}

/// Numbers and what stands between them, mostly as it should.
fn texts() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        8 => "-?(0|[1-9][0-9]{0,3})(\\.[0-9]{1,4})?",
        2 => "-?[0-9]{1,22}(\\.[0-9]{1,22})?",
        8 => Just(",".to_owned()),
        4 => Just(", ".to_owned()),
        1 => "[-+0-9.,eE \n\\[\\]\"]{1,3}",
    ];
    vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// What stands in front of the first number.
const HEAD: &str = r#"{"data":["#;
/// As much has to follow where numbers are found at once.
const BEHIND: usize = 64;

/// Numbers that are found at once are those that are found one by one.
fn runs_like_single_numbers<T: Number + Default>(
    text: &str,
    bits: impl Fn(T) -> u64,
) -> Result<(), TestCaseError> {
    let text = format!("{HEAD}{}{:BEHIND$}", text.trim_start_matches(' '), "");
    let mut values = [T::default(); 40];
    let (count, end) = run(text.as_bytes(), HEAD.len(), &mut values);
    let mut at = HEAD.len();
    for (i, value) in values[..count].iter().enumerate() {
        if i > 0 {
            let gap = text[at..].strip_prefix(',');
            at = text.len() - gap.expect("a comma").trim_start_matches(' ').len();
        }
        let (single, length) = T::read(&text.as_bytes()[at..]).expect("a number");
        prop_assert_eq!(bits(*value), bits(single), "{} of {}", i, text);
        at += length;
    }
    prop_assert_eq!(end, at, "{}", text);
    prop_assert!(count == 0 || b",] \n\r\t".contains(&text.as_bytes()[end]));
    Ok(())
}

proptest! {
    #[test]
    fn written_floats_are_read(value in any::<f32>().prop_filter("JSON", |x| x.is_finite())) {
        f32_like_std(&value.to_string())?;
        f32_like_std(&format!("{value:e}"))?;
        f32_like_std(&f64::from(value).to_string())?;
    }

    #[test]
    fn written_doubles_are_read(value in any::<f64>().prop_filter("JSON", |x| x.is_finite())) {
        f64_like_std(&value.to_string())?;
        f64_like_std(&format!("{value:e}"))?;
    }

    #[test]
    fn decimals_are_rounded_once(text in "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?") {
        f64_like_std(&text)?;
        if text.parse::<f32>().unwrap().is_finite() {
            f32_like_std(&text)?;
        }
    }

    /// The middle between two neighbours, and a little beside it.
    #[test]
    fn middles_are_rounded_once(bits in 0_u32..0x7f7f_ffff, beside in -3_i64..=3, places in 0_usize..30) {
        let (low, high) = (f32::from_bits(bits), f32::from_bits(bits + 1));
        let middle = (f64::from(low) + f64::from(high)) / 2.0;
        let near = f64::from_bits(middle.to_bits().saturating_add_signed(beside));
        f32_like_std(&near.to_string())?;
        f32_like_std(&format!("{near:.places$e}"))?;
        f32_like_std(&format!("{near:.places$}"))?;
    }

    #[test]
    fn integers_are_read(value: i64, small in -300_i64..300) {
        same_as_std::<i64>(&value.to_string(), i64::cast_unsigned)?;
        same_as_std::<u64>(&value.cast_unsigned().to_string(), |value| value)?;
        let text = small.to_string();
        prop_assert_eq!(i8::read(text.as_bytes()).map(|read| read.0), small.try_into().ok());
        prop_assert_eq!(u8::read(text.as_bytes()).map(|read| read.0), small.try_into().ok());
    }

    #[test]
    fn runs_are_single_numbers(text in texts()) {
        runs_like_single_numbers::<f32>(&text, |value| value.to_bits().into())?;
        runs_like_single_numbers::<f64>(&text, f64::to_bits)?;
        runs_like_single_numbers::<i64>(&text, i64::cast_unsigned)?;
        runs_like_single_numbers::<u8>(&text, u64::from)?;
    }

    #[test]
    fn plain_numbers_are_found_at_once(
        numbers in vec("-?(0|[1-9][0-9]{0,5})(\\.[0-9]{1,9})?", 1..40),
        comma in prop_oneof![Just(","), Just(", "), Just(",  ")],
        after in prop_oneof![Just("]"), Just("]}]}"), Just(" ]"), Just("\n]")],
        room in 0_usize..40,
    ) {
        let list = numbers.join(comma);
        let text = format!("{HEAD}{list}{after}{:BEHIND$}", "");
        let mut values = vec![0.0; room];
        let (count, _) = run::<f64>(text.as_bytes(), HEAD.len(), &mut values);
        let mut end = 0;
        let whole = numbers.iter().take_while(|number| {
            end += number.len();
            let is_whole = end < BEHIND;
            end += comma.len();
            is_whole
        });
        prop_assert_eq!(count, whole.count().min(room), "{}", text);
    }
}
