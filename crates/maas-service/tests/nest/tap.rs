use std::sync::{Arc, Mutex};
use std::time::Duration;

use maas_schedule::ManualClock;
use maas_service::{Ending, ServeError, Service, Tap, Tapped};

use crate::script::{Script, ask, block, collect, doubled, panics, poll, y};

/// What was told, as texts.
#[derive(Clone, Default)]
struct Diary(Arc<Mutex<Vec<String>>>);

impl Diary {
    fn write(&self, tapped: &Tapped<'_>) {
        let ending = match tapped.ending {
            Ending::Answered(response) => format!("answered {}", y(response)),
            Ending::Streamed { pieces } => format!("streamed {pieces}"),
            Ending::Failed(error) => format!("failed: {error}"),
            Ending::GivenUp => "given up".to_owned(),
            _ => "panicked".to_owned(),
        };
        let id = tapped.request.id.as_deref().unwrap_or("?");
        self.0
            .lock()
            .unwrap()
            .push(format!("{id} {ending} in {:?}", tapped.took));
    }

    fn read(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

fn tapped(script: Script, clock: &ManualClock) -> (impl Service, Diary) {
    let diary = Diary::default();
    let writer = diary.clone();
    let service = Tap::new(script, move |tapped: &Tapped<'_>| writer.write(tapped));
    (service.clock(clock.clone()), diary)
}

#[test]
fn answers_and_failures_are_told_with_their_time() {
    let clock = ManualClock::new();
    let moving = clock.clone();
    let script = Script::new(move |request, n| {
        moving.advance(Duration::from_millis(5));
        let failed = n == 1;
        async move {
            if failed {
                Err(ServeError::Draining)
            } else {
                Ok(doubled(&request))
            }
        }
    });
    let (service, diary) = tapped(script, &clock);
    assert_eq!(y(&block(service.infer(ask(2.0).id("a"))).unwrap()), 4.0);
    assert!(block(service.infer(ask(2.0).id("b"))).is_err());
    assert_eq!(
        diary.read(),
        [
            "a answered 4 in 5ms",
            "b failed: the service is shutting down in 5ms"
        ]
    );
}

#[test]
fn who_gives_up_and_who_panics_is_told() {
    let clock = ManualClock::new();
    let (service, diary) = tapped(Script::silent(), &clock);
    let mut answer = Box::pin(service.infer(ask(1.0).id("a")));
    assert!(poll(answer.as_mut()).is_pending());
    clock.advance(Duration::from_secs(1));
    drop(answer);
    drop(service.infer(ask(1.0).id("never polled")));
    assert_eq!(diary.read(), ["a given up in 1s"]);

    let (service, diary) = tapped(Script::panicking(), &clock);
    assert!(panics(|| drop(block(service.infer(ask(1.0).id("b"))))));
    assert_eq!(diary.read(), ["b panicked in 0ns"]);
}

#[test]
fn a_stream_is_told_once() {
    let clock = ManualClock::new();
    let (service, diary) = tapped(Script::doubling(), &clock);
    assert_eq!(collect(service.answers(ask(1.0).id("a"))).len(), 3);
    drop(service.answers(ask(1.0)));
    assert_eq!(diary.read(), ["a streamed 3 in 0ns"]);

    let (service, diary) = tapped(Script::failing(|| ServeError::Stopped), &clock);
    assert_eq!(collect(service.answers(ask(1.0).id("b"))).len(), 1);
    assert_eq!(diary.read().len(), 1);
}

#[test]
fn a_tap_that_panics_is_nobodys_problem() {
    let service = Tap::new(Script::doubling(), |_: &Tapped<'_>| {
        panic!("as the test wants")
    });
    assert_eq!(y(&block(service.infer(ask(1.0))).unwrap()), 2.0);

    let both = Tap::new(Script::panicking(), |_: &Tapped<'_>| {
        panic!("as the test wants")
    });
    assert!(panics(|| drop(block(both.infer(ask(1.0))))));
}
