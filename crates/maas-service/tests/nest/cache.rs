use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use maas_core::{DType, Tensor};
use maas_schedule::ManualClock;
use maas_service::{Cache, InferRequest, InferResponse, Parameter, Priority, ServeError, Service};
use proptest::prelude::*;

use crate::script::{Gate, Script, State, ask, block, collect, doubled, panics, poll, y};

fn cached(response: &InferResponse) -> bool {
    response.parameters.get("cached") == Some(&Parameter::Bool(true))
}

fn counted(script: Script) -> (Cache<Script>, Arc<State>) {
    let state = script.state();
    (Cache::of_entries(script, 100), state)
}

#[test]
fn the_same_is_asked_once_and_everybody_has_its_own_id() {
    let (cache, state) = counted(Script::doubling());
    let first = block(cache.infer(ask(2.0).id("a"))).unwrap();
    let second = block(cache.infer(ask(2.0).id("b").tenant("t").priority(Priority::High))).unwrap();
    let third = block(cache.infer(ask(2.0))).unwrap();
    assert_eq!([&first, &second, &third].map(y), [4.0; 3]);
    assert_eq!(
        [&first, &second, &third].map(|r| r.id.as_deref()),
        [Some("a"), Some("b"), None]
    );
    assert_eq!([&first, &second, &third].map(cached), [false, true, true]);
    assert_eq!(state.asked(), 1);
    let stats = cache.stats();
    assert_eq!((stats.hits, stats.misses, stats.entries), (2, 1, 1));
    cache.clear();
    assert!(!cached(&block(cache.infer(ask(2.0))).unwrap()));
}

#[test]
fn what_differs_anywhere_is_another_request() {
    let x = |tensor: Tensor| InferRequest::new("double").input("x", tensor);
    let requests = [
        ask(0.0),
        ask(-0.0),
        ask(f32::NAN),
        ask(0.0).version("1"),
        ask(0.0).output("y"),
        ask(0.0).output("z"),
        ask(0.0).parameter("a", true),
        ask(0.0).parameter("a", 1_i64),
        ask(0.0).parameter("a", 1.0),
        ask(0.0).parameter("b", true),
        InferRequest::new("other").input("x", Tensor::from_slice([1, 1], &[0.0_f32]).unwrap()),
        x(Tensor::from_slice([1], &[0.0_f32]).unwrap()),
        x(Tensor::zeros(DType::Int32, [1, 1]).unwrap()),
        x(Tensor::zeros(DType::Fp32, [1, 0]).unwrap()),
        InferRequest::new("double").input("w", Tensor::from_slice([1, 1], &[0.0_f32]).unwrap()),
        ask(0.0).input("x", Tensor::from_slice([1, 1], &[0.0_f32]).unwrap()),
    ];
    let script = Script::new(|request, n| async move {
        let mut response = InferResponse::to(&request);
        response.parameters.set("n", n);
        Ok(response)
    });
    let (cache, state) = counted(script);
    for expected in [false, true] {
        for (n, request) in requests.iter().enumerate() {
            let response = block(cache.infer(request.clone())).unwrap();
            assert_eq!(cached(&response), expected, "{request:?}");
            assert_eq!(
                response.parameters.get("n"),
                Some(&Parameter::Int(n as i64))
            );
        }
    }
    assert_eq!(state.asked(), requests.len());
}

#[test]
fn errors_and_panics_are_not_kept() {
    let script = Script::new(|request, n| async move {
        match n {
            0 => Err(ServeError::Stopped),
            1 => panic!("as the test wants"),
            _ => Ok(doubled(&request)),
        }
    });
    let (cache, state) = counted(script);
    assert!(block(cache.infer(ask(1.0))).is_err());
    assert!(panics(|| drop(block(cache.infer(ask(1.0))))));
    assert!(!cached(&block(cache.infer(ask(1.0))).unwrap()));
    assert!(cached(&block(cache.infer(ask(1.0))).unwrap()));
    assert_eq!((state.asked(), cache.stats().misses), (3, 3));
}

