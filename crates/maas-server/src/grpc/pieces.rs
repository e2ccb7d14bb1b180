//! The answers to one request, which own what they are made of.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use futures_util::stream::{Stream, StreamExt};
use maas_service::{InferRequest, InferResponse, ServeError, Service};

use crate::guard::guarded;
use crate::hub::Hosted;
use crate::observe;

type Piece = Result<InferResponse, ServeError>;

/// What a model answers to a request, piece by piece. Nothing comes after an error.
pub(super) struct Pieces {
    /// Puts one piece after the other where it is taken from.
    work: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    piece: Arc<Mutex<Option<Piece>>>,
}

impl Pieces {
    pub(super) fn of(hosted: Arc<Hosted>, request: InferRequest) -> Self {
        let piece = Arc::default();
        let work = Box::pin(work(hosted, request, Arc::clone(&piece)));
        Self {
            work: Some(work),
            piece,
        }
    }
}

impl Stream for Pieces {
    type Item = Piece;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Piece>> {
        let Some(work) = &mut self.work else {
            return Poll::Ready(None);
        };
        if work.as_mut().poll(context).is_ready() {
            self.work = None;
        }
        match put(&self.piece, None) {
            None if self.work.is_some() => Poll::Pending,
            piece => Poll::Ready(piece),
        }
    }
}

async fn work(hosted: Arc<Hosted>, request: InferRequest, piece: Arc<Mutex<Option<Piece>>>) {
    let deadline = request.deadline;
    let mut answers = pin!(hosted.versions.answers(request));
    loop {
        let next = pin!(async { answers.next().await.transpose() });
        match guarded(deadline, next).await {
            Ok(Some(response)) => put(&piece, Some(Ok(response))),
            Ok(None) => return,
            Err(error) => {
                observe::warn_of(&hosted.name, &error);
                put(&piece, Some(Err(error)));
                return;
            }
        };
        taken().await;
    }
}

/// Who takes the piece comes back for the next one.
async fn taken() {
    let mut is_back = false;
    let back = poll_fn(|_| match std::mem::replace(&mut is_back, true) {
        true => Poll::Ready(()),
        false => Poll::Pending,
    });
    back.await;
}

fn put(place: &Mutex<Option<Piece>>, piece: Option<Piece>) -> Option<Piece> {
    let mut place = place.lock().unwrap_or_else(PoisonError::into_inner);
    std::mem::replace(&mut place, piece)
}
