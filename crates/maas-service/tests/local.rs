//! One model on one worker.

mod common;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

use common::{Gate, request, signature, sums, wait_until};
use maas_core::{DType, Error, FnModel, Outputs, Tensor, TensorView};
use maas_schedule::QueueError;
use maas_service::{ErrorKind, InferRequest, LocalModel, Readiness, ServeError, Service};

/// Polls once, which puts the request into the queue.
fn begin(future: Pin<&mut impl Future>) {
    let mut context = Context::from_waker(Waker::noop());
    assert!(matches!(future.poll(&mut context), Poll::Pending));
}

#[test]
fn answers_all_outputs_with_model_and_id() {
    let service = LocalModel::new(sums(|_| {}));
    let response = service
        .infer_blocking(request(&[[1.0, 2.0], [3.0, 4.0]]).id("7"))
        .unwrap();
    assert_eq!(
        (&*response.model, response.id.as_deref()),
        ("sums", Some("7"))
    );
    assert_eq!(
        response.output("y").unwrap().as_slice::<f32>().unwrap(),
        [3.0, 7.0]
    );
    assert_eq!(
        response.output("n").unwrap().as_slice::<i64>().unwrap(),
        [1, 3]
    );
    assert_eq!((service.served(), service.in_flight()), (1, 0));
}

#[test]
fn answers_the_outputs_asked_for_in_their_order() {
    let service = LocalModel::new(sums(|_| {}));
    let names = |request| {
        let response = service.infer_blocking(request).unwrap();
        response
            .outputs
            .iter()
            .map(|output| output.name.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        names(request(&[[1.0, 2.0]]).output("n").output("y")),
        ["n", "y"]
    );
    assert_eq!(names(request(&[[1.0, 2.0]]).output("n")), ["n"]);
}

#[test]
fn answers_no_rows_by_no_rows() {
    let response = LocalModel::new(sums(|_| {}))
        .infer_blocking(request(&[]))
        .unwrap();
    assert_eq!(response.output("y").unwrap().shape().dims(), [0, 1]);
}

#[test]
fn predicts_arrays_of_any_stride() {
    let service = LocalModel::new(sums(|_| {}));
    let columns_first = ndarray::array![[1.0_f32, 3.0], [2.0, 4.0]].reversed_axes();
    assert_eq!(
        service.predict(columns_first.view()).unwrap(),
        ndarray::array![[3.0], [7.0]]
    );
    let error = service
        .predict(ndarray::Array2::zeros((1, 3)).view())
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the inputs do not fit the model: tensor `x` must be of shape [any, 2], found [1, 3]"
    );
}

#[test]
fn refuses_what_does_not_fit_the_signature() {
    let service = LocalModel::new(sums(|_| panic!("the model must not be asked"))).max_rows(2);
    let refusal = |request: InferRequest| {
        let error = service.infer_blocking(request).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        error.to_string()
    };
    let one = || Tensor::from_slice([1, 2], &[0.0_f32; 2]).unwrap();
    assert_eq!(refusal(InferRequest::new("m")), "input `x` is missing");
    assert_eq!(
        refusal(InferRequest::new("m").input("z", one())),
        "the model has no input `z`: expected `x`"
    );
    let twice = InferRequest::new("m").input("x", one()).input("x", one());
    assert_eq!(refusal(twice), "input `x` is there more than once");
    let output = InferRequest::new("m").input("x", one()).output("z");
    assert_eq!(
        refusal(output),
        "the model has no output `z`: expected `y`, `n`"
    );
    let outputs = InferRequest::new("m")
        .input("x", one())
        .output("y")
        .output("y");
    assert_eq!(refusal(outputs), "output `y` is asked for more than once");
    let doubles = Tensor::from_slice([1, 2], &[0.0_f64; 2]).unwrap();
    assert_eq!(
        refusal(InferRequest::new("m").input("x", doubles)),
        "the inputs do not fit the model: tensor `x` must be of type FP32, found FP64"
    );
    let three = request(&[[0.0; 2]; 3]);
    assert_eq!(
        refusal(three),
        "a request has at most 2 rows, found 3: split it"
    );
}

#[test]
fn a_panic_fails_one_request_and_the_worker_lives_on() {
    let service = LocalModel::new(sums(|x| assert!(x[0] >= 0.0, "negative: {}", x[0])));
    for _ in 0..3 {
        let error = service.infer_blocking(request(&[[-1.0, 0.0]])).unwrap_err();
        assert!(
            matches!(&error, ServeError::Panicked { message } if message == "negative: -1"),
            "{error}"
        );
        assert!(!error.is_retryable());
        assert!(service.infer_blocking(request(&[[1.0, 0.0]])).is_ok());
    }
    assert_eq!((service.served(), service.in_flight()), (3, 0));
}

