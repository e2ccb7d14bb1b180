use std::path::PathBuf;
use std::str::FromStr;

use maas_server::VersionPolicy;

/// A model in a file, as the command line names it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ModelFile {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) path: PathBuf,
}

impl FromStr for ModelFile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("expected NAME=PATH or NAME:VERSION=PATH, found `{text}`");
        let (name, path) = text.split_once('=').ok_or_else(wrong)?;
        let (name, version) = name.rsplit_once(':').unwrap_or((name, "1"));
        if name.is_empty() || version.is_empty() || path.is_empty() {
            return Err(wrong());
        }
        Ok(Self {
            name: name.to_owned(),
            version: version.to_owned(),
            path: path.into(),
        })
    }
}

/// `all`, `latest:N` or `VERSION,...`
pub(crate) fn versions(text: &str) -> Result<VersionPolicy, String> {
    if text == "all" {
        return Ok(VersionPolicy::All);
    }
    if let Some(most) = text.strip_prefix("latest:") {
        let most = most.parse().ok().filter(|&most| most > 0);
        let most = most.ok_or_else(|| format!("expected latest:N, found `{text}`"))?;
        return Ok(VersionPolicy::Latest(most));
    }
    let those: Vec<_> = text.split(',').map(str::to_owned).collect();
    if those.iter().any(String::is_empty) {
        return Err(format!(
            "expected all, latest:N or names of versions, found `{text}`"
        ));
    }
    Ok(VersionPolicy::Specific(those))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_has_a_name_and_may_have_a_version() {
        let model = |text: &str| {
            text.parse::<ModelFile>()
                .map(|file| (file.name, file.version))
        };
        assert_eq!(
            model("wine=a.maas"),
            Ok(("wine".to_owned(), "1".to_owned()))
        );
        assert_eq!(
            model("wine:2=a=b.maas"),
            Ok(("wine".to_owned(), "2".to_owned()))
        );
        for text in ["wine", "=a", "wine=", "wine:=a", ":2=a"] {
            assert!(model(text).is_err(), "{text}");
        }
    }

    #[test]
    fn versions_are_all_the_latest_or_certain_ones() {
        assert_eq!(versions("all"), Ok(VersionPolicy::All));
        assert_eq!(versions("latest:2"), Ok(VersionPolicy::Latest(2)));
        let those = vec!["1".to_owned(), "beta".to_owned()];
        assert_eq!(versions("1,beta"), Ok(VersionPolicy::Specific(those)));
        for text in ["", "latest:", "latest:0", "latest:x", "1,"] {
            assert!(versions(text).is_err(), "{text}");
        }
    }
}
