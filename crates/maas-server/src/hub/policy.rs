use super::order::compare;

/// Which of the versions that a source has are served.
///
/// ```
/// use maas_server::VersionPolicy;
/// let versions = || ["1", "10", "9"].map(str::to_owned).to_vec();
/// assert_eq!(VersionPolicy::Latest(2).of(versions()), ["10", "9"]);
/// assert_eq!(VersionPolicy::Specific(vec!["1".to_owned()]).of(versions()), ["1"]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum VersionPolicy {
    /// So many of the highest; numbers count by value, and more than other texts.
    Latest(usize),
    /// All.
    All,
    /// Those, as far as they are there.
    Specific(Vec<String>),
}

impl Default for VersionPolicy {
    /// The highest.
    fn default() -> Self {
        Self::Latest(1)
    }
}

impl VersionPolicy {
    /// Those of `versions` that are served, the highest first.
    ///
    /// See the type for an example.
    #[must_use]
    pub fn of(&self, mut versions: Vec<String>) -> Vec<String> {
        versions.sort_by(|a, b| compare(b, a));
        versions.dedup();
        match self {
            Self::Latest(most) => versions.truncate(*most),
            Self::All => {}
            Self::Specific(those) => versions.retain(|version| those.contains(version)),
        }
        versions
    }
}
