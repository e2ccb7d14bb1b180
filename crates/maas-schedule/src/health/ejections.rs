use crate::sync::{AtomicU64, Ordering};

/// How many members there are and how many of them are ejected: one word, so that the ceiling is never exceeded.
#[derive(Debug)]
pub(super) struct Ejections {
    word: AtomicU64,
    most: f64,
}

impl Ejections {
    pub(super) fn at_most(share: f64) -> Self {
        Self {
            word: AtomicU64::new(0),
            most: share,
        }
    }

    pub(super) fn join(&self) {
        self.word.fetch_add(MEMBER, Ordering::Relaxed);
    }

    pub(super) fn leave(&self) {
        self.word.fetch_sub(MEMBER, Ordering::Relaxed);
    }

    /// Whether there may be one more, who then is counted.
    pub(super) fn add(&self) -> bool {
        let one_more = |word| (ejected(word) < self.ceiling(members(word))).then_some(word + 1);
        self.word
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more)
            .is_ok()
    }

    pub(super) fn remove(&self) {
        self.word.fetch_sub(1, Ordering::Relaxed);
    }

    pub(super) fn members(&self) -> u64 {
        members(self.word.load(Ordering::Relaxed))
    }

    pub(super) fn ejected(&self) -> u64 {
        ejected(self.word.load(Ordering::Relaxed))
    }

    fn ceiling(&self, members: u64) -> u64 {
        ((members as f64 * self.most) as u64).max(1)
    }
}

fn members(word: u64) -> u64 {
    word / MEMBER
}

fn ejected(word: u64) -> u64 {
    word % MEMBER
}

const MEMBER: u64 = 1 << 32;
