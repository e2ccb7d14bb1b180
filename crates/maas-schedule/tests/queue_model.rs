//! Random histories of the batching queue beside a model that only counts.
#![cfg(not(loom))]
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use maas_schedule::{
    Batch, BatchQueue, Entry, Moment, Part, Priority, QueueOptions, Taken, Ticket,
};
use proptest::prelude::*;

const MAX_ROWS: usize = 6;
const QUEUED_ROWS: usize = 60;
const QUEUED_BYTES: usize = 400;

#[derive(Clone, Debug)]
enum Step {
    Push {
        rows: usize,
        bytes: usize,
        key: u64,
        tenant: u64,
        priority: Priority,
        time_left: Option<u64>,
    },
    Take {
        run: u64,
        late: u64,
    },
    Cancel(usize),
    Detach(usize),
    Pass(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let priority = prop_oneof![
        Just(Priority::High),
        Just(Priority::Normal),
        Just(Priority::Low)
    ];
    let time_left = proptest::option::of(1_u64..30);
    let push = (
        1_usize..20,
        0_usize..40,
        0_u64..3,
        0_u64..4,
        priority,
        time_left,
    )
        .prop_map(
            |(rows, bytes, key, tenant, priority, time_left)| Step::Push {
                rows,
                bytes,
                key,
                tenant,
                priority,
                time_left,
            },
        );
    let step = prop_oneof![
        5 => push,
        4 => (0_u64..3, 0_u64..5).prop_map(|(run, late)| Step::Take { run, late }),
        1 => any::<usize>().prop_map(Step::Cancel),
        1 => any::<usize>().prop_map(Step::Detach),
        2 => (1_u64..8).prop_map(Step::Pass),
    ];
    proptest::collection::vec(step, 1..150)
}

/// What the model knows of an accepted request.
#[derive(Debug)]
struct Request {
    rows: usize,
    key: u64,
    deadline: Option<Moment>,
    /// For each row, what became of it.
    fates: Vec<Option<Fate>>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    Run,
    Expired,
    Cancelled,
}

#[derive(Default)]
struct Model(BTreeMap<u64, Request>);

impl Model {
    fn settle(&mut self, part: &Part<u64>, fate: Fate) {
        let request = self.0.get_mut(&part.payload).expect("it was accepted");
        for row in part.rows.clone() {
            let before = request.fates[row].replace(fate);
            let in_batch = before == Some(Fate::Run) && fate == Fate::Expired;
            assert!(
                before.is_none() || in_batch,
                "row {row} of {} twice: {before:?}, {fate:?}",
                part.request
            );
        }
    }

    fn cancel(&mut self, request: u64) {
        let fates = &mut self.0.get_mut(&request).expect("it was accepted").fates;
        for fate in fates.iter_mut().filter(|fate| fate.is_none()) {
            *fate = Some(Fate::Cancelled);
        }
    }

    fn queued_rows(&self) -> usize {
        let fates = self.0.values().flat_map(|request| &request.fates);
        fates.filter(|fate| fate.is_none()).count()
    }
}

struct History {
    queue: BatchQueue<u64>,
    model: Model,
    tickets: Vec<(u64, Ticket<u64>)>,
    now: Moment,
    pushed: u64,
}

impl History {
    fn new(delay: u64) -> Self {
        let options = QueueOptions::default()
            .max_rows(MAX_ROWS)
            .max_delay(Duration::from_millis(delay))
            .max_queued_rows(QUEUED_ROWS)
            .max_queued_bytes(QUEUED_BYTES);
        Self {
            queue: BatchQueue::new(options),
            model: Model::default(),
            tickets: Vec::new(),
            now: Moment::ZERO,
            pushed: 0,
        }
    }

    fn apply(&mut self, step: &Step) {
        match *step {
            Step::Push { .. } => self.push(step),
            Step::Take { run, late } => {
                if let Taken::Batch(batch) = self.queue.take(self.now) {
                    self.run(batch, run, late);
                }
            }
            Step::Cancel(nth) if !self.tickets.is_empty() => {
                let (request, ticket) = self.tickets.swap_remove(nth % self.tickets.len());
                drop(ticket);
                self.model.cancel(request);
            }
            Step::Detach(nth) if !self.tickets.is_empty() => {
                self.tickets
                    .swap_remove(nth % self.tickets.len())
                    .1
                    .detach();
            }
            Step::Cancel(_) | Step::Detach(_) => {}
            Step::Pass(time) => self.now = self.now + Duration::from_millis(time),
        }
        let stats = self.queue.stats();
        assert_eq!(stats.queued_rows, self.model.queued_rows());
        assert!(stats.queued_rows <= QUEUED_ROWS && stats.queued_bytes <= QUEUED_BYTES);
        assert_eq!(stats.queued == 0, stats.queued_rows == 0);
        assert!(stats.queued > 0 || stats.queued_bytes == 0);
    }

