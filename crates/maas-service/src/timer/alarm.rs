//! Who sleeps until when, and the future that does.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use maas_schedule::Moment;

/// Those who sleep, in the order in which they wake.
#[derive(Debug, Default)]
pub(super) struct Sleepers {
    waiting: BTreeMap<Place, Waker>,
    numbers: u64,
}

/// Numbers tell sleepers apart that wake at the same moment.
type Place = (Moment, u64);

impl Sleepers {
    pub(super) const fn new() -> Self {
        Self {
            waiting: BTreeMap::new(),
            numbers: 0,
        }
    }

    pub(super) fn count(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn earliest(&self) -> Option<Moment> {
        self.waiting.keys().next().map(|&(moment, _)| moment)
    }

    /// Takes out whose moment has come.
    pub(super) fn due(&mut self, now: Moment) -> Vec<Waker> {
        let mut due = Vec::new();
        while let Some(first) = self.waiting.first_entry()
            && first.key().0 <= now
        {
            due.push(first.remove());
        }
        due
    }

    /// The sleeper's place, which is `place` if it has one still, and the waker that it had there.
    fn enter(
        &mut self,
        moment: Moment,
        place: Option<Place>,
        waker: &Waker,
    ) -> (Place, Option<Waker>) {
        let place = place.unwrap_or_else(|| {
            self.numbers += 1;
            (moment, self.numbers)
        });
        (place, self.waiting.insert(place, waker.clone()))
    }
}

/// Where sleepers are kept, and who wakes them.
pub(super) trait Alarm {
    fn now(&self) -> Moment;

    /// Changes the sleepers; one that wakes at `moment` may be among them then.
    fn set<R>(&self, moment: Moment, change: impl FnOnce(&mut Sleepers) -> R) -> R;

    /// Takes a sleeper out.
    fn unset<R>(&self, change: impl FnOnce(&mut Sleepers) -> R) -> R;
}

/// The future of one sleeper, who is among the others from the first poll on.
pub(super) struct Asleep<A: Alarm> {
    alarm: A,
    moment: Moment,
    place: Option<Place>,
}

impl<A: Alarm> Asleep<A> {
    pub(super) fn new(alarm: A, moment: Moment) -> Self {
        Self {
            alarm,
            moment,
            place: None,
        }
    }

    fn leave(&mut self) {
        if let Some(place) = self.place.take() {
            // Dropped behind the lock, as in `poll`.
            let _waker = self.alarm.unset(|sleepers| sleepers.waiting.remove(&place));
        }
    }
}

impl<A: Alarm + Unpin> Future for Asleep<A> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let moment = self.moment;
        if self.alarm.now() >= moment {
            self.leave();
            return Poll::Ready(());
        }
        let place = self.place;
        let enter = |sleepers: &mut Sleepers| sleepers.enter(moment, place, context.waker());
        // What a waker does when it is dropped is its own affair, and may be to end another sleep: not under the lock.
        let (place, _before) = self.alarm.set(moment, enter);
        self.place = Some(place);
        Poll::Pending
    }
}

impl<A: Alarm> Drop for Asleep<A> {
    fn drop(&mut self) {
        self.leave();
    }
}
