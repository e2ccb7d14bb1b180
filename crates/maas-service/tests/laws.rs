//! However it is asked, a service answers as its model does.
#![allow(clippy::unwrap_used)]

mod common;

use std::num::NonZeroUsize;
use std::thread;

use common::{request, sums};
use maas_core::{Tensor, predict_once};
use maas_schedule::QueueOptions;
use maas_service::{Balanced, BoxService, InferRequest, LocalModel, Replicas, Service};
use proptest::prelude::*;

const TWO: NonZeroUsize = NonZeroUsize::new(2).unwrap();

type Rows = Vec<[f32; 2]>;

/// Batches of 0 to 70 rows, so that a scratch grows on the way.
fn batches() -> impl Strategy<Value = Vec<Rows>> {
    let row = proptest::array::uniform2(-1e3_f32..1e3);
    let batch = prop_oneof![3 => 0_usize..4, 1 => 4_usize..70];
    proptest::collection::vec(
        batch.prop_flat_map(move |rows| proptest::collection::vec(row.clone(), rows)),
        1..12,
    )
}

fn expected(rows: &Rows) -> Vec<Tensor> {
    let tensor = Tensor::from_slice([rows.len(), 2], rows.as_flattened()).unwrap();
    predict_once(&sums(|_| {}), &[tensor.view()]).unwrap()
}

fn answer(service: &impl Service, request: InferRequest) -> Vec<Tensor> {
    let outputs = service.infer_blocking(request).unwrap().outputs;
    outputs
        .into_iter()
        .map(|output| (*output.tensor).clone())
        .collect()
}

fn services() -> Vec<BoxService> {
    let local = || LocalModel::new(sums(|_| {}));
    let few_rows = QueueOptions::default().max_rows(3);
    vec![
        BoxService::new(local()),
        BoxService::new(local().inline()),
        BoxService::new(local().queued()),
        BoxService::new(local().queued().batching(few_rows).workers(TWO)),
        BoxService::new(Replicas::of(sums(|_| {}), 3)),
        BoxService::new(Balanced::over((0..2).map(|_| Replicas::of(sums(|_| {}), 2))).unwrap()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_service_answers_as_the_model_does(batches in batches()) {
        for service in services() {
            for rows in &batches {
                prop_assert_eq!(answer(&service, request(rows)), expected(rows));
            }
        }
    }

    #[test]
    fn callers_at_the_same_time_get_their_own_rows(batches in batches()) {
        let services = services();
        let all_right = thread::scope(|scope| {
            let callers: Vec<_> = batches
                .iter()
                .map(|rows| {
                    let services = &services;
                    scope.spawn(move || services.iter().all(|service| answer(service, request(rows)) == expected(rows)))
                })
                .collect();
            callers.into_iter().all(|caller| caller.join().unwrap_or(false))
        });
        prop_assert!(all_right);
    }
}
