//! What a connection is doing, and when that has taken too long.

use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::http::StatusCode;

use super::Limits;

/// Shared by a connection's bytes, its requests and its watch. Moments are milliseconds since it began, plus one: 0 is
/// none.
#[derive(Debug)]
pub(super) struct Activity {
    began: Instant,
    requests: AtomicUsize,
    idle_since: AtomicU64,
    /// Since when a head of HTTP/1 has been coming, if no request is under way.
    head_since: AtomicU64,
    /// Since when the client takes nothing of what is written.
    stalled_since: AtomicU64,
    http2: AtomicBool,
    leaving: AtomicBool,
    /// Whether no byte has come yet.
    silent: AtomicBool,
    /// Whether parts of an answer may still be on their way out.
    answering: AtomicBool,
    /// Whether the head that is coming is not waited for any longer.
    late: AtomicBool,
    /// Whether the client may be sending what nobody reads.
    unread: AtomicBool,
    /// What was answered to a head that could not be read.
    refused: AtomicU16,
}

#[derive(Debug, PartialEq)]
pub(super) enum Due {
    /// Nothing, for so long.
    After(Duration),
    /// It has been idle for too long.
    Idle,
    /// A head has been coming for too long.
    Late,
    /// Not a byte has come, or an answer is not taken.
    Cut,
}

impl Activity {
    /// A connection that is to send its first request.
    pub(super) fn new() -> Self {
        Self {
            began: Instant::now(),
            requests: AtomicUsize::new(0),
            idle_since: AtomicU64::new(1),
            head_since: AtomicU64::new(1),
            stalled_since: AtomicU64::new(0),
            http2: AtomicBool::new(false),
            leaving: AtomicBool::new(false),
            silent: AtomicBool::new(true),
            answering: AtomicBool::new(false),
            late: AtomicBool::new(false),
            unread: AtomicBool::new(false),
            refused: AtomicU16::new(0),
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis())
            .map_or(u64::MAX, |now| now.saturating_add(1))
    }

