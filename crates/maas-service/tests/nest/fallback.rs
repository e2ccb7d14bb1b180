use maas_core::{DType, Signature, TensorSpec};
use maas_service::{
    BoxService, Description, Fallback, InferRequest, InferResponse, Parameter, Readiness,
    ServeError, Service,
};
use std::sync::Arc;

use crate::script::{Gate, Script, ask, block, collect, doubled, panics, poll, y};

fn down() -> Script {
    Script::failing(|| ServeError::Stopped)
}

fn broken() -> Script {
    Script::failing(|| ServeError::Panicked {
        message: "out of luck".into(),
    })
}

fn who(response: &InferResponse) -> u64 {
    response
        .parameters
        .get("fallback")
        .and_then(Parameter::as_u64)
        .unwrap()
}

#[test]
fn the_next_is_asked_when_one_cannot_answer() {
    let (first, last) = (Script::doubling(), Script::doubling());
    let (first_state, last_state) = (first.state(), last.state());
    let chain = Fallback::new(first, last).unwrap();
    assert_eq!(who(&block(chain.infer(ask(1.0))).unwrap()), 0);
    assert_eq!((first_state.asked(), last_state.asked()), (1, 0));

    for (place, expected) in [(0, 0), (1, 1), (2, 2)] {
        let service = |index| {
            if index == place {
                Script::doubling()
            } else {
                down()
            }
        };
        let chain =
            Fallback::new(service(0), Fallback::new(service(1), service(2)).unwrap()).unwrap();
        let response = block(chain.infer(ask(4.0))).unwrap();
        assert_eq!((y(&response), who(&response)), (8.0, expected));
        let boxed = Fallback::chain((0..3).map(|index| BoxService::new(service(index)))).unwrap();
        assert_eq!(who(&block(boxed.infer(ask(4.0))).unwrap()), expected);
    }
}

#[test]
fn the_last_error_is_the_callers() {
    let chain = Fallback::new(down(), Script::failing(|| ServeError::Draining)).unwrap();
    assert!(matches!(
        block(chain.infer(ask(1.0))),
        Err(ServeError::Draining)
    ));
}

#[test]
fn the_closure_says_which_errors() {
    let service = || Fallback::new(broken(), Script::doubling()).unwrap();
    assert!(matches!(
        block(service().infer(ask(1.0))),
        Err(ServeError::Panicked { .. })
    ));
    let service = service().when(|error: &ServeError| matches!(error, ServeError::Panicked { .. }));
    assert_eq!(who(&block(service.infer(ask(1.0))).unwrap()), 1);
    let never = Fallback::new(down(), Script::doubling())
        .unwrap()
        .when(|_: &ServeError| false);
    assert!(matches!(
        block(never.infer(ask(1.0))),
        Err(ServeError::Stopped)
    ));
}

#[test]
fn a_stream_changes_over_before_its_first_piece_only() {
    let chain = Fallback::new(down(), Script::doubling()).unwrap();
    let pieces = collect(chain.answers(ask(1.0)));
    assert_eq!(pieces.len(), 3);
    assert!(pieces.iter().all(|piece| who(piece.as_ref().unwrap()) == 1));

    let breaks = Script::new(|request, n| async move {
        if n == 0 {
            Ok(doubled(&request))
        } else {
            Err(ServeError::Stopped)
        }
    });
    let second = Script::doubling();
    let state = second.state();
    let pieces = collect(Fallback::new(breaks, second).unwrap().answers(ask(1.0)));
    assert!(matches!(pieces[..], [Ok(_), Err(ServeError::Stopped)]));
    assert_eq!(state.asked(), 0);
}

#[test]
fn a_dropped_request_is_given_up_by_whoever_has_it() {
    let (first, second) = (down(), Script::gated(&Gate::default()));
    let states = [first.state(), second.state()];
    let chain = Fallback::new(first, second).unwrap();
    let mut answer = Box::pin(chain.infer(ask(1.0)));
    assert!(poll(answer.as_mut()).is_pending());
    drop(answer);
    assert_eq!(
        states.map(|state| (state.asked(), state.dropped())),
        [(1, 1); 2]
    );
}

#[test]
fn a_panic_is_no_error() {
    let second = Script::doubling();
    let state = second.state();
    let chain = Fallback::new(Script::panicking(), second).unwrap();
    assert!(panics(|| drop(block(chain.infer(ask(1.0))))));
    assert_eq!(state.asked(), 0);
}

#[test]
fn it_is_ready_when_one_is() {
    let scripts = [Script::doubling(), Script::doubling()];
    let states = scripts.each_ref().map(Script::state);
    let [first, second] = scripts;
    let chain = Fallback::new(first, second).unwrap();
    assert!(chain.ready().is_ready());
    *states[0].ready.lock().unwrap() = Some(Readiness::Loading);
    assert!(chain.ready().is_ready());
    *states[1].ready.lock().unwrap() = Some(Readiness::Down);
    assert_eq!(chain.ready(), Readiness::Loading);
}

#[test]
fn a_chain_is_of_one_signature() {
    struct Other;
    impl Service for Other {
        async fn infer(&self, request: InferRequest) -> Result<InferResponse, ServeError> {
            Ok(InferResponse::to(&request))
        }

        fn describe(&self) -> Arc<Description> {
            let spec = |name| TensorSpec::rows(name, DType::Int64, &[1]);
            Arc::new(Description::new(
                Signature::new(spec("a"), spec("b")).unwrap(),
                "other",
            ))
        }
    }
    let different =
        |result| matches!(result, Err(ServeError::DifferentSignatures { name }) if name == "1");
    assert!(different(
        Fallback::new(Script::doubling(), Other).map(drop)
    ));
    let chain = [
        BoxService::new(Script::doubling()),
        BoxService::new(Other),
        BoxService::new(Other),
    ];
    assert!(different(Fallback::chain(chain).map(drop)));
    assert!(matches!(Fallback::chain([]), Err(ServeError::EmptyPool)));
}
