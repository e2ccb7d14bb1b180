use std::pin::pin;
use std::time::Duration;

use maas_service::{Balanced, Limit, Readiness, ServeError, Service};

use crate::script::{Gate, Script, ask, block, collect, panics, poll};

#[test]
fn one_more_is_refused_until_one_has_ended() {
    let gate = Gate::default();
    let service = Limit::new(Script::gated(&gate), 2).retry_after(Duration::from_millis(7));
    let mut first = pin!(service.infer(ask(1.0)));
    let mut second = pin!(service.infer(ask(2.0)));
    assert_eq!(service.held(), 0, "not before it is polled");
    assert!(poll(first.as_mut()).is_pending() && poll(second.as_mut()).is_pending());
    assert_eq!((service.held(), service.load().in_flight), (2, 2));
    let refused = block(service.infer(ask(3.0))).unwrap_err();
    assert!(matches!(refused, ServeError::Limit { limit: 2, .. }));
    assert_eq!(refused.retry_after(), Some(Duration::from_millis(7)));
    assert!(matches!(service.ready(), Readiness::Overloaded { .. }));
    gate.open();
    block(first).unwrap();
    assert!(service.ready().is_ready());
    block(service.infer(ask(3.0))).unwrap();
}

#[test]
fn who_is_dropped_or_panics_holds_nothing() {
    let service = Limit::new(Script::silent(), 1);
    for _ in 0..3 {
        let mut answer = Box::pin(service.infer(ask(1.0)));
        assert!(poll(answer.as_mut()).is_pending());
        drop(answer);
        assert_eq!(service.held(), 0);
    }
    let service = Limit::new(Script::panicking(), 1);
    assert!(panics(|| drop(block(service.infer(ask(1.0))))));
    assert_eq!(service.held(), 0);
}

#[test]
fn a_stream_counts_until_it_is_dropped() {
    let service = Limit::new(Script::doubling(), 1);
    let mut stream = Box::pin(service.answers(ask(1.0)));
    let first =
        std::future::poll_fn(|context| futures_core::Stream::poll_next(stream.as_mut(), context));
    assert!(block(first).is_some());
    let refused = collect(service.answers(ask(1.0)));
    assert!(matches!(refused[..], [Err(ServeError::Limit { .. })]));
    drop(stream);
    assert_eq!(collect(service.answers(ask(1.0))).len(), 3);
}

#[test]
fn a_pool_asks_who_has_room() {
    let gates = [Gate::default(), Gate::default()];
    let pool = Balanced::over(
        gates
            .each_ref()
            .map(|gate| Limit::new(Script::gated(gate), 1)),
    )
    .unwrap();
    let mut first = pin!(pool.infer(ask(1.0)));
    let mut second = pin!(pool.infer(ask(1.0)));
    let mut third = pin!(pool.infer(ask(1.0)));
    assert!(poll(first.as_mut()).is_pending() && poll(second.as_mut()).is_pending());
    assert!(poll(third.as_mut()).is_ready());
}
