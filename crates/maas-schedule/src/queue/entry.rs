use crate::Moment;

/// Higher classes go first, whatever waits in lower ones.
///
/// ```
/// use maas_schedule::Priority;
/// assert!(Priority::High < Priority::Low); // in the order of service
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// Before all others.
    High,
    /// Where nothing else is said.
    #[default]
    Normal,
    /// When there is nothing else to do.
    Low,
}

/// A request that asks to be queued: its rows, what it is, and a payload that the queue only carries.
///
/// ```
/// use maas_schedule::{Entry, Moment, Priority};
///
/// let entry = Entry::rows(3, "input").bytes(96).key(17).tenant(7).priority(Priority::High).deadline(Moment::from_nanos(9));
/// assert_eq!(entry.into_payload(), "input");
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Entry<T> {
    pub(super) rows: usize,
    pub(super) bytes: usize,
    pub(super) key: u64,
    pub(super) tenant: u64,
    pub(super) priority: Priority,
    pub(super) deadline: Option<Moment>,
    pub(super) payload: T,
}

impl<T> Entry<T> {
    /// So many rows, of no bytes, key 0, tenant 0, normal priority and no deadline.
    pub fn rows(rows: usize, payload: T) -> Self {
        Self {
            rows,
            bytes: 0,
            key: 0,
            tenant: 0,
            priority: Priority::default(),
            deadline: None,
            payload,
        }
    }

    /// What the payload occupies while it is queued.
    pub fn bytes(mut self, bytes: usize) -> Self {
        self.bytes = bytes;
        self
    }

    /// What must be equal in a batch: a number for the model, the shape of a row and the type of its elements.
    pub fn key(mut self, key: u64) -> Self {
        self.key = key;
        self
    }

    /// Whose request it is; tenants share the workers by rows.
    pub fn tenant(mut self, tenant: u64) -> Self {
        self.tenant = tenant;
        self
    }

    /// Which class it belongs to.
    pub fn priority(mut self, priority: Priority) -> Self {
        self.priority = priority;
        self
    }

    /// From when on the answer is of no use.
    pub fn deadline(mut self, deadline: Moment) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// What was carried.
    #[must_use]
    pub fn into_payload(self) -> T {
        self.payload
    }
}
