//! A service that tells what it knows of a request: when it has to answer, and how urgent it is.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, Stream};
use maas_core::{DType, Signature, Tensor, TensorSpec};
use maas_server::Server;
use maas_service::{
    Description, InferRequest, InferResponse, NamedTensor, Priority, ServeError, Service,
};
use tonic::{Code, Request};

use crate::calls::{infer, parameter, serve, tensor};
use crate::proto::infer_parameter::ParameterChoice;
use crate::proto::{ModelInferRequest, ModelInferResponse};

/// Answers 1 element: `count` times, as the request's parameter says, with what it knows of the request.
pub(crate) struct Told;

impl Told {
    fn answer(request: &InferRequest, number: u64) -> InferResponse {
        let mut response = InferResponse::to(request);
        let value = u32::try_from(number).unwrap();
        let tensor = Tensor::from_slice([1, 1], &[value]).unwrap();
        response.outputs.push(NamedTensor::new("y", tensor));
        response
            .parameters
            .set("has_deadline", request.deadline.is_some());
        response
            .parameters
            .set("is_high", request.priority == Priority::High);
        response
    }
}

impl Service for Told {
    async fn infer(&self, request: InferRequest) -> Result<InferResponse, ServeError> {
        if request.parameters.get("wait").is_some() {
            std::future::pending::<()>().await;
        }
        Ok(Self::answer(&request, 0))
    }

    fn answers(
        &self,
        request: InferRequest,
    ) -> impl Stream<Item = Result<InferResponse, ServeError>> + Send {
        assert!(request.parameters.get("panic").is_none(), "a secret");
        let count = request
            .parameters
            .get("count")
            .and_then(maas_service::Parameter::as_u64);
        let answers: Vec<_> = (0..count.unwrap_or(1))
            .map(|i| Ok(Self::answer(&request, i)))
            .collect();
        stream::iter(answers)
    }

    fn describe(&self) -> Arc<Description> {
        let spec = |name: &str, dtype| TensorSpec::rows(name, dtype, &[1]);
        let signature = Signature::new(spec("x", DType::UInt32), spec("y", DType::UInt32));
        Arc::new(Description::new(signature.unwrap(), "told"))
    }
}

pub(crate) fn told(name: &str, choice: ParameterChoice) -> ModelInferRequest {
    ModelInferRequest {
        model_name: "told".to_owned(),
        inputs: vec![tensor("x", "UINT32", &[1, 1])],
        raw_input_contents: vec![vec![0; 4].into()],
        parameters: BTreeMap::from([(name.to_owned(), parameter(choice))]),
        ..ModelInferRequest::default()
    }
}

#[tokio::test]
async fn deadlines_and_priorities() {
    let (server, mut client) = serve(Server::new().model("told", Told)).await;
    let high = || told("priority", ParameterChoice::Uint64Param(1));
    let flag = |answer: &ModelInferResponse, name: &str| {
        answer.parameters[name].parameter_choice == Some(ParameterChoice::BoolParam(true))
    };
    let answer = infer(&mut client, high()).await.unwrap();
    assert!(flag(&answer, "is_high") && !flag(&answer, "has_deadline"));

    let mut request = Request::new(high());
    request.set_timeout(Duration::from_secs(20));
    let answer = client.model_infer(request).await.unwrap().into_inner();
    assert!(flag(&answer, "has_deadline"));

    // The client does not know of this one.
    let mut request = told("timeout", ParameterChoice::Int64Param(20_000));
    request.parameters.insert(
        "wait".to_owned(),
        parameter(ParameterChoice::BoolParam(true)),
    );
    let error = infer(&mut client, request).await.unwrap_err();
    assert_eq!(error.code(), Code::DeadlineExceeded, "{error:?}");

    let mut request = Request::new(high());
    request
        .metadata_mut()
        .insert("grpc-timeout", "soon".parse().unwrap());
    let error = client.model_infer(request).await.unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument, "{error:?}");
    server.shutdown().await.unwrap();
}
