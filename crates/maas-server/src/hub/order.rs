use std::cmp::Ordering;

/// Numbers by value and above all other texts.
pub(crate) fn compare(a: &str, b: &str) -> Ordering {
    match (a.parse::<u64>(), b.parse::<u64>()) {
        (Ok(a), Ok(b)) => a.cmp(&b),
        (Ok(_), Err(_)) => Ordering::Greater,
        (Err(_), Ok(_)) => Ordering::Less,
        (Err(_), Err(_)) => a.cmp(b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_count_by_value_and_more_than_words() {
        let mut versions = ["2", "10", "beta", "9", "alpha"];
        versions.sort_by(|a, b| compare(a, b));
        assert_eq!(versions, ["alpha", "beta", "2", "9", "10"]);
    }
}
