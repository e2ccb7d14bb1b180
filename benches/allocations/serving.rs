//! Requests to a service.

use std::fmt::Debug;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use maas_core::Tensor;
use maas_service::{InferRequest, Limit, LocalModel, Service, Timeout, Versions};

use crate::counter::allocations;
use crate::{network, noise};

/// Inline a request allocates its answer and nothing else: of the one output that there is the bytes and the pointer to share it
/// by. The list of outputs was that of inputs. As often whatever its rows and the network's depth.
pub(crate) fn inline_requests_allocate_the_answer(threads: NonZeroUsize) {
    check(LocalModel::new(network(24, 1)).threads(threads).inline(), 2);
}

/// Through the queue it is also an entry, a batch, and a place for the answer.
pub(crate) fn queued_requests_allocate_alike(threads: NonZeroUsize) {
    check(
        LocalModel::new(network(24, 1)).threads(threads).queued(),
        11,
    );
}

/// What stands around a service has no box and adds nothing.
pub(crate) fn services_around_one_allocate_nothing(threads: NonZeroUsize) {
    let service = LocalModel::new(network(24, 1)).threads(threads).inline();
    let service = Limit::new(Versions::new("m", "1", service), 8);
    check(Timeout::new(service, Duration::from_secs(60)), 2);
}

fn check(service: impl Service + Debug, expected: u64) {
    let input: Arc<str> = service.describe().signature.inputs()[0].name().into();
    let ask = |rows: usize| {
        let tensor = Tensor::from_slice([rows, 24], noise(rows, 24).as_slice().unwrap()).unwrap();
        let request = InferRequest::new("m").input(Arc::clone(&input), tensor);
        let answer = service.infer(request);
        let before = allocations();
        drop(pollster::block_on(answer).unwrap());
        allocations() - before
    };
    let empty = {
        let before = allocations();
        pollster::block_on(std::future::ready(()));
        allocations() - before
    };
    ask(256);
    for rows in [1, 32, 100, 256].repeat(10) {
        let count = ask(rows) - empty;
        assert_eq!(count, expected, "{rows} rows, {service:?}");
    }
}
