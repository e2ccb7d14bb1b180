//! Links that are run at once: a clip, a direction and a decay in one pass over a block, with the bits that they have one
//! after another.

use std::any::Any;
use std::sync::Arc;

use maas_kernels::{Around, Direction};
use maas_nn::{Block, Step};

use super::bound::Bound;
use super::clip::clip_factor;
use super::{
    ClipByGlobalNorm, ClipByNorm, ClipByValue, DecayWeights, Momentum, ScaleByAdagrad, ScaleByAdam,
    ScaleByAmsGrad, ScaleByLion, ScaleByNadam, ScaleByRms,
};

/// A link whose direction is a kernel's.
pub(super) trait Directed: Send + Sync + std::fmt::Debug {
    fn direction(&self, step: &Step, scalars: &[f64]) -> Direction;
}

/// What stands before the links that act after the step: at most a clip, a direction and a decay.
#[derive(Clone, Debug)]
pub(super) struct Joined {
    clip: Option<(usize, Clip)>,
    /// The number of the link that keeps the state.
    pub(super) keeper: usize,
    direction: Arc<dyn Directed>,
    decay: Option<DecayWeights>,
}

#[derive(Clone, Copy, Debug)]
enum Clip {
    Value(f32),
    Norm(f32),
}

impl Joined {
    /// The links joined, where they are of that form and more than one.
    pub(super) fn of(links: &[Bound]) -> Option<Self> {
        let mut rest = links
            .iter()
            .enumerate()
            .filter(|(_, link)| link.acts_before())
            .map(|(number, link)| (number, link.link.as_ref() as &dyn Any))
            .peekable();
        let clip = rest
            .peek()
            .and_then(|&(number, link)| Some((number, clip(link)?)));
        if clip.is_some() {
            rest.next();
        }
        let (keeper, link) = rest.next()?;
        let direction = directed(link)?;
        let decay = match rest.next() {
            None => None,
            Some((_, link)) => Some(*link.downcast_ref::<DecayWeights>()?),
        };
        let joined = Self {
            clip,
            keeper,
            direction,
            decay,
        };
        let several = joined.clip.is_some() || joined.decay.is_some();
        (several && rest.next().is_none()).then_some(joined)
    }

    /// The whole step of a block, which is the keeper's; `reduction` gives that of a link.
    pub(super) fn run(&self, step: &Step, block: &mut Block<'_>, reduction: impl Fn(usize) -> f32) {
        let mut around = Around {
            decay: self.decay.and_then(|decay| decay.of(block.role)),
            ..Around::step(step.learning_rate)
        };
        match self.clip {
            None => {}
            Some((_, Clip::Value(limit))) => around.limit = limit,
            Some((number, Clip::Norm(limit))) => {
                around.scale = clip_factor(limit, reduction(number));
            }
        }
        let direction = self.direction.direction(step, block.scalars);
        step.kernels.step_along(
            block.parameters,
            block.update,
            block.state.all(),
            direction,
            around,
        );
    }
}

fn clip(link: &dyn Any) -> Option<Clip> {
    if let Some(clip) = link.downcast_ref::<ClipByValue>() {
        return Some(Clip::Value(clip.limit));
    }
    if let Some(clip) = link.downcast_ref::<ClipByNorm>() {
        return Some(Clip::Norm(clip.limit));
    }
    let clip = link.downcast_ref::<ClipByGlobalNorm>()?;
    Some(Clip::Norm(clip.limit))
}

fn directed(link: &dyn Any) -> Option<Arc<dyn Directed>> {
    known::<ScaleByAdam>(link)
        .or_else(|| known::<Momentum>(link))
        .or_else(|| known::<ScaleByRms>(link))
        .or_else(|| known::<ScaleByLion>(link))
        .or_else(|| known::<ScaleByNadam>(link))
        .or_else(|| known::<ScaleByAmsGrad>(link))
        .or_else(|| known::<ScaleByAdagrad>(link))
}

fn known<L: Directed + Copy + 'static>(link: &dyn Any) -> Option<Arc<dyn Directed>> {
    let link = *link.downcast_ref::<L>()?;
    Some(Arc::new(link))
}
