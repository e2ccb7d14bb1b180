use std::collections::BTreeMap;
use std::time::Duration;

use super::lane::Urgency;
use super::{Rate, Reason};
use crate::Moment;

/// The keys of which a batch may be taken now.
pub(super) enum Ready {
    /// All, for the same reason.
    All(Reason),
    /// Those whose batch closes, each for its reason.
    Some(BTreeMap<u64, Reason>),
    /// That of a batch that is being filled.
    Only(u64),
}

impl Ready {
    pub(super) fn admits(&self, key: u64) -> bool {
        match self {
            Self::All(_) => true,
            Self::Some(keys) => keys.contains_key(&key),
            Self::Only(only) => *only == key,
        }
    }

    pub(super) fn reason(&self, key: u64) -> Reason {
        match self {
            Self::All(reason) => *reason,
            Self::Some(keys) => keys.get(&key).copied().unwrap_or(Reason::Full),
            Self::Only(_) => Reason::Full,
        }
    }
}

/// What is known of a batch that waits to be filled.
struct Filling {
    rows: usize,
    oldest: Moment,
    latest_start: Option<Moment>,
}

/// The batches that wait to be filled, by key.
pub(super) struct Fillings {
    keys: BTreeMap<u64, Filling>,
    max_rows: usize,
    max_delay: Duration,
}

impl Fillings {
    pub(super) fn new(max_rows: usize, max_delay: Duration) -> Self {
        Self {
            keys: BTreeMap::new(),
            max_rows,
            max_delay,
        }
    }

    pub(super) fn add(&mut self, key: u64, urgency: &Urgency, rate: Rate) {
        let start = |(queued_at, deadline)| self.latest_start(queued_at, deadline, rate);
        let latest_start = urgency.first_due.map(start);
        let filling = self.keys.entry(key).or_insert(Filling {
            rows: 0,
            oldest: urgency.oldest,
            latest_start,
        });
        filling.rows += urgency.rows;
        filling.oldest = filling.oldest.min(urgency.oldest);
        filling.latest_start = filling.latest_start.into_iter().chain(latest_start).min();
    }

    /// When a batch has to start so that the deadline is met: by the measured rate, at the latest after half of the
    /// time.
    fn latest_start(&self, queued_at: Moment, deadline: Moment, rate: Rate) -> Moment {
        let time = deadline.since(queued_at);
        let run = rate.run(self.max_rows).unwrap_or(Duration::ZERO);
        queued_at + time.saturating_sub(run).min(time / 2)
    }

    /// The keys whose batch closes now, or the moment at which the first one does.
    pub(super) fn close(&self, now: Moment) -> Result<Ready, Moment> {
        let reason = |filling: &Filling| {
            if filling.rows >= self.max_rows {
                Some(Reason::Full)
            } else if filling.oldest + self.max_delay <= now {
                Some(Reason::Delay)
            } else {
                let due = filling.latest_start.is_some_and(|start| start <= now);
                due.then_some(Reason::Deadline)
            }
        };
        let closing = self
            .keys
            .iter()
            .filter_map(|(&key, filling)| Some((key, reason(filling)?)));
        let closing: BTreeMap<u64, Reason> = closing.collect();
        if !closing.is_empty() {
            return Ok(Ready::Some(closing));
        }
        let next = |filling: &Filling| {
            let full_delay = filling.oldest + self.max_delay;
            filling
                .latest_start
                .map_or(full_delay, |start| start.min(full_delay))
        };
        Err(self.keys.values().map(next).min().unwrap_or(now))
    }
}