#[test]
fn a_model_that_fails_or_lies_about_its_outputs_is_told_apart_from_a_bad_request() {
    let broken =
        |_: &[TensorView<'_>], _: &mut Outputs<'_>| Err(std::io::Error::other("device lost"));
    let error = LocalModel::new(FnModel::new(signature(), broken))
        .infer_blocking(request(&[[0.0; 2]]))
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.to_string().as_str()),
        (ErrorKind::Internal, "the model failed")
    );

    let silent = |_: &[TensorView<'_>], _: &mut Outputs<'_>| Ok::<(), Error>(());
    let error = LocalModel::new(FnModel::new(signature(), silent))
        .infer_blocking(request(&[[0.0; 2]]))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Internal);

    let wrong = |inputs: &[TensorView<'_>], outputs: &mut Outputs<'_>| {
        outputs.tensor(0, DType::Fp32, &[inputs[0].rows() + 1, 1])?;
        outputs
            .tensor(1, DType::Int64, &[inputs[0].rows()])
            .map(drop)
    };
    let error = LocalModel::new(FnModel::new(signature(), wrong))
        .infer_blocking(request(&[[0.0; 2]]))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Internal);
}

/// A service whose model has taken one request and holds it, and that request.
fn held(queue: usize) -> (LocalModel, Gate, Arc<AtomicUsize>) {
    let (gate, runs) = (Gate::default(), Arc::new(AtomicUsize::new(0)));
    let (held, counted) = (gate.clone(), Arc::clone(&runs));
    let model = sums(move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
        held.pass();
    });
    (LocalModel::new(model).queue(queue), gate, runs)
}

#[test]
fn a_full_queue_refuses_with_a_hint_and_takes_the_place_of_who_has_gone() {
    let (service, gate, runs) = held(2);
    let ask = || Box::pin(service.infer(request(&[[1.0, 1.0]])));
    let mut first = ask();
    begin(first.as_mut());
    wait_until(|| runs.load(Ordering::SeqCst) == 1);
    let (mut second, mut gone) = (ask(), ask());
    begin(second.as_mut());
    begin(gone.as_mut());
    let error = pollster::block_on(ask()).unwrap_err();
    assert!(
        matches!(
            error,
            ServeError::Queue(QueueError::RowsFull {
                queued: 2,
                limit: 2,
                ..
            })
        ),
        "{error}"
    );
    assert!(error.is_retryable() && error.retry_after().is_some());
    drop(gone);
    let mut third = ask();
    begin(third.as_mut());
    gate.open();
    for future in [first, second, third] {
        assert!(pollster::block_on(future).is_ok());
    }
    assert_eq!((service.in_flight(), service.served()), (0, 3));
}

#[test]
fn a_dropped_future_is_not_run_and_leaks_nothing() {
    let (service, gate, runs) = held(64);
    let mut first = Box::pin(service.infer(request(&[[1.0, 1.0]])));
    begin(first.as_mut());
    wait_until(|| runs.load(Ordering::SeqCst) == 1);
    for _ in 0..5 {
        let mut given_up = Box::pin(service.infer(request(&[[1.0, 1.0]])));
        begin(given_up.as_mut());
    }
    wait_until(|| service.in_flight() == 1);
    gate.open();
    assert!(pollster::block_on(first).is_ok());
    wait_until(|| service.in_flight() == 0);
    assert_eq!(runs.load(Ordering::SeqCst), 1);
}

#[test]
fn a_kill_answers_who_waits_at_once_and_a_restart_brings_it_back() {
    let gate = Gate::default();
    let held = gate.clone();
    let service = LocalModel::new(sums(move |x| {
        if x[0] < 0.0 {
            held.pass();
        }
    }));
    std::thread::scope(|scope| {
        let waiting: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| service.infer_blocking(request(&[[-1.0, 0.0]]))))
            .collect();
        wait_until(|| service.in_flight() == 4);
        service.kill();
        for caller in waiting {
            assert!(matches!(caller.join().unwrap(), Err(ServeError::Stopped)));
        }
    });
    assert_eq!((service.ready(), service.in_flight()), (Readiness::Down, 0));
    assert!(matches!(
        service.infer_blocking(request(&[[1.0, 0.0]])),
        Err(ServeError::Stopped)
    ));
    service.restart();
    assert!(service.infer_blocking(request(&[[1.0, 0.0]])).is_ok());
    gate.open();
}
