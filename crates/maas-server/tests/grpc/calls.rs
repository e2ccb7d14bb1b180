//! A server and its client, and the requests that the tests send.

use maas_server::{RunningServer, Server};
use maas_service::Replicas;
use tonic::Status;
use tonic::transport::{Channel, Endpoint};

use crate::common::sums;
use crate::proto::grpc_inference_service_client::GrpcInferenceServiceClient;
use crate::proto::infer_parameter::ParameterChoice;
use crate::proto::model_infer_request::InferInputTensor;
use crate::proto::{InferParameter, InferTensorContents, ModelInferRequest, ModelInferResponse};

pub(crate) type Client = GrpcInferenceServiceClient<Channel>;

pub(crate) async fn channel(server: &RunningServer) -> Channel {
    Endpoint::from_shared(server.url())
        .unwrap()
        .connect()
        .await
        .unwrap()
}

pub(crate) async fn serve(server: Server) -> (RunningServer, Client) {
    let server = server.bind("127.0.0.1:0").spawn().await.unwrap();
    let client = GrpcInferenceServiceClient::new(channel(&server).await);
    (server, client)
}

/// Panics at -1.
pub(crate) fn panicking() -> Replicas {
    let model = sums(|x| match x.first() {
        Some(x) if *x == -1.0 => panic!("a secret of the server"),
        _ => {}
    });
    Replicas::of(model, 2)
}

pub(crate) fn tensor(name: &str, dtype: &str, shape: &[i64]) -> InferInputTensor {
    InferInputTensor {
        name: name.to_owned(),
        datatype: dtype.to_owned(),
        shape: shape.to_vec(),
        ..InferInputTensor::default()
    }
}

pub(crate) fn raw(values: &[f32]) -> ModelInferRequest {
    let rows = i64::try_from(values.len() / 2).unwrap();
    ModelInferRequest {
        model_name: "sums".to_owned(),
        inputs: vec![tensor("x", "FP32", &[rows, 2])],
        raw_input_contents: vec![bytes(values)],
        ..ModelInferRequest::default()
    }
}

pub(crate) fn typed(values: &[f32]) -> ModelInferRequest {
    let mut request = raw(values);
    request.raw_input_contents.clear();
    request.inputs[0].contents = Some(InferTensorContents {
        fp32_contents: values.to_vec(),
        ..InferTensorContents::default()
    });
    request
}

pub(crate) fn bytes(values: &[f32]) -> bytes::Bytes {
    values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
}

pub(crate) fn parameter(choice: ParameterChoice) -> InferParameter {
    InferParameter {
        parameter_choice: Some(choice),
    }
}

pub(crate) async fn infer(
    client: &mut Client,
    request: ModelInferRequest,
) -> Result<ModelInferResponse, Status> {
    Ok(client.model_infer(request).await?.into_inner())
}
