use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use maas_schedule::{Clock, Moment};
use maas_service::{ManualTimer, ServeError, Service, Timeout};

use crate::script::{Gate, Script, ask, block, collect, doubled, panics, poll, y};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn an_answer_in_time_is_the_answer() {
    let timer = ManualTimer::new();
    let gate = Gate::default();
    let service = Timeout::new(Script::gated(&gate), SECOND).timer(timer.clone());
    let mut answer = pin!(service.infer(ask(3.0)));
    assert!(poll(answer.as_mut()).is_pending());
    timer.advance(SECOND - Duration::from_nanos(1));
    assert!(poll(answer.as_mut()).is_pending());
    gate.open();
    assert_eq!(y(&block(answer).unwrap()), 6.0);
    assert_eq!(timer.sleepers(), 0);
}

#[test]
fn an_answer_at_once_needs_no_timer() {
    let timer = ManualTimer::new();
    let service = Timeout::new(Script::doubling(), Duration::ZERO).timer(timer.clone());
    assert_eq!(y(&block(service.infer(ask(1.0))).unwrap()), 2.0);
}

#[test]
fn behind_the_limit_the_request_is_given_up() {
    let timer = ManualTimer::new();
    let script = Script::silent();
    let state = script.state();
    let service = Timeout::new(script, SECOND).timer(timer.clone());
    let mut answer = pin!(service.infer(ask(1.0)));
    assert!(poll(answer.as_mut()).is_pending());
    assert_eq!((state.asked(), state.dropped()), (1, 0));
    timer.advance(SECOND);
    let Poll::Ready(Err(ServeError::Deadline { limit })) = poll(answer) else {
        panic!("too late");
    };
    assert_eq!((limit, state.dropped()), (SECOND, 1));
}

#[test]
fn the_deadline_counts_when_it_comes_first() {
    for (deadline, expired) in [(1, true), (2, true), (3, false)] {
        let timer = ManualTimer::new();
        let service = Timeout::new(Script::silent(), SECOND * 2).timer(timer.clone());
        let request = ask(1.0).deadline(Moment::ZERO + SECOND * deadline);
        let mut answer = pin!(service.infer(request));
        assert!(poll(answer.as_mut()).is_pending());
        timer.advance(SECOND * 2);
        let Poll::Ready(Err(error)) = poll(answer) else {
            panic!("too late");
        };
        match error {
            ServeError::Expired { late } => {
                assert!(expired);
                assert_eq!(late, SECOND * (2 - deadline));
            }
            ServeError::Deadline { .. } => assert!(!expired),
            other => panic!("{other}"),
        }
    }
}

#[test]
fn who_comes_behind_its_deadline_is_not_asked() {
    let script = Script::doubling();
    let state = script.state();
    let timer = ManualTimer::new();
    let service = Timeout::at_deadlines(script).timer(timer.clone());
    let request = ask(1.0).deadline(timer.now());
    let answer = block(service.infer(request));
    assert!(matches!(answer, Err(ServeError::Expired { .. })));
    assert_eq!(state.asked(), 0);
    assert!(block(service.infer(ask(1.0))).is_ok());
}

#[test]
fn a_dropped_request_leaves_no_sleeper() {
    let timer = ManualTimer::new();
    let script = Script::silent();
    let state = script.state();
    let service = Timeout::new(script, SECOND).timer(timer.clone());
    {
        let mut answer = pin!(service.infer(ask(1.0)));
        assert!(poll(answer.as_mut()).is_pending());
        assert_eq!(timer.sleepers(), 1);
    }
    assert_eq!((timer.sleepers(), state.dropped()), (0, 1));
}

#[test]
fn a_panic_is_the_services_own() {
    let service = Timeout::new(Script::panicking(), SECOND);
    assert!(panics(|| drop(block(service.infer(ask(1.0))))));
    assert!(panics(|| drop(block(service.infer(ask(1.0))))));
}

#[test]
fn each_piece_of_a_stream_has_the_limit() {
    let timer = ManualTimer::new();
    let forwarding = timer.clone();
    let script = Script::new(move |request, n| {
        let timer = forwarding.clone();
        async move {
            if n == 2 {
                std::future::pending::<()>().await;
            }
            timer.advance(SECOND * 2 / 3);
            Ok(doubled(&request))
        }
    });
    let state = script.state();
    let service = Timeout::new(script, SECOND).timer(timer.clone());
    let mut pieces = pin!(service.answers(ask(1.0)));
    let mut next = || {
        poll(pin!(std::future::poll_fn(|context| {
            futures_core::Stream::poll_next(pieces.as_mut(), context)
        })))
    };
    assert!(matches!(next(), Poll::Ready(Some(Ok(_)))));
    assert!(matches!(next(), Poll::Ready(Some(Ok(_)))));
    assert!(next().is_pending());
    timer.advance(SECOND);
    assert!(matches!(
        next(),
        Poll::Ready(Some(Err(ServeError::Deadline { .. })))
    ));
    assert!(matches!(next(), Poll::Ready(None)));
    assert_eq!(state.dropped(), 1);
}

#[test]
fn all_pieces_of_a_stream_come_before_the_deadline() {
    let timer = ManualTimer::new();
    let forwarding = timer.clone();
    let script = Script::new(move |request, _| {
        forwarding.advance(SECOND);
        std::future::ready(Ok(doubled(&request)))
    });
    let service = Timeout::at_deadlines(script).timer(timer);
    let pieces = collect(service.answers(ask(1.0).deadline(Moment::ZERO + SECOND * 2)));
    assert_eq!(pieces.len(), 3);
    assert!(matches!(pieces[2], Err(ServeError::Expired { .. })));
}

#[test]
fn threads_are_woken_too() {
    let service = Timeout::new(Script::silent(), Duration::from_millis(10));
    let answer = service.infer_blocking(ask(1.0));
    assert!(matches!(answer, Err(ServeError::Deadline { .. })));
}