#[test]
fn equal_requests_at_the_same_time_are_one() {
    let gate = Gate::default();
    let (cache, state) = counted(Script::gated(&gate));
    let mut first = pin!(cache.infer(ask(1.0)));
    let mut second = pin!(cache.infer(ask(1.0)));
    let mut other = pin!(cache.infer(ask(2.0)));
    assert!(poll(first.as_mut()).is_pending() && poll(second.as_mut()).is_pending());
    assert!(poll(other.as_mut()).is_pending());
    assert_eq!(state.asked(), 2);
    gate.open();
    assert!(poll(second.as_mut()).is_pending(), "the first one asks");
    assert!(!cached(&block(first).unwrap()));
    assert!(cached(&block(second).unwrap()));
    assert_eq!(y(&block(other).unwrap()), 4.0);
}

#[test]
fn when_the_first_is_given_up_another_goes_on() {
    let gate = Gate::default();
    let (cache, state) = counted(Script::gated(&gate));
    let mut asks: Vec<_> = (0..5).map(|_| Box::pin(cache.infer(ask(1.0)))).collect();
    assert!(asks.iter_mut().all(|ask| poll(ask.as_mut()).is_pending()));
    assert_eq!(state.asked(), 1);
    drop(asks.remove(0));
    // Whoever is told to go on may be given up too, before it hears of it.
    drop(asks.remove(0));
    drop(asks.pop());
    assert!(asks.iter_mut().all(|ask| poll(ask.as_mut()).is_pending()));
    assert_eq!(state.asked(), 2);
    gate.open();
    let answers = std::thread::scope(|scope| {
        let threads: Vec<_> = asks
            .into_iter()
            .map(|ask| scope.spawn(|| block(ask).unwrap()))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect::<Vec<_>>()
    });
    assert_eq!(answers.iter().filter(|answer| cached(answer)).count(), 1);
    assert_eq!(state.asked(), 2);
}

#[test]
fn when_the_first_fails_another_goes_on() {
    let gate = Gate::default();
    let opened = gate.clone();
    let script = Script::new(move |request, n| {
        let gate = opened.clone();
        async move {
            gate.pass().await;
            if n == 0 {
                Err(ServeError::Stopped)
            } else {
                Ok(doubled(&request))
            }
        }
    });
    let (cache, state) = counted(script);
    let mut first = pin!(cache.infer(ask(1.0)));
    let mut second = pin!(cache.infer(ask(1.0)));
    assert!(poll(first.as_mut()).is_pending() && poll(second.as_mut()).is_pending());
    gate.open();
    assert!(matches!(poll(first), Poll::Ready(Err(ServeError::Stopped))));
    assert!(!cached(&block(second).unwrap()));
    assert_eq!(state.asked(), 2);
}

#[test]
fn clearing_disturbs_nobody_who_waits() {
    let gate = Gate::default();
    let (cache, state) = counted(Script::gated(&gate));
    let mut first = pin!(cache.infer(ask(1.0)));
    let mut second = pin!(cache.infer(ask(1.0)));
    assert!(poll(first.as_mut()).is_pending() && poll(second.as_mut()).is_pending());
    cache.clear();
    let mut third = pin!(cache.infer(ask(1.0)));
    assert!(poll(third.as_mut()).is_pending());
    assert_eq!(state.asked(), 2, "who comes behind the clearing asks again");
    gate.open();
    assert_eq!(
        [block(first), block(second), block(third)].map(|answer| y(&answer.unwrap())),
        [2.0; 3]
    );
    assert_eq!(cache.stats().entries, 1);
}

#[test]
fn old_answers_are_asked_for_again() {
    let clock = ManualClock::new();
    let script = Script::doubling();
    let state = script.state();
    let second = Duration::from_secs(1);
    let cache = Cache::of_entries(script, 10)
        .time_to_live(second)
        .clock(clock.clone());
    let again = || cached(&block(cache.infer(ask(1.0))).unwrap());
    assert_eq!([again(), again()], [false, true]);
    clock.advance(second - Duration::from_nanos(1));
    assert!(again());
    clock.advance(Duration::from_nanos(1));
    assert_eq!([again(), again()], [false, true]);
    assert_eq!((state.asked(), cache.stats().entries), (2, 1));
}

#[test]
fn who_waited_takes_an_answer_that_lives_no_longer() {
    let gate = Gate::default();
    let cache = Cache::of_entries(Script::gated(&gate), 10).time_to_live(Duration::ZERO);
    let mut first = pin!(cache.infer(ask(1.0)));
    let mut second = pin!(cache.infer(ask(1.0)));
    assert!(poll(first.as_mut()).is_pending() && poll(second.as_mut()).is_pending());
    gate.open();
    block(first).unwrap();
    assert!(cached(&block(second).unwrap()));
}

