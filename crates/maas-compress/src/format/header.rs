use maas_core::Signature;
use maas_nn::NetworkSpec;
use serde::{Deserialize, Serialize};

/// What a file says about itself.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    pub(super) spec: NetworkSpec,
    pub(super) signature: Signature,
    pub(super) segments: Vec<SegmentHeader>,
    pub(super) padding: u64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SegmentHeader {
    pub(super) name: String,
    pub(super) elements: Elements,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) masked: bool,
}

/// Which elements of a segment are in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Elements {
    All,
    /// This many, with their positions.
    Listed(usize),
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum ElementsJson {
    Listed(usize),
    All(AllWord),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum AllWord {
    All,
}

impl Serialize for Elements {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self {
            Self::All => ElementsJson::All(AllWord::All),
            Self::Listed(count) => ElementsJson::Listed(count),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Elements {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match ElementsJson::deserialize(deserializer)? {
            ElementsJson::All(AllWord::All) => Self::All,
            ElementsJson::Listed(count) => Self::Listed(count),
        })
    }
}
