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
}

/// Which elements of a segment are in the file.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Elements {
    /// All of them, without positions.
    All,
    /// This many, at their positions; the others are +0.
    Nonzero(usize),
    /// This many, at their positions: those that the segment's mask keeps.
    Kept(usize),
}
