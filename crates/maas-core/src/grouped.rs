/// A number in groups of three digits, as reports print it.
///
/// ```
/// assert_eq!(maas_core::grouped(11_680), "11,680");
/// assert_eq!(maas_core::grouped(7), "7");
/// ```
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
