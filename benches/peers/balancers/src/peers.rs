//! Pingora's and tower's balancers, made for so many members.

use std::collections::{BTreeSet, HashMap};
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::FutureExt;
use futures_util::task::noop_waker_ref;
use pingora_load_balancing::discovery::ServiceDiscovery;
use pingora_load_balancing::selection::RoundRobin;
use pingora_load_balancing::{Backend, Backends, LoadBalancer};
use tower::balance::p2c::Balance;
use tower::discover::ServiceList;
use tower::load::{CompleteOnResponse, Load, PeakEwma, PendingRequests};
use tower::{Service, service_fn};

/// Sets that come in turns, one at each update.
struct InTurn {
    sets: [BTreeSet<Backend>; 2],
    next: AtomicUsize,
}

#[async_trait]
impl ServiceDiscovery for InTurn {
    async fn discover(&self) -> pingora_error::Result<(BTreeSet<Backend>, HashMap<u64, bool>)> {
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        Ok((self.sets[turn % 2].clone(), HashMap::new()))
    }
}

/// Of so many members at first, and one more or less at each update.
pub(crate) fn pingora(members: usize) -> LoadBalancer<RoundRobin> {
    let backend = |index: usize| {
        let address = format!("10.0.{}.{}:80", index / 200, index % 200);
        Backend::new(&address).expect("an address")
    };
    let few: BTreeSet<_> = (0..members).map(backend).collect();
    let more = (0..=members).map(backend).collect();
    let discovery = InTurn {
        sets: [few, more],
        next: AtomicUsize::new(0),
    };
    let balancer = LoadBalancer::from_backends(Backends::new(Box::new(discovery)));
    update(&balancer);
    balancer
}

pub(crate) fn update(balancer: &LoadBalancer<RoundRobin>) {
    let done = balancer.update().now_or_never();
    done.expect("nothing waits").expect("the sets are good");
}

/// A service that answers at once with its number.
pub(crate) type Member = fn(usize) -> Ready<Result<usize, Infallible>>;

fn members(count: usize) -> impl Iterator<Item = tower::util::ServiceFn<Member>> {
    (0..count).map(|_| service_fn(ready_with as Member))
}

fn ready_with(request: usize) -> Ready<Result<usize, Infallible>> {
    ready(Ok(request))
}

pub(crate) type Counting = PendingRequests<tower::util::ServiceFn<Member>>;
pub(crate) type Timing = PeakEwma<tower::util::ServiceFn<Member>>;
pub(crate) type Tower<S> = Balance<ServiceList<Vec<S>>, usize>;

pub(crate) fn by_requests(count: usize) -> Tower<Counting> {
    let completion = CompleteOnResponse::default();
    let services = members(count).map(|member| PendingRequests::new(member, completion.clone()));
    Balance::new(ServiceList::new::<usize>(services.collect::<Vec<_>>()))
}

pub(crate) fn by_peaks(count: usize) -> Tower<Timing> {
    let completion = CompleteOnResponse::default();
    let (unknown, decay) = (
        Duration::from_millis(30),
        Duration::from_secs(10).as_nanos() as f64,
    );
    let services =
        members(count).map(|member| PeakEwma::new(member, unknown, decay, completion.clone()));
    Balance::new(ServiceList::new::<usize>(services.collect::<Vec<_>>()))
}

/// A call that is made and dropped.
pub(crate) fn call<S>(balance: &mut Tower<S>)
where
    S: Service<usize> + Load,
    S::Error: Into<tower::BoxError>,
    S::Metric: std::fmt::Debug,
{
    let mut context = Context::from_waker(noop_waker_ref());
    let Poll::Ready(Ok(())) = balance.poll_ready(&mut context) else {
        unreachable!("the services are ready");
    };
    drop(balance.call(7));
}