    fn push(&mut self, step: &Step) {
        let &Step::Push {
            rows,
            bytes,
            key,
            tenant,
            priority,
            time_left,
        } = step
        else {
            return;
        };
        let deadline = time_left.map(|left| self.now + Duration::from_millis(left));
        let request = self.pushed;
        self.pushed += 1;
        let mut entry = Entry::rows(rows, request)
            .bytes(bytes)
            .key(key)
            .tenant(tenant)
            .priority(priority);
        if let Some(deadline) = deadline {
            entry = entry.deadline(deadline);
        }
        if let Ok(ticket) = self.queue.push(entry, self.now) {
            self.tickets.push((request, ticket));
            let fates = vec![None; rows];
            self.model.0.insert(
                request,
                Request {
                    rows,
                    key,
                    deadline,
                    fates,
                },
            );
        }
    }

    fn run(&mut self, mut batch: Batch<u64>, run: u64, late: u64) {
        assert!(batch.rows() <= MAX_ROWS);
        assert_eq!(
            batch.rows(),
            batch
                .parts
                .iter()
                .map(|part| part.rows.len())
                .sum::<usize>()
        );
        for part in &batch.parts {
            let request = &self.model.0[&*part.payload];
            assert_eq!(request.key, batch.key);
            assert_eq!(part.parts, request.rows.div_ceil(MAX_ROWS));
            assert_eq!(part.rows, rows_of(part.index, request.rows));
            assert!(request.deadline.is_none_or(|deadline| deadline > self.now));
            self.model.settle(part, Fate::Run);
        }
        self.assert_order(&batch);
        let before_run = self.now + Duration::from_millis(late);
        batch.drop_expired(before_run);
        for part in &batch.expired {
            assert!(part.deadline.is_some_and(|deadline| deadline <= before_run));
            self.model.settle(part, Fate::Expired);
        }
        batch.done(Duration::from_millis(run));
    }

    /// Classes in order, and within a class and tenant by deadline or, in overload, the newest first.
    fn assert_order(&self, batch: &Batch<u64>) {
        assert!(batch.parts.is_sorted_by_key(|part| part.priority));
        for (index, part) in batch.parts.iter().enumerate() {
            let same =
                |other: &&Part<u64>| (other.priority, other.tenant) == (part.priority, part.tenant);
            let Some(next) = batch.parts[index + 1..].iter().find(same) else {
                continue;
            };
            if part.index + 1 < part.parts {
                assert_eq!((next.request, next.index), (part.request, part.index + 1));
            } else if part.parts == 1 {
                let earlier = part
                    .deadline
                    .map_or(Moment::from_nanos(u64::MAX), |deadline| deadline)
                    <= next.deadline.unwrap_or(Moment::from_nanos(u64::MAX));
                let newer = part.deadline.is_some() && part.request > next.request;
                assert!(earlier || newer, "{part:?} before {next:?}");
            }
        }
    }

    fn finish(mut self) {
        self.queue.close();
        assert!(self.queue.push(Entry::rows(1, 0), self.now).is_err());
        while let Taken::Batch(batch) = self.queue.take(self.now) {
            self.run(batch, 1, 0);
        }
        assert!(matches!(self.queue.take(self.now), Taken::Closed));
        assert_eq!(self.model.queued_rows(), 0);
        let stats = self.queue.stats();
        assert_eq!(
            (stats.queued, stats.queued_rows, stats.queued_bytes),
            (0, 0, 0)
        );
        assert_eq!(stats.accepted, self.model.0.len() as u64);
    }
}

fn rows_of(part: usize, rows: usize) -> Range<usize> {
    part * MAX_ROWS..rows.min((part + 1) * MAX_ROWS)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn each_row_is_run_or_expires_or_is_cancelled_once(steps in steps(), delay in 0_u64..6) {
        let mut history = History::new(delay);
        for step in steps {
            history.apply(&step);
        }
        history.finish();
    }

    #[test]
    fn tenants_with_a_backlog_are_served_alike(
        sizes in proptest::collection::vec(1_usize..=MAX_ROWS, 120),
        weight in 1_u32..4,
    ) {
        let queue = BatchQueue::new(QueueOptions::default().max_rows(MAX_ROWS));
        queue.set_weight(1, weight);
        for (index, &rows) in sizes.iter().enumerate() {
            queue.push(Entry::rows(rows, ()).tenant(index as u64 % 2), Moment::ZERO).unwrap().detach();
        }
        let mut left = [0, 1].map(|tenant| sizes.iter().skip(tenant).step_by(2).sum::<usize>());
        let mut served = [0.0; 2];
        let weights = [1.0, f64::from(weight)];
        while left.iter().all(|&rows| rows > 2 * MAX_ROWS) {
            let batch = queue.take(Moment::ZERO).batch().unwrap();
            for part in batch.parts {
                let tenant = usize::try_from(part.tenant).unwrap();
                left[tenant] -= part.rows.len();
                served[tenant] += f64::from(u32::try_from(part.rows.len()).unwrap()) / weights[tenant];
            }
            let unfairness = f64::abs(served[0] - served[1]);
            prop_assert!(unfairness <= 6.0 + 1e-9, "{served:?}: more than one request apart");
        }
    }
}
