use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::Duration;

use super::replica::Replica;
use super::run::{Served, Told};
use crate::{Balancer, Clock, ManualClock, Moment, Outcome, OwnedLease, Policy};

/// Balancers before replicas, and what is going to happen.
pub(super) struct Engine<'a, P> {
    clock: ManualClock,
    balancers: Vec<Balancer<usize, P>>,
    servers: Vec<Server<'a>>,
    rules: Rules,
    requests: Vec<Request>,
    /// When which request ends; those of one moment in the order in which they began.
    ends: BinaryHeap<Reverse<(Moment, usize, usize)>>,
    begun: usize,
    served: Vec<Served>,
    watch: &'a mut dyn FnMut(&Told),
}

/// What clients and balancers do about failures.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    /// How often a request is sent.
    pub(super) tries: usize,
    /// What a balancer is told of a failure.
    pub(super) told: Outcome,
}

struct Server<'a> {
    replica: &'a Replica,
    free: usize,
    waiting: VecDeque<usize>,
}

struct Request {
    arrived: Moment,
    work: Duration,
    balancer: usize,
    sent: Moment,
    lease: Option<OwnedLease<usize>>,
    tries: usize,
    /// Where it failed.
    tried: Vec<u64>,
    outcome: Outcome,
}

impl<'a, P: Policy> Engine<'a, P> {
    /// `balancers` go by `clock`; their members are the indices of `replicas`.
    pub(super) fn new(
        clock: ManualClock,
        balancers: Vec<Balancer<usize, P>>,
        replicas: &'a [Replica],
        rules: Rules,
        watch: &'a mut dyn FnMut(&Told),
    ) -> Self {
        let server = |replica: &'a Replica| Server {
            replica,
            free: replica.slots(),
            waiting: VecDeque::new(),
        };
        Self {
            clock,
            balancers,
            servers: replicas.iter().map(server).collect(),
            rules,
            requests: Vec::new(),
            ends: BinaryHeap::new(),
            begun: 0,
            served: Vec::new(),
            watch,
        }
    }

    /// A request arrives at a balancer, not before the last one did.
    pub(super) fn arrive(&mut self, arrived: Moment, work: Duration, balancer: usize) {
        self.pass(arrived);
        self.go_to(arrived);
        self.requests.push(Request {
            arrived,
            work,
            balancer,
            sent: arrived,
            lease: None,
            tries: 0,
            tried: Vec::new(),
            outcome: Outcome::Failure,
        });
        self.send(self.requests.len() - 1);
    }

    /// What became of all, after the last one has ended.
    pub(super) fn finish(mut self) -> Vec<Served> {
        self.pass(Moment::from_nanos(u64::MAX));
        self.served
    }

    /// Everything that ends up to then.
    fn pass(&mut self, until: Moment) {
        while let Some(&Reverse((end, _, request))) = self.ends.peek()
            && end <= until
        {
            self.ends.pop();
            self.go_to(end);
            self.end(request);
        }
    }

    fn go_to(&self, moment: Moment) {
        self.clock.advance(moment.since(self.clock.now()));
    }

    fn send(&mut self, index: usize) {
        let request = &mut self.requests[index];
        let balancer = &self.balancers[request.balancer];
        let Some(lease) = balancer.pick_other(&request.tried) else {
            return self.tell(index, None);
        };
        let replica = *lease;
        request.sent = self.clock.now();
        request.lease = Some(lease);
        request.tries += 1;
        let server = &mut self.servers[replica];
        if server.free == 0 {
            server.waiting.push_back(index);
        } else {
            server.free -= 1;
            self.begin(index, replica);
        }
    }

    fn begin(&mut self, index: usize, replica: usize) {
        let request = &mut self.requests[index];
        let server = &self.servers[replica];
        let (end, outcome) = server.replica.serve(request.work, self.clock.now());
        request.outcome = outcome;
        self.ends.push(Reverse((end, self.begun, index)));
        self.begun += 1;
    }

    fn end(&mut self, index: usize) {
        let request = &mut self.requests[index];
        let lease = request.lease.take().expect("who is served was picked");
        let told = match request.outcome {
            Outcome::Success => Outcome::Success,
            Outcome::Failure => self.rules.told,
        };
        let now = self.clock.now();
        let elapsed = now.since(request.sent);
        lease.record(told, elapsed, now);
        (self.watch)(&Told {
            balancer: request.balancer,
            replica: *lease,
            outcome: told,
            elapsed,
            now,
        });
        let (replica, identity) = (*lease, lease.identity());
        drop(lease);
        if request.outcome == Outcome::Failure && request.tries < self.rules.tries {
            request.tried.push(identity);
            self.send(index);
        } else {
            self.tell(index, Some(replica));
        }
        match self.servers[replica].waiting.pop_front() {
            Some(next) => self.begin(next, replica),
            None => self.servers[replica].free += 1,
        }
    }

    fn tell(&mut self, index: usize, replica: Option<usize>) {
        let request = &self.requests[index];
        self.served.push(Served {
            arrived: request.arrived,
            ended: self.clock.now(),
            replica,
            tries: request.tries,
            outcome: request.outcome,
        });
    }
}
