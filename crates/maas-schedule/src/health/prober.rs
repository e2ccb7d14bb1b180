use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Weak};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::member::Health;
use crate::random::RandomNumbers;
use crate::{Clock, Moment, SystemClock};

/// When members are probed.
///
/// ```
/// use maas_schedule::ProbeTiming;
/// use std::time::Duration;
/// let timing = ProbeTiming::default().interval(Duration::from_secs(1)).timeout(Duration::from_millis(300));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ProbeTiming {
    pub(crate) interval: Duration,
    pub(crate) timeout: Duration,
    jitter: f64,
}

impl ProbeTiming {
    /// How long after the begin of a probe the next one begins, in place of 10 s; at least 1 ms.
    ///
    /// ```
    /// let timing = maas_schedule::ProbeTiming::default().interval(std::time::Duration::from_secs(1));
    /// ```
    #[must_use]
    pub fn interval(self, interval: Duration) -> Self {
        let interval = interval.max(Duration::from_millis(1));
        Self { interval, ..self }
    }

    /// How long a probe may take until it counts as failed, in place of 1 s.
    ///
    /// ```
    /// let timing = maas_schedule::ProbeTiming::default().timeout(std::time::Duration::from_secs(3));
    /// ```
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// The part of the interval by which a probe may come earlier, in place of 0.1: so that not all come at once.
    ///
    /// ```
    /// let timing = maas_schedule::ProbeTiming::default().jitter(0.5);
    /// ```
    #[must_use]
    pub fn jitter(self, jitter: f64) -> Self {
        let jitter = jitter.clamp(0.0, 1.0);
        Self { jitter, ..self }
    }

    /// The pause from one probe to the next, where `random` is from 0 to 1.
    pub(crate) fn pause(&self, random: f64) -> Duration {
        let pause = self.interval.as_secs_f64() * (1.0 - self.jitter * random);
        Duration::try_from_secs_f64(pause).unwrap_or(self.interval)
    }
}

/// Every 10 s less up to a tenth; 1 s each.
impl Default for ProbeTiming {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(10),
            timeout: Duration::from_secs(1),
            jitter: 0.1,
        }
    }
}

/// Probes members time and again, on a thread of its own, until it is dropped.
///
/// A probe is a closure that says whether its member is well. It may block: each run has a thread, and no member waits
/// for another's probe. A run that takes too long counts as failed, and again for every interval that it goes on, and
/// what it says in the end counts for nothing; no second run begins beside it. A probe that panics has failed. A member
/// is probed as long as its [`Health`] lives elsewhere.
///
/// Moments are those of [`SystemClock`].
///
/// ```
/// use maas_schedule::{Health, HealthRules, HealthState, Clock, ProbeTiming, Prober, SystemClock};
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// let health = Arc::new(Health::new(HealthRules::default().probes(1, 1)));
/// let prober = Prober::start(ProbeTiming::default().interval(Duration::from_millis(5)));
/// prober.watch(&health, || false); // in earnest: connects to the member
/// while health.state(SystemClock.now()) != HealthState::Unhealthy {
///     std::thread::yield_now();
/// }
/// ```
pub struct Prober {
    events: Sender<Event>,
    thread: Option<JoinHandle<()>>,
}

impl Prober {
    /// Begins to probe, so far nobody.
    ///
    /// ```
    /// use maas_schedule::{ProbeTiming, Prober};
    /// let prober = Prober::start(ProbeTiming::default());
    /// ```
    #[must_use = "it probes as long as it lives"]
    pub fn start(timing: ProbeTiming) -> Self {
        let (events, received) = channel();
        let sender = events.clone();
        let thread = thread::spawn(move || Rounds::new(timing, sender).run(&received));
        Self {
            events,
            thread: Some(thread),
        }
    }

