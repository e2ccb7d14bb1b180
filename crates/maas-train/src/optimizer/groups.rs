//! Parameters that are treated in their own way.

use maas_nn::Segment;
use serde_json::{Value, json};

use crate::{Error, LearningRate};

/// What a pattern asks for.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) pattern: String,
    pub(super) treatment: Treatment,
}

#[derive(Clone, Debug)]
pub(super) enum Treatment {
    Frozen,
    /// Times the chain's rate.
    Factor(f32),
    Rate(LearningRate),
}

impl Group {
    /// The numbers of the segments that it is about.
    pub(super) fn segments<'a>(
        &'a self,
        segments: &'a [Segment],
    ) -> Result<impl Iterator<Item = usize> + 'a, Error> {
        let mut found = segments
            .iter()
            .enumerate()
            .filter(|(_, segment)| matches(&self.pattern, &segment.name))
            .map(|(number, _)| number)
            .peekable();
        if found.peek().is_none() {
            return Err(Error::Pattern {
                pattern: self.pattern.clone(),
                names: segments
                    .iter()
                    .map(|segment| segment.name.clone())
                    .collect(),
            });
        }
        Ok(found)
    }

    /// Without the rate itself.
    pub(super) fn identity(&self) -> Value {
        let treatment = match &self.treatment {
            Treatment::Frozen => json!("frozen"),
            Treatment::Factor(factor) => json!({ "factor": factor }),
            Treatment::Rate(_) => json!("rate"),
        };
        json!([self.pattern, treatment])
    }
}

/// Whether a name fits a pattern in which `*` stands for any characters and `?` for any one. A `/` in the pattern also
/// fits the `.` between layer and parameter.
fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), name.chars().collect());
    let fits = |p: char, n: char| p == '?' || p == n || (p == '/' && n == '.');
    let (mut p, mut n) = (0, 0);
    // The last star, and how far it reaches.
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        if p < pattern.len() && pattern[p] == '*' {
            star = Some((p, n));
            p += 1;
        } else if p < pattern.len() && fits(pattern[p], name[n]) {
            (p, n) = (p + 1, n + 1);
        } else if let Some((at, reach)) = star {
            star = Some((at, reach + 1));
            (p, n) = (at + 1, reach + 1);
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|&c| c == '*')
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns() {
        for (pattern, name, expected) in [
            ("dense_1/*", "dense_1.kernel", true),
            ("dense_1.*", "dense_1.kernel", true),
            ("dense_1/*", "dense_10.kernel", false),
            ("dense_1*", "dense_10.kernel", true),
            ("*bias", "dense.bias", true),
            ("*bias", "dense.bias_2", false),
            ("*a*b", "aabab", true),
            ("dense.kernel", "dense.kernel", true),
            ("dense", "dense.kernel", false),
            ("den?e.*", "dense.kernel", true),
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }
}
