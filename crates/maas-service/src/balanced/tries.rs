//! One request of a pool: who is asked, and who after that.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;

use maas_schedule::{Ask, Attempts, Moment, Next, Outcome, OwnedLease, Policy, TryOutcome};

use super::Balanced;
use crate::caught::caught;
use crate::timer::until;
use crate::{ErrorKind, InferRequest, InferResponse, ServeError, Service, check};

type Answer = Result<InferResponse, ServeError>;

const NEVER: Moment = Moment::from_nanos(u64::MAX);

impl<S: Service, P: Policy> Balanced<S, P> {
    /// One try after another, the first of them now.
    pub(super) async fn in_turn(
        &self,
        request: InferRequest,
        mut attempts: Attempts<'_>,
        mut now: Moment,
    ) -> Answer {
        let mut last = None;
        loop {
            let Some((lease, end)) = self.next(&request, &attempts, now)? else {
                return Err(last.unwrap_or_else(|| self.nobody()));
            };
            let _ = attempts.sent(lease.identity(), now);
            let (answer, ended) = self.try_once(lease, request.clone(), end, now).await;
            match attempts.ended(self.outcome(&answer), ended) {
                Next::Retry { .. } => last = answer.err(),
                _ => return answer,
            }
            now = ended;
        }
    }

    /// A second try beside the first where that takes longer than most.
    pub(super) async fn in_a_race(
        &self,
        request: InferRequest,
        mut attempts: Attempts<'_>,
        mut now: Moment,
    ) -> Answer {
        let mut tries: Vec<Pin<Box<_>>> = Vec::new();
        let mut last = None;
        let mut send = true;
        let mut overdue = None;
        loop {
            if send {
                match self.next(&request, &attempts, now)? {
                    Some((lease, end)) => {
                        if let Next::Hedge { after } = attempts.sent(lease.identity(), now) {
                            overdue = Some(now + after);
                        }
                        tries.push(Box::pin(self.try_once(lease, request.clone(), end, now)));
                    }
                    None if tries.is_empty() => return Err(last.unwrap_or_else(|| self.nobody())),
                    None => {}
                }
            }
            let ended = match overdue {
                Some(moment) => until(&self.timer, moment, first(&mut tries)).await,
                None => Some(first(&mut tries).await),
            };
            let next = match &ended {
                Some((answer, moment)) => {
                    now = *moment;
                    attempts.ended(self.outcome(answer), now)
                }
                None => {
                    overdue = None;
                    now = self.timer.now();
                    attempts.overdue(now)
                }
            };
            send = matches!(next, Next::Retry { .. });
            let goes_on = send || next == Next::Wait;
            match ended {
                Some((answer, _)) if !goes_on => return answer,
                Some((answer, _)) => last = answer.err(),
                None => {}
            }
        }
    }

    /// Who is asked next, and how long; nobody when there is nobody else.
    fn next(
        &self,
        request: &InferRequest,
        attempts: &Attempts<'_>,
        now: Moment,
    ) -> Result<Option<(OwnedLease<S>, Moment)>, ServeError> {
        if let Some(deadline) = request.deadline.filter(|&deadline| deadline <= now) {
            return Err(ServeError::Expired {
                late: now.since(deadline),
            });
        }
        let Some(end) = attempts.deadline(now) else {
            return Ok(None);
        };
        let sight = |service: &S| service.ready().is_ready().then(|| service.load());
        let mut ask = Ask::new().without(attempts.tried()).seeing(&sight);
        if let Some(key) = &self.key {
            ask = ask.key(key(request));
        }
        Ok(self.members.ask(ask).map(|lease| (lease, end)))
    }

    /// The answer of one member, and when it was there.
    async fn try_once(
        &self,
        lease: OwnedLease<S>,
        request: InferRequest,
        end: Moment,
        start: Moment,
    ) -> (Answer, Moment) {
        let rows = request.inputs.first().map(|input| input.tensor.rows());
        let end = request.deadline.map_or(end, |deadline| deadline.min(end));
        let mut answer = {
            // Pinned where it lies: futures within futures are dear to move.
            let answer = pin!(lease.infer(request));
            let asked = caught(answer);
            if end == NEVER {
                asked.await
            } else {
                let limit = end.since(start);
                let answer = until(&self.timer, end, asked).await;
                answer.unwrap_or(Err(ServeError::Deadline { limit }))
            }
        };
        if let (Ok(response), Some(rows)) = (&answer, rows)
            && let Err(error) = check::answer(&self.description.signature, &response.outputs, rows)
        {
            answer = Err(error);
        }
        let now = self.timer.now();
        if let Some(outcome) = verdict(&answer) {
            lease.record(outcome, now.since(start), now);
        }
        if let Ok(response) = &mut answer
            && response.replica.is_none()
        {
            response.replica = Some(lease.shared_name());
        }
        (answer, now)
    }

    /// What an answer means for the request.
    fn outcome(&self, answer: &Answer) -> TryOutcome {
        match answer {
            Err(error) if (self.repeats)(error) => match error.kind() {
                ErrorKind::Limited | ErrorKind::Overloaded => TryOutcome::NotSent,
                _ => TryOutcome::Failed,
            },
            _ => TryOutcome::Answered,
        }
    }

    fn nobody(&self) -> ServeError {
        ServeError::NoneReady {
            members: self.members.len(),
        }
    }
}

/// What an answer says of the member; nothing where the request is to blame, or the member only has enough to do.
fn verdict(answer: &Answer) -> Option<Outcome> {
    match answer.as_ref().map_err(ServeError::kind) {
        Ok(_) => Some(Outcome::Success),
        Err(ErrorKind::Unavailable | ErrorKind::Deadline | ErrorKind::Internal) => {
            Some(Outcome::Failure)
        }
        Err(_) => None,
    }
}

/// What the first of the futures that ends, ends in; it is taken out.
async fn first<F: Future>(futures: &mut Vec<Pin<Box<F>>>) -> F::Output {
    poll_fn(|context| {
        for index in 0..futures.len() {
            if let Poll::Ready(output) = futures[index].as_mut().poll(context) {
                drop(futures.swap_remove(index));
                return Poll::Ready(output);
            }
        }
        Poll::Pending
    })
    .await
}
