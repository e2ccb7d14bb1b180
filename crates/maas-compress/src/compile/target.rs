use std::num::NonZeroUsize;

/// What a network is compiled for: the calls that its layers are timed with.
///
/// ```
/// use std::num::NonZeroUsize;
/// use maas_compress::{Goal, Target};
///
/// let target = Target::rows(64).threads(NonZeroUsize::MIN).goal(Goal::Memory);
/// assert_eq!((target.rows, target.goal), (64, Goal::Memory));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub struct Target {
    /// Rows of a call.
    pub rows: usize,
    /// Threads of a call.
    pub threads: NonZeroUsize,
    /// What is wanted of each layer.
    pub goal: Goal,
}

/// What is wanted of the representation of a layer. The answers are the same either way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Goal {
    /// That it is the fastest, as measured on this machine.
    #[default]
    Latency,
    /// That it takes the fewest bytes of memory.
    Memory,
}

impl Target {
    /// Calls of so many rows, on one thread, as fast as may be.
    ///
    /// See the type for an example.
    pub fn rows(rows: usize) -> Self {
        Self {
            rows,
            ..Self::default()
        }
    }

    /// Calls on so many threads.
    ///
    /// See the type for an example.
    pub fn threads(self, threads: NonZeroUsize) -> Self {
        Self { threads, ..self }
    }

    /// Another goal.
    ///
    /// See the type for an example.
    pub fn goal(self, goal: Goal) -> Self {
        Self { goal, ..self }
    }
}

impl Default for Target {
    /// One row, one thread, the least latency.
    fn default() -> Self {
        Self {
            rows: 1,
            threads: NonZeroUsize::MIN,
            goal: Goal::Latency,
        }
    }
}
