//! What a service costs that stands around another: each beside the bare one, which answers at once with a tensor that it has.
//!
//! `cargo bench --bench nest`. A case is a request, made, answered and dropped.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use maas_core::{DType, Signature, Tensor, TensorSpec};
use maas_service::{
    BoxService, Cache, Description, Fallback, InferRequest, InferResponse, Limit, NamedTensor,
    ServeError, Service, Tap, Tapped, Timeout, Versions,
};

struct Ready {
    description: Arc<Description>,
    output: NamedTensor,
}

impl Ready {
    fn new() -> Self {
        let spec = |name| TensorSpec::rows(name, DType::Fp32, &[1]);
        let signature = Signature::new(spec("x"), spec("y")).expect("two names");
        let y = Tensor::from_slice([1, 1], &[1.0_f32]).expect("one element");
        Self {
            description: Arc::new(Description::new(signature, "ready")),
            output: NamedTensor::new("y", y),
        }
    }
}

impl Service for Ready {
    async fn infer(&self, request: InferRequest) -> Result<InferResponse, ServeError> {
        let mut response = InferResponse::to(&request);
        response.outputs.push(self.output.clone());
        Ok(response)
    }

    fn describe(&self) -> Arc<Description> {
        Arc::clone(&self.description)
    }
}

fn versions() -> Versions<Ready> {
    let versions = Versions::new("ready", "1", Ready::new());
    versions.add("2", Ready::new()).expect("a new version");
    versions
        .weigh([("1", 9), ("2", 1)])
        .expect("both are there");
    versions
}

fn fallback<S: Service>(service: S) -> Fallback<S, Ready> {
    Fallback::new(service, Ready::new()).expect("equal signatures")
}

fn nest(c: &mut Criterion) {
    let x = Arc::new(Tensor::from_slice([1, 11], &[0.5_f32; 11]).expect("eleven elements"));
    let (model, input): (Arc<str>, Arc<str>) = ("ready".into(), "x".into());
    let request =
        || InferRequest::new(Arc::clone(&model)).input(Arc::clone(&input), Arc::clone(&x));
    let mut group = c.benchmark_group("nest");
    let mut case = |name: &str, service: Asked| {
        group.bench_function(name, |bencher| {
            bencher.iter(|| black_box(service.ask(request())));
        });
    };
    case("bare", Asked::of(Ready::new()));
    let second = Duration::from_secs(1);
    case("Timeout", Asked::of(Timeout::new(Ready::new(), second)));
    case("Limit", Asked::of(Limit::new(Ready::new(), 8)));
    case(
        "Tap",
        Asked::of(Tap::new(Ready::new(), |_: &Tapped<'_>| {})),
    );
    case("Fallback", Asked::of(fallback(Ready::new())));
    case("Versions", Asked::of(versions()));
    case(
        "Cache, a hit",
        Asked::of(Cache::of_entries(Ready::new(), 1024)),
    );
    case("BoxService", Asked::of(BoxService::new(Ready::new())));
    let most = Limit::new(fallback(versions()), 8);
    case(
        "Timeout of Limit of Fallback of Versions",
        Asked::of(Timeout::new(most, second)),
    );
    group.finish();
}

/// Asks a service of any type, by a call that is the same for all.
struct Asked(Box<dyn Fn(InferRequest) -> Result<InferResponse, ServeError>>);

impl Asked {
    fn of(service: impl Service + 'static) -> Self {
        Self(Box::new(move |request| service.infer_blocking(request)))
    }

    fn ask(&self, request: InferRequest) -> Result<InferResponse, ServeError> {
        (self.0)(request)
    }
}

criterion_group!(benches, nest);
criterion_main!(benches);