    /// Probes this member from now on, first at once.
    ///
    /// ```
    /// use maas_schedule::{Health, HealthRules, ProbeTiming, Prober};
    /// let prober = Prober::start(ProbeTiming::default());
    /// let health = std::sync::Arc::new(Health::new(HealthRules::default()));
    /// prober.watch(&health, || std::net::TcpStream::connect("127.0.0.1:1").is_ok());
    /// ```
    pub fn watch(&self, health: &Arc<Health>, probe: impl Fn() -> bool + Send + Sync + 'static) {
        let target = Target {
            health: Arc::downgrade(health),
            probe: Arc::new(probe),
            due: SystemClock.now(),
            run: Run::Ended,
            number: 0,
        };
        // Nobody receives it only where the thread has panicked.
        let _ = self.events.send(Event::Watch(target));
    }
}

/// Waits for no probe that is running: its thread ends when the probe does.
impl Drop for Prober {
    fn drop(&mut self) {
        let _ = self.events.send(Event::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Prober {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prober").finish_non_exhaustive()
    }
}

enum Event {
    Watch(Target),
    Ended { target: usize, ok: bool },
    Stop,
}

struct Target {
    health: Weak<Health>,
    probe: Arc<dyn Fn() -> bool + Send + Sync>,
    /// When to look at it next: to begin a run, or to find that one takes too long.
    due: Moment,
    run: Run,
    number: usize,
}

#[derive(PartialEq)]
enum Run {
    Ended,
    InTime { next: Moment },
    Late,
}

struct Rounds {
    timing: ProbeTiming,
    events: Sender<Event>,
    targets: Vec<Target>,
    watched: usize,
    random: RandomNumbers,
}

impl Rounds {
    fn new(timing: ProbeTiming, events: Sender<Event>) -> Self {
        Self {
            timing,
            events,
            targets: Vec::new(),
            watched: 0,
            random: RandomNumbers::seeded(SystemClock.now().as_nanos()),
        }
    }

    fn run(mut self, received: &Receiver<Event>) {
        loop {
            let due = self.targets.iter().map(|target| target.due).min();
            let event = match due {
                None => received.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(due) => received.recv_timeout(due.since(SystemClock.now())),
            };
            let now = SystemClock.now();
            match event {
                Ok(Event::Watch(target)) => self.add(target),
                Ok(Event::Ended { target, ok }) => self.ended(target, ok, now),
                Err(RecvTimeoutError::Timeout) => {}
                Ok(Event::Stop) | Err(RecvTimeoutError::Disconnected) => return,
            }
            self.look(now);
        }
    }

    fn add(&mut self, target: Target) {
        self.watched += 1;
        let number = self.watched;
        self.targets.push(Target { number, ..target });
    }

    fn ended(&mut self, number: usize, ok: bool, now: Moment) {
        let mut targets = self.targets.iter_mut();
        let Some(target) = targets.find(|target| target.number == number) else {
            return;
        };
        if let Run::InTime { next } = target.run {
            target.due = next;
            report(target, ok, now);
        }
        target.run = Run::Ended;
    }

    /// Sees to whoever is due.
    fn look(&mut self, now: Moment) {
        self.targets
            .retain(|target| target.health.strong_count() > 0);
        for index in 0..self.targets.len() {
            if self.targets[index].due > now {
                continue;
            }
            let next = now + self.pause();
            let target = &mut self.targets[index];
            match target.run {
                Run::Ended => {
                    target.due = now + self.timing.timeout;
                    target.run = Run::InTime { next };
                    begin(target, self.events.clone());
                }
                Run::InTime { .. } | Run::Late => {
                    target.due = next;
                    target.run = Run::Late;
                    report(target, false, now);
                }
            }
        }
    }

    fn pause(&self) -> Duration {
        self.timing.pause(self.random.fraction())
    }
}

fn begin(target: &Target, events: Sender<Event>) {
    let (probe, number) = (Arc::clone(&target.probe), target.number);
    let run = move || {
        let ok = catch_unwind(AssertUnwindSafe(|| probe())).unwrap_or(false);
        // Nobody receives it where the prober was dropped meanwhile.
        let _ = events.send(Event::Ended { target: number, ok });
    };
    // Where the system has no thread to give, the run takes too long.
    let _ = thread::Builder::new().spawn(run);
}

fn report(target: &Target, ok: bool, now: Moment) {
    if let Some(health) = target.health.upgrade() {
        health.probe_result(ok, now);
    }
}
