//! A chain's links with the places of their state, and the passes that they need.

use std::ops::Range;
use std::sync::Arc;

use maas_nn::{Acts, Reduces, Transform};

use crate::Chain;

#[derive(Clone, Debug)]
pub(super) struct Bound {
    pub(super) link: Arc<dyn Transform>,
    /// Buffers of the links before it, and its own.
    pub(super) buffers: Range<usize>,
    pub(super) scalars: Range<usize>,
    pub(super) reduces: Reduces,
    pub(super) acts: Acts,
}

impl Bound {
    pub(super) fn all(chain: &Chain) -> Vec<Self> {
        let (mut buffers, mut scalars) = (0, 0);
        let bind = |link: &Arc<dyn Transform>| {
            let bound = Self {
                buffers: buffers..buffers + link.buffers(),
                scalars: scalars..scalars + link.scalars(),
                reduces: link.reduces(),
                acts: link.acts(),
                link: Arc::clone(link),
            };
            (buffers, scalars) = (bound.buffers.end, bound.scalars.end);
            bound
        };
        chain.links().iter().map(bind).collect()
    }

    pub(super) fn acts_before(&self) -> bool {
        self.acts != Acts::AfterStep
    }

    pub(super) fn acts_after(&self) -> bool {
        self.acts != Acts::BeforeStep
    }
}

/// The links of each pass over the parameters. A link that reduces what links before it have changed begins a new pass;
/// without such links there is one.
pub(super) fn passes(links: &[Bound]) -> Vec<Range<usize>> {
    let mut passes = Vec::new();
    let (mut first, mut changed) = (0, false);
    for (number, link) in links.iter().enumerate() {
        if link.reduces != Reduces::Nothing && changed {
            passes.push(first..number);
            (first, changed) = (number, false);
        }
        changed |= link.acts_before();
    }
    passes.push(first..links.len());
    passes
}
