//! One connection, from its first byte to its end.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
#[cfg(feature = "tls")]
use tokio::time::timeout;
use tokio::time::{Instant, Sleep, sleep};

use super::Limits;
#[cfg(feature = "tls")]
use super::Tls;
use super::activity::{Activity, Due};
use super::answer::{UnderWay, answer};
use super::protocols::protocols;
use super::wakes::Part;
use super::watched::Watched;
use crate::observe::Front;
use crate::shared::Shared;

/// What all connections of a server have in common.
pub(super) struct Host {
    protocols: Builder<TokioExecutor>,
    front: Front,
    shared: Arc<Shared>,
    pub(super) limits: Limits,
    number: AtomicU64,
    #[cfg(feature = "tls")]
    tls: Option<Tls>,
}

/// How far the server's own end is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Phase {
    Serving,
    /// Clients are asked to leave.
    Leaving,
    /// What is under way is answered, and no more.
    Closing,
}

/// How far a connection's end is.
#[derive(Clone, Copy, PartialEq)]
enum Stage {
    Open,
    /// Requests that have reached the socket are still read.
    Settling,
    Ending,
}

/// What ends the wait of a connection's task.
enum Event {
    /// The connection is no more.
    Over,
    Phase(Phase),
    /// It is to be looked at what the connection does.
    Check,
}

/// In this time a request that has reached the socket reaches its task.
const SETTLING: Duration = Duration::from_millis(5);

impl Host {
    pub(super) fn new(front: Front, shared: Arc<Shared>, limits: Limits) -> Self {
        Self {
            protocols: protocols(&limits),
            front,
            shared,
            limits,
            number: AtomicU64::new(0),
            #[cfg(feature = "tls")]
            tls: None,
        }
    }

    #[cfg(feature = "tls")]
    pub(super) fn behind(mut self, tls: Option<Tls>) -> Self {
        self.tls = tls;
        self
    }

    pub(super) async fn serve(&self, stream: TcpStream, phase: watch::Receiver<Phase>) {
        let _connected = self.shared.traffic.connect();
        #[cfg(feature = "tls")]
        if let Some(tls) = &self.tls {
            let mut until = phase.clone();
            let closing = async {
                let _ = until.wait_for(|phase| *phase == Phase::Closing).await;
            };
            tokio::select! {
                shaken = timeout(self.limits.head_timeout, tls.accept(stream)) => {
                    if let Ok(Ok(stream)) = shaken {
                        self.speak(stream, phase).await;
                    }
                }
                () = closing => {}
            }
            return;
        }
        self.speak(stream, phase).await;
    }

    async fn speak(
        &self,
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        mut phase: watch::Receiver<Phase>,
    ) {
        let activity = Arc::new(Activity::new());
        self.watch(stream, &mut phase, &activity).await;
        if let Some(status) = activity.refused() {
            self.shared.traffic.answered(status);
            tracing::info!(status = status.as_u16(), "a head was refused");
        }
    }

    async fn watch(
        &self,
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        phase: &mut watch::Receiver<Phase>,
        activity: &Arc<Activity>,
    ) {
        let io = TokioIo::new(Watched::new(stream, Arc::clone(activity)));
        let service = service_fn(|request| answer(&self.front, request, UnderWay::of(activity)));
        let mut connection = pin!(self.protocols.serve_connection(io, service));
        let mut speaking = Part::new();
        let mut stage = Stage::Open;
        let mut limits = self.limits;
        // A client that is asked to leave has so long to go, once it waits for nothing.
        let patience = limits.head_timeout.min(limits.ping_timeout);
        let mut age = self.age().map(|age| Instant::now() + age);
        let mut check = pin!(sleep(
            limits.shortest().min(limits.age.unwrap_or(Duration::MAX))
        ));
        // Its first request may be there already.
        if *phase.borrow() != Phase::Serving {
            activity.leave();
        }
        phase.mark_changed();
        loop {
            let event = {
                let mut beside = pin!(beside(phase, check.as_mut()));
                let mut watching = Part::new();
                poll_fn(|context| {
                    let speak = |context: &mut Context<'_>| connection.as_mut().poll(context);
                    if speaking.poll(context, speak).is_ready() {
                        return Poll::Ready(Event::Over);
                    }
                    watching.poll_if_woken(context, |context| beside.as_mut().poll(context))
                })
                .await
            };
            match event {
                // A connection that breaks is its client's affair.
                Event::Over => return,
                Event::Phase(Phase::Serving) => {}
                Event::Phase(Phase::Leaving) => activity.leave(),
                Event::Phase(Phase::Closing) => {
                    activity.leave();
                    stage = Stage::Settling;
                    check.as_mut().reset(Instant::now() + SETTLING);
                }
                Event::Check => {
                    let now = Instant::now();
                    let mut end = stage == Stage::Settling;
                    if age.is_some_and(|age| age <= now) {
                        age = None;
                        activity.leave();
                        end |= activity.is_http2();
                    }
                    let mut wait = match activity.due(&limits) {
                        Due::Cut => return,
                        Due::Late if activity.is_late() => return,
                        Due::Late => {
                            activity.give_up();
                            SETTLING
                        }
                        Due::Idle if stage == Stage::Ending => return,
                        Due::Idle => {
                            end = true;
                            patience
                        }
                        Due::After(wait) => wait,
                    };
                    if end && stage != Stage::Ending {
                        stage = Stage::Ending;
                        limits.idle_timeout = patience;
                        wait = wait.min(patience);
                        connection.as_mut().graceful_shutdown();
                    }
                    let next = now + wait;
                    check.as_mut().reset(age.map_or(next, |age| age.min(next)));
                }
            }
        }
    }

    /// How old a connection may become: a tenth more or less than the limit, so that many that came together do not
    /// leave together.
    fn age(&self) -> Option<Duration> {
        /// Multiples of the golden ratio lie evenly between two whole numbers.
        const GOLDEN: f64 = 0.618_033_988_749_895;
        let age = self.limits.age?;
        let number = self.number.fetch_add(1, Ordering::Relaxed) % (1 << 20);
        Some(age.mul_f64(0.9 + 0.2 * (number as f64 * GOLDEN).fract()))
    }
}

/// What happens beside a connection.
async fn beside(phase: &mut watch::Receiver<Phase>, check: Pin<&mut Sleep>) -> Event {
    tokio::select! {
        biased;
        Ok(()) = phase.changed() => Event::Phase(*phase.borrow_and_update()),
        () = check => Event::Check,
    }
}
