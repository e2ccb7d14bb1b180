//! Requests to a service.

use std::num::NonZeroUsize;
use std::sync::Arc;

use maas_core::Tensor;
use maas_service::{InferRequest, LocalModel, Service};

use crate::counter::allocations;
use crate::{network, noise};

/// A request hands its tensors over and takes others home, so it allocates: lists of tensors on both sides, the channel
/// for the answer, the answer's bytes, shape and name. As often whatever its rows and the network's depth.
pub(crate) fn requests_allocate_alike(threads: NonZeroUsize) {
    let network = network(24, 1);
    let input: Arc<str> = network.signature().inputs()[0].name().into();
    let service = LocalModel::new(network).threads(threads);
    let ask = |rows: usize| {
        let tensor = Tensor::from_slice([rows, 24], noise(rows, 24).as_slice().unwrap()).unwrap();
        let request = InferRequest::new("m").input(Arc::clone(&input), tensor);
        let before = allocations();
        drop(pollster::block_on(service.infer(request)).unwrap());
        allocations() - before
    };
    ask(512);
    for rows in [1, 32, 256, 512].repeat(10) {
        let count = ask(rows);
        assert_eq!(count, A_REQUEST, "{rows} rows, {threads} threads");
    }
}

/// With what `block_on` itself allocates.
const A_REQUEST: u64 = 13;
