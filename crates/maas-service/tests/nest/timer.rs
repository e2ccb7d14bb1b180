use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use maas_schedule::{Clock, ManualClock, Moment, SystemClock};
use maas_service::{ManualTimer, Sleep, ThreadTimer, Timer};

use crate::script::{Alarm, block, poll, wait_until};

const SECOND: Duration = Duration::from_secs(1);

fn poll_by(sleep: &mut Sleep, alarm: &Arc<Alarm>) -> bool {
    let waker = Waker::from(Arc::clone(alarm));
    Pin::new(sleep)
        .poll(&mut Context::from_waker(&waker))
        .is_ready()
}

#[test]
fn a_manual_timer_wakes_in_order_and_only_who_is_due() {
    let timer = ManualTimer::new();
    let alarms = [Arc::<Alarm>::default(), Arc::default(), Arc::default()];
    let mut sleeps = [3, 1, 2].map(|seconds| timer.sleep_until(Moment::ZERO + SECOND * seconds));
    for (sleep, alarm) in sleeps.iter_mut().zip(&alarms) {
        assert!(!poll_by(sleep, alarm));
    }
    let rung = || alarms.each_ref().map(|alarm| alarm.rung());
    for expected in [[0, 1, 0], [0, 1, 1], [1, 1, 1]] {
        timer.advance(SECOND);
        assert_eq!(rung(), expected);
    }
    assert!(
        sleeps
            .iter_mut()
            .zip(&alarms)
            .all(|(sleep, alarm)| poll_by(sleep, alarm))
    );
    assert_eq!(timer.sleepers(), 0);
}

#[test]
fn who_is_dropped_sleeps_no_more() {
    let timer = ManualTimer::new();
    let alarm = Arc::<Alarm>::default();
    let mut sleep = timer.sleep_until(Moment::ZERO + SECOND);
    assert_eq!(timer.sleepers(), 0, "not before it is polled");
    poll_by(&mut sleep, &alarm);
    poll_by(&mut sleep, &alarm);
    assert_eq!(timer.sleepers(), 1, "once, however often it is polled");
    drop(sleep);
    assert_eq!(timer.sleepers(), 0);
    timer.advance(SECOND);
    assert_eq!(alarm.rung(), 0);
}

#[test]
fn the_last_one_who_polls_is_woken() {
    let timer = ManualTimer::new();
    let (first, last) = (Arc::<Alarm>::default(), Arc::<Alarm>::default());
    let mut sleep = timer.sleep_until(Moment::ZERO + SECOND);
    poll_by(&mut sleep, &first);
    poll_by(&mut sleep, &last);
    timer.advance(SECOND);
    assert_eq!((first.rung(), last.rung()), (0, 1));
}

#[test]
fn a_manual_timer_follows_its_clock() {
    let clock = ManualClock::new();
    let timer = ManualTimer::following(clock.clone());
    let mut sleep = pin!(timer.sleep_until(Moment::ZERO + SECOND));
    assert!(poll(sleep.as_mut()).is_pending());
    clock.advance(SECOND);
    assert_eq!(timer.now(), clock.now());
    assert!(poll(sleep).is_ready());
}

#[test]
fn threads_sleep_until_their_moments() {
    std::thread::scope(|scope| {
        for number in 0..40_u64 {
            scope.spawn(move || {
                for turn in 0..5 {
                    let end =
                        SystemClock.now() + Duration::from_millis(1 + (number * 7 + turn * 5) % 23);
                    block(ThreadTimer.sleep_until(end));
                    assert!(SystemClock.now() >= end);
                }
            });
        }
    });
}

#[test]
fn an_earlier_sleeper_is_not_kept_by_a_later_one() {
    let (late, early) = (Arc::<Alarm>::default(), Arc::<Alarm>::default());
    let now = SystemClock.now();
    let mut hour = ThreadTimer.sleep_until(now + SECOND * 3600);
    let mut never = ThreadTimer.sleep_until(Moment::from_nanos(u64::MAX));
    let mut soon = ThreadTimer.sleep_until(now + Duration::from_millis(20));
    assert!(!poll_by(&mut hour, &late) && !poll_by(&mut never, &late));
    poll_by(&mut soon, &early);
    wait_until(|| early.rung() == 1);
    assert!(poll_by(&mut soon, &early));
    assert_eq!(late.rung(), 0);
}

#[test]
fn a_moment_that_has_passed_is_no_sleep() {
    assert!(poll(pin!(ThreadTimer.sleep_until(Moment::ZERO))).is_ready());
    assert!(poll(pin!(ManualTimer::new().sleep_until(Moment::ZERO))).is_ready());
}

/// A waker that holds the last share of another sleep: to drop one drops the other.
#[test]
fn a_waker_may_own_a_sleep() {
    struct Owner(#[expect(dead_code, reason = "is dropped")] std::sync::Mutex<Sleep>);
    impl std::task::Wake for Owner {
        fn wake(self: Arc<Self>) {}
    }
    let end = SystemClock.now() + SECOND * 3600;
    let alarm = Arc::<Alarm>::default();
    let mut inner = ThreadTimer.sleep_until(end);
    poll_by(&mut inner, &alarm);
    let waker = Waker::from(Arc::new(Owner(std::sync::Mutex::new(inner))));
    let mut outer = ThreadTimer.sleep_until(end);
    assert!(
        Pin::new(&mut outer)
            .poll(&mut Context::from_waker(&waker))
            .is_pending()
    );
    drop(waker);
    assert!(!poll_by(&mut outer, &alarm));
}

#[cfg(feature = "tokio")]
#[test]
fn tokio_wakes_by_its_own_timers() {
    use maas_service::TokioTimer;

    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(async {
        let end = TokioTimer.now() + Duration::from_millis(10);
        let timer: Arc<dyn Timer> = Arc::new(TokioTimer);
        timer.sleep_until(end).await;
        assert!(TokioTimer.now() >= end);
    });
}
