//! Whose the requests over gRPC are.

use std::sync::{Arc, Mutex};

use futures_util::stream::{self, StreamExt};
use maas_server::{ApiKey, Server};
use maas_service::{Description, InferRequest, InferResponse, LocalModel, ServeError, Service};
use tonic::Request;
use tonic::transport::Endpoint;

use crate::common::{start, sums};
use crate::proto::ModelInferRequest;
use crate::proto::grpc_inference_service_client::GrpcInferenceServiceClient;
use crate::proto::model_infer_request::InferInputTensor;

/// Notes whose requests it answers.
struct Noting {
    model: LocalModel,
    tenants: Arc<Mutex<Vec<Option<String>>>>,
}

impl Service for Noting {
    async fn infer(&self, request: InferRequest) -> Result<InferResponse, ServeError> {
        let tenant = request.tenant.as_deref().map(str::to_owned);
        self.tenants.lock().unwrap().push(tenant);
        self.model.infer(request).await
    }

    fn describe(&self) -> Arc<Description> {
        self.model.describe()
    }
}

fn request() -> ModelInferRequest {
    ModelInferRequest {
        model_name: "sums".to_owned(),
        inputs: vec![InferInputTensor {
            name: "x".to_owned(),
            datatype: "FP32".to_owned(),
            shape: vec![1, 2],
            ..InferInputTensor::default()
        }],
        raw_input_contents: vec![bytes::Bytes::from_static(&[0; 8])],
        ..ModelInferRequest::default()
    }
}

fn with_key<T>(message: T, secret: &str) -> Request<T> {
    let mut request = Request::new(message);
    let value = format!("Bearer {secret}").parse().unwrap();
    request.metadata_mut().insert("authorization", value);
    request
}

#[test]
fn a_key_is_the_tenant_of_single_requests_and_of_those_of_streams() {
    let tenants = Arc::default();
    let server = start(
        Server::new()
            .model(
                "sums",
                Noting {
                    model: LocalModel::new(sums(|_| {})),
                    tenants: Arc::clone(&tenants),
                },
            )
            .key(ApiKey::infer("shop", "open sesame"))
            .key(ApiKey::infer("bank", "open barley")),
    );
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let endpoint = Endpoint::from_shared(server.url()).unwrap();
        let channel = endpoint.connect().await.unwrap();
        let mut client = GrpcInferenceServiceClient::new(channel);
        client
            .model_infer(with_key(request(), "open sesame"))
            .await
            .unwrap();
        let requests = stream::iter([request(), request()]);
        let answers = client.model_stream_infer(with_key(requests, "open barley"));
        let answers: Vec<_> = answers.await.unwrap().into_inner().collect().await;
        assert_eq!(answers.len(), 2);
        for answer in answers {
            assert_eq!(answer.unwrap().error_message, "");
        }
    });
    let bank = || Some("bank".to_owned());
    assert_eq!(
        *tenants.lock().unwrap(),
        [Some("shop".to_owned()), bank(), bank()]
    );
    server.shutdown_blocking().unwrap();
}
