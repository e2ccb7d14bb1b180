/// The state of a region in one number, so that every change of it is one compare-exchange:
///
/// ```text
/// bit 58       57        56       40..56   24..40   12..24   0..12
///     stopped  panicked  waiting  count    next     limit    running
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Word(u64);

impl Word {
    /// No region.
    pub(super) const NOTHING: Self = Self(0);
    /// The caller has parked until the last worker leaves.
    pub(super) const WAITING: u64 = 1 << 56;
    /// `Team::panic` holds a payload of this region.
    const PANICKED: u64 = 1 << 57;
    /// Workers are to end.
    #[cfg(test)]
    pub(super) const STOPPED: u64 = 1 << 58;
    pub(super) const MOST_TASKS: usize = (1 << 16) - 1;

    /// A region whose first task the caller has claimed already.
    pub(super) fn region(limit: usize, tasks: usize) -> Self {
        debug_assert!(tasks <= Self::MOST_TASKS, "{tasks} tasks in one region");
        debug_assert!(limit < 1 << 12, "{limit} workers in one region");
        Self(((tasks as u64) << 40) | (1 << 24) | ((limit as u64) << 12))
    }

    pub(super) fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    pub(super) fn bits(self) -> u64 {
        self.0
    }

    /// The worker with this number may claim a task.
    pub(super) fn has_task_for(self, worker: usize) -> bool {
        worker < self.limit() && self.next() < self.count()
    }

    /// The caller or a worker in the region takes the next task.
    pub(super) fn with_next_claimed(self) -> Option<Self> {
        (self.next() < self.count()).then_some(Self(self.0 + (1 << 24)))
    }

    /// A worker enters the region with the next task.
    pub(super) fn entered(self, worker: usize) -> Option<Self> {
        self.has_task_for(worker)
            .then_some(Self(self.0 + (1 << 24) + 1))
    }

    pub(super) fn left(self) -> Self {
        debug_assert!(self.running() > 0, "nobody to leave");
        Self(self.0 - 1)
    }

    pub(super) fn with_panic(self, panicked: bool) -> Self {
        Self(if panicked {
            self.0 | Self::PANICKED
        } else {
            self.0
        })
    }

    /// The number of the task that is claimed next.
    pub(super) fn next(self) -> usize {
        self.field(24, 16)
    }

    /// Workers in the region.
    pub(super) fn running(self) -> usize {
        self.field(0, 12)
    }

    pub(super) fn waiting(self) -> bool {
        self.0 & Self::WAITING != 0
    }

    pub(super) fn panicked(self) -> bool {
        self.0 & Self::PANICKED != 0
    }

    #[cfg(test)]
    pub(super) fn stopped(self) -> bool {
        self.0 & Self::STOPPED != 0
    }

    #[cfg(not(test))]
    pub(super) fn stopped(self) -> bool {
        false
    }

    fn count(self) -> usize {
        self.field(40, 16)
    }

    fn limit(self) -> usize {
        self.field(12, 12)
    }

    fn field(self, shift: u32, bits: u32) -> usize {
        ((self.0 >> shift) & ((1 << bits) - 1)) as usize
    }
}
