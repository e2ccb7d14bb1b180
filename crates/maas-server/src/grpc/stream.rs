//! Requests and answers of one call that stays open.

use std::pin::Pin;
use std::sync::Arc;

use futures_util::stream::{self, Stream, StreamExt};
use maas_schedule::Moment;
use maas_service::ServeError;
use tokio::sync::watch;
use tonic::{Status, Streaming};

use super::pieces::Pieces;
use super::proto::{ModelInferRequest, ModelInferResponse, ModelStreamInferResponse};
use super::request::Form;
use super::{request, response, status};
use crate::access::Caller;
use crate::shared::{Ending, Shared};

pub(super) type Answers =
    Pin<Box<dyn Stream<Item = Result<ModelStreamInferResponse, Status>> + Send>>;

/// What holds for all requests of a call.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) shared: Arc<Shared>,
    pub(super) deadline: Option<Moment>,
    pub(super) caller: Option<Caller>,
}

/// So many requests of a call are answered at once; the others wait where they are.
const IN_FLIGHT: usize = 32;

/// The answers, in the order of the requests. What is wrong with a request ends its own answers alone; a broken stream of
/// requests ends them all.
pub(super) fn answers(call: Call, requests: Streaming<ModelInferRequest>) -> Answers {
    let requests = until_closing(requests, call.shared.ending.subscribe());
    let begin = move |message| begin(call.clone(), message);
    Box::pin(requests.map(begin).buffered(IN_FLIGHT).flatten())
}

/// The requests that come until the server closes; a call that stays open would keep it from its end.
fn until_closing(
    requests: Streaming<ModelInferRequest>,
    ending: watch::Receiver<Ending>,
) -> impl Stream<Item = Result<ModelInferRequest, Status>> {
    stream::unfold(Some((requests, ending)), |open| async {
        let (mut requests, mut ending) = open?;
        tokio::select! {
            biased;
            message = requests.next() => Some((message?, Some((requests, ending)))),
            () = closing(&mut ending) => Some((Err(status::of(&ServeError::Draining)), None)),
        }
    })
}

async fn closing(ending: &mut watch::Receiver<Ending>) {
    // Who would say so is there for as long as there are calls.
    let _ = ending.wait_for(|ending| *ending == Ending::Closing).await;
}

/// The answers to a request whose first one is there.
async fn begin(
    call: Call,
    message: Result<ModelInferRequest, Status>,
) -> impl Stream<Item = Result<ModelStreamInferResponse, Status>> {
    let (first, rest) = match message {
        Err(broken) => (Some(Err(status::of_broken(broken))), None),
        Ok(mut message) => match pieces(call, &mut message) {
            Err(status) => (Some(Ok(refusal(&message, &status))), None),
            Ok((mut pieces, form)) => {
                let answer = move |piece| match piece {
                    Ok(response) => Ok(answer(response::write(response, form))),
                    Err(error) => Ok(refusal(&message, &status::of(&error))),
                };
                let first = pieces.next().await.map(&answer);
                (first, Some(pieces.map(answer)))
            }
        },
    };
    stream::iter(first).chain(stream::iter(rest).flatten())
}

fn pieces(call: Call, message: &mut ModelInferRequest) -> Result<(Pieces, Form), Status> {
    let hosted = call.shared.models.find(&message.model_name);
    let hosted = hosted.map_err(|error| status::of(&error))?;
    let (mut request, form) =
        request::read(message, call.deadline).map_err(status::of_rejection)?;
    request.tenant = call.caller.map(|caller| caller.0);
    Ok((Pieces::of(hosted, request), form))
}

fn answer(response: ModelInferResponse) -> ModelStreamInferResponse {
    ModelStreamInferResponse {
        error_message: String::new(),
        infer_response: Some(response),
    }
}

/// An error, and which request it belongs to.
fn refusal(message: &ModelInferRequest, status: &Status) -> ModelStreamInferResponse {
    ModelStreamInferResponse {
        error_message: status.message().to_owned(),
        infer_response: Some(ModelInferResponse {
            model_name: message.model_name.clone(),
            model_version: message.model_version.clone(),
            id: message.id.clone(),
            ..ModelInferResponse::default()
        }),
    }
}