#[test]
fn bounds_hold_and_what_is_too_large_is_answered_all_the_same() {
    let cache = Cache::of_entries(Script::doubling(), 10);
    for x in 0..1000 {
        assert_eq!(
            y(&block(cache.infer(ask(x as f32))).unwrap()),
            2.0 * x as f32
        );
    }
    assert!((1..=10).contains(&cache.stats().entries));

    let cache = Cache::of_bytes(Script::doubling(), 10_000);
    for x in 0..1000 {
        block(cache.infer(ask(x as f32))).unwrap();
    }
    assert!(
        (1..=20).contains(&cache.stats().entries),
        "{:?}",
        cache.stats()
    );
    let large =
        || InferRequest::new("double").input("x", Tensor::zeros(DType::Fp32, [100, 1000]).unwrap());
    for _ in 0..2 {
        assert!(!cached(&block(cache.infer(large())).unwrap()));
    }

    let nothing = Cache::of_entries(Script::doubling(), 0);
    for _ in 0..2 {
        assert!(!cached(&block(nothing.infer(ask(1.0))).unwrap()));
    }
}

#[test]
fn streams_pass_by() {
    let (cache, state) = counted(Script::doubling());
    for _ in 0..2 {
        assert_eq!(collect(cache.answers(ask(1.0))).len(), 3);
    }
    assert_eq!((state.asked(), cache.stats().misses), (6, 0));
}

#[test]
fn threads_that_ask_the_same_share_answers() {
    let asked = Arc::<AtomicUsize>::default();
    let counter = Arc::clone(&asked);
    let script = Script::new(move |request, _| {
        counter.fetch_add(1, Ordering::SeqCst);
        async move {
            std::thread::sleep(Duration::from_millis(1));
            Ok(doubled(&request))
        }
    });
    let cache = Cache::of_entries(script, 2000);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for x in 0..50 {
                    assert_eq!(
                        y(&block(cache.infer(ask(x as f32))).unwrap()),
                        2.0 * x as f32
                    );
                }
            });
        }
    });
    assert_eq!(asked.load(Ordering::SeqCst), 50);
    let stats = cache.stats();
    assert_eq!((stats.hits, stats.misses), (350, 50));
}

/// What may become of a request between two polls.
#[derive(Clone, Copy, Debug)]
enum Step {
    Ask(u8),
    Poll(usize),
    Drop(usize),
    Clear,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0_u8..3).prop_map(Step::Ask),
        6 => (0_usize..8).prop_map(Step::Poll),
        3 => (0_usize..8).prop_map(Step::Drop),
        1 => Just(Step::Clear),
    ];
    proptest::collection::vec(step, 1..80)
}

type Pending<'a> = Pin<Box<dyn Future<Output = Result<InferResponse, ServeError>> + 'a>>;

proptest! {
    /// However requests are asked, polled, given up and forgotten: who is polled on has the right answer in the end.
    #[test]
    fn nobody_is_left_behind(steps in steps()) {
        let gate = Gate::default();
        let cache = Cache::of_entries(Script::gated(&gate), 2);
        let mut open: Vec<(u8, Pending<'_>)> = Vec::new();
        for step in steps {
            match step {
                Step::Ask(x) => open.push((x, Box::pin(cache.infer(ask(f32::from(x)))))),
                Step::Poll(index) if index < open.len() => {
                    prop_assert!(poll(open[index].1.as_mut()).is_pending());
                }
                Step::Drop(index) if index < open.len() => drop(open.swap_remove(index)),
                Step::Clear => cache.clear(),
                Step::Poll(_) | Step::Drop(_) => {}
            }
        }
        gate.open();
        for _ in 0..=open.len() {
            open.retain_mut(|(x, answer)| match poll(answer.as_mut()) {
                Poll::Ready(answer) => {
                    assert_eq!(y(&answer.unwrap()), 2.0 * f32::from(*x));
                    false
                }
                Poll::Pending => true,
            });
        }
        prop_assert!(open.is_empty(), "{} wait for ever", open.len());
    }
}
