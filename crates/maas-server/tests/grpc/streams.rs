//! Requests in a stream.

use std::num::NonZeroUsize;

use futures_util::stream::{self, StreamExt};
use maas_server::Server;
use maas_service::LocalModel;
use tonic::Code;

use crate::calls::{bytes, panicking, raw, serve};
use crate::common::{Gate, sums};
use crate::proto::ModelInferRequest;
use crate::proto::infer_parameter::ParameterChoice;
use crate::told::{Told, told};

#[tokio::test]
async fn a_stream_survives_errors_and_keeps_the_order() {
    let server = Server::new().model("sums", panicking()).model("told", Told);
    let (server, mut client) = serve(server).await;
    let mut requests: Vec<ModelInferRequest> = (0..200).map(|i| raw(&[i as f32, 1.0])).collect();
    requests[3].model_name = "none".to_owned();
    requests[5] = told("panic", ParameterChoice::BoolParam(true));
    requests[7].raw_input_contents.clear();
    requests[9] = told("count", ParameterChoice::Int64Param(3));
    for (i, request) in requests.iter_mut().enumerate() {
        request.id = i.to_string();
    }
    let answers = client
        .model_stream_infer(stream::iter(requests))
        .await
        .unwrap();
    let answers: Vec<_> = answers.into_inner().map(Result::unwrap).collect().await;
    let mut expected: Vec<String> = (0..200).map(|i| i.to_string()).collect();
    expected.splice(9..9, ["9".to_owned(), "9".to_owned()]);
    let ids: Vec<_> = answers
        .iter()
        .map(|a| a.infer_response.as_ref().unwrap().id.clone())
        .collect();
    assert_eq!(ids, expected);
    for (place, text) in [(3, "none"), (5, "panicked"), (7, "no values")] {
        assert!(
            answers[place].error_message.contains(text),
            "{:?}",
            answers[place]
        );
    }
    let fine = answers
        .iter()
        .filter(|answer| answer.error_message.is_empty());
    assert_eq!(fine.count(), 199);
    let last = answers.last().unwrap().infer_response.as_ref().unwrap();
    assert_eq!(last.raw_output_contents, [bytes(&[200.0])]);

    // The first answer comes while the stream of requests is open.
    let open = stream::iter([raw(&[1.0, 2.0])]).chain(stream::pending());
    let mut answers = client.model_stream_infer(open).await.unwrap().into_inner();
    assert!(
        answers
            .message()
            .await
            .unwrap()
            .unwrap()
            .error_message
            .is_empty()
    );

    // An open stream does not keep the server from its end.
    server.shutdown().await.unwrap();
    assert_eq!(
        answers.message().await.unwrap_err().code(),
        Code::Unavailable
    );
}

#[tokio::test]
async fn requests_of_a_stream_wait_together() {
    let gate = Gate::default();
    let waiting = gate.clone();
    let model = LocalModel::new(sums(move |_| waiting.pass())).workers(NonZeroUsize::MIN);
    let (server, mut client) = serve(Server::new().model("sums", model)).await;
    // All of them wait, and yet they are asked for at once.
    let requests = stream::iter((0..10).map(|i| raw(&[i as f32, 0.0])));
    let answers = client.model_stream_infer(requests).await.unwrap();
    gate.open();
    let answers: Vec<_> = answers.into_inner().map(Result::unwrap).collect().await;
    for (i, answer) in answers.iter().enumerate() {
        let response = answer.infer_response.as_ref().unwrap();
        assert_eq!(response.raw_output_contents, [bytes(&[i as f32])]);
    }
    server.shutdown().await.unwrap();
}