    pub(super) fn speaks_http2(&self) {
        self.http2.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_http2(&self) -> bool {
        self.http2.load(Ordering::Relaxed)
    }

    /// From now on answers of HTTP/1 ask the client to leave.
    pub(super) fn leave(&self) {
        self.leaving.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_leaving(&self) -> bool {
        self.leaving.load(Ordering::Relaxed)
    }

    /// The head that is coming is to be answered as one that came too slowly.
    pub(super) fn give_up(&self) {
        self.late.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_late(&self) -> bool {
        self.late.load(Ordering::Relaxed)
    }

    pub(super) fn is_unread(&self) -> bool {
        self.unread.load(Ordering::Relaxed)
    }

    /// A request was answered, perhaps before all of it had come.
    pub(super) fn answered(&self, is_unread: bool) {
        if self.is_unread() != is_unread {
            self.unread.store(is_unread, Ordering::Relaxed);
        }
    }

    /// A head was answered that could not be read.
    pub(super) fn refuse(&self, status: u16) {
        self.unread.store(true, Ordering::Relaxed);
        self.refused.store(status, Ordering::Relaxed);
    }

    pub(super) fn refused(&self) -> Option<StatusCode> {
        StatusCode::from_u16(self.refused.load(Ordering::Relaxed)).ok()
    }

    pub(super) fn received(&self) {
        if self.silent.load(Ordering::Relaxed) {
            self.silent.store(false, Ordering::Relaxed);
        }
        if self.requests.load(Ordering::Relaxed) == 0
            && self.head_since.load(Ordering::Relaxed) == 0
        {
            self.head_since.store(self.now(), Ordering::Relaxed);
        }
    }

    pub(super) fn write_waits(&self) {
        if self.stalled_since.load(Ordering::Relaxed) == 0 {
            self.stalled_since.store(self.now(), Ordering::Relaxed);
        }
    }

    pub(super) fn write_goes_on(&self) {
        if self.stalled_since.load(Ordering::Relaxed) != 0 {
            self.stalled_since.store(0, Ordering::Relaxed);
        }
    }

    /// All that was to be written is.
    pub(super) fn flushed(&self) {
        if self.is_answering() && self.requests.load(Ordering::Acquire) == 0 {
            self.answering.store(false, Ordering::Relaxed);
        }
    }

    /// Whether what is written may be of an answer to a request. Over HTTP/2 parts of one may wait for the client.
    pub(super) fn is_answering(&self) -> bool {
        self.answering.load(Ordering::Relaxed) || self.is_http2()
    }

    pub(super) fn begin_request(&self) {
        self.answering.store(true, Ordering::Relaxed);
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.head_since.store(0, Ordering::Relaxed);
    }

    pub(super) fn end_request(&self) {
        self.idle_since.store(self.now(), Ordering::Relaxed);
        // Who sees no request sees since when.
        self.requests.fetch_sub(1, Ordering::Release);
    }

    /// What is due, or how long nothing can be: whatever begins after this call is not due earlier.
    pub(super) fn due(&self, limits: &Limits) -> Due {
        let now = self.now();
        let mut next = limits.shortest();
        let mut left = |since: u64, limit: Duration| {
            let left = limit.saturating_sub(Duration::from_millis(now.saturating_sub(since)));
            next = next.min(left);
            left
        };
        let stalled = self.stalled_since.load(Ordering::Relaxed);
        if stalled != 0 && left(stalled, limits.stall_timeout).is_zero() {
            return Due::Cut;
        }
        if self.requests.load(Ordering::Acquire) == 0 {
            let head = self.head_since.load(Ordering::Relaxed);
            let idle = self.idle_since.load(Ordering::Relaxed);
            if head != 0 && !self.is_http2() {
                if left(head, limits.head_timeout).is_zero() {
                    return if self.silent.load(Ordering::Relaxed) {
                        Due::Cut
                    } else {
                        Due::Late
                    };
                }
            } else if left(idle, limits.idle_timeout).is_zero() {
                return Due::Idle;
            }
        }
        Due::After(next.max(Duration::from_millis(1)))
    }
}

#[cfg(test)]
mod tests {
    use std::thread::sleep;

    use super::*;

    const BRIEF: Duration = Duration::from_millis(20);
    const LONG: Duration = Duration::from_secs(60);

    fn limits() -> Limits {
        Limits {
            head_timeout: LONG,
            idle_timeout: LONG,
            stall_timeout: LONG,
            ..Limits::default()
        }
    }

    fn past_head() -> Activity {
        let activity = Activity::new();
        activity.begin_request();
        activity.end_request();
        activity
    }

    #[test]
    fn a_head_that_comes_slowly_is_given_up() {
        let brief = Limits {
            head_timeout: BRIEF,
            ..limits()
        };
        let (first, next, idle) = (Activity::new(), past_head(), past_head());
        next.received();
        sleep(2 * BRIEF);
        next.received();
        assert_eq!(first.due(&brief), Due::Cut);
        first.received();
        assert_eq!(first.due(&brief), Due::Late);
        assert_eq!(next.due(&brief), Due::Late);
        assert!(matches!(idle.due(&brief), Due::After(_)));
        next.begin_request();
        assert!(matches!(next.due(&brief), Due::After(_)));
    }

    #[test]
    fn idle_connections_end_and_busy_ones_do_not() {
        let brief = Limits {
            idle_timeout: BRIEF,
            ..limits()
        };
        let (idle, busy, http2) = (past_head(), past_head(), Activity::new());
        busy.begin_request();
        http2.speaks_http2();
        http2.received();
        sleep(2 * BRIEF);
        assert_eq!(idle.due(&brief), Due::Idle);
        assert_eq!(http2.due(&brief), Due::Idle);
        assert_eq!(busy.due(&brief), Due::After(BRIEF));
        busy.end_request();
        assert!(matches!(busy.due(&brief), Due::After(_)));
    }

    #[test]
    fn an_answer_is_over_when_it_is_written() {
        let activity = Activity::new();
        assert!(!activity.is_answering());
        activity.begin_request();
        activity.flushed();
        assert!(activity.is_answering());
        activity.end_request();
        assert!(activity.is_answering());
        activity.flushed();
        assert!(!activity.is_answering());
    }

    #[test]
    fn an_answer_that_nobody_takes_is_cut_off() {
        let brief = Limits {
            stall_timeout: BRIEF,
            ..limits()
        };
        let activity = past_head();
        activity.begin_request();
        activity.write_waits();
        sleep(2 * BRIEF);
        activity.write_waits();
        assert_eq!(activity.due(&brief), Due::Cut);
        activity.write_goes_on();
        assert_eq!(activity.due(&brief), Due::After(BRIEF));
    }
}
