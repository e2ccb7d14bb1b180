use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::spin::{self, Spin};
use super::sync::{Builder, JoinHandle, Ordering, fence, park};
use super::word::Word;
use super::{Team, cores, ignore_poison};

pub(super) fn spawn(team: &Arc<Team>, number: usize) -> io::Result<JoinHandle<()>> {
    let team = Arc::clone(team);
    Builder::new()
        .name(format!("maas-{}", number + 1))
        .spawn(move || {
            while let Some(task) = team.enter(number) {
                team.work(task);
            }
        })
}

/// A worker's side.
impl Team {
    /// The first task of a region, or `None` when the team is dissolved.
    fn enter(&self, worker: usize) -> Option<usize> {
        loop {
            let mut spin = Spin::new(spin::WORKER);
            loop {
                let word = Word::from_bits(self.region.word.load(Ordering::Relaxed));
                if word.stopped() {
                    return None;
                }
                if word.has_task_for(worker) {
                    let claimed = self.change(|word| word.entered(worker));
                    if let Ok(before) = claimed {
                        return Some(before.next());
                    }
                }
                if !spin.again() {
                    break;
                }
            }
            self.sleep(worker);
        }
    }

    fn sleep(&self, worker: usize) {
        let asleep = &self.seats[worker].asleep;
        asleep.store(true, Ordering::Relaxed);
        // The other side is in `Team::wake`.
        fence(Ordering::SeqCst);
        let word = Word::from_bits(self.region.word.load(Ordering::Relaxed));
        if !word.stopped() && !word.has_task_for(worker) {
            park();
            self.make_way();
        }
        asleep.store(false, Ordering::Relaxed);
    }

    /// Leaves the core of the caller that woke this worker.
    fn make_way(&self) {
        let core = cores::current();
        if core >= 0 && core == self.callers_core.load(Ordering::Relaxed) {
            cores::leave(core);
        }
    }

    /// Runs the claimed task and all that can be claimed after it, then leaves the region.
    fn work(&self, mut task: usize) {
        // SAFETY: this thread is counted as running, so the caller keeps the job as it is; and the claim came after
        // the job was written.
        let job = self.region.job.with(|job| unsafe { *job });
        let job = job.expect("a region has a job");
        loop {
            // SAFETY: the caller's task lives until this thread has left.
            let run = || unsafe { (*job.0)(task) };
            let outcome = catch_unwind(AssertUnwindSafe(run));
            let panicked = outcome.is_err();
            if let Err(payload) = outcome {
                self.keep(payload);
            }
            let on = |word: Word| Some(word.with_next_claimed()?.with_panic(panicked));
            match self.change(on) {
                Ok(before) => task = before.next(),
                Err(_) => return self.leave(panicked),
            }
        }
    }

    fn leave(&self, panicked: bool) {
        let leave = |word: Word| Some(word.left().with_panic(panicked));
        let before = self.change(leave).expect("leaving is always possible");
        if before.waiting() && before.running() == 1 {
            drop(ignore_poison(self.end.lock()));
            self.ended.notify_one();
        }
    }

    /// What was there before; `Err` where `to` finds nothing to do.
    fn change(&self, to: impl Fn(Word) -> Option<Word>) -> Result<Word, Word> {
        let update = |bits| to(Word::from_bits(bits)).map(Word::bits);
        self.region
            .word
            .fetch_update(Ordering::AcqRel, Ordering::Relaxed, update)
            .map(Word::from_bits)
            .map_err(Word::from_bits)
    }
}
