//! The protocol over gRPC, asked with tonic's client over a real socket.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use common::{Gate, Http, sums};
use futures_util::stream::{self, Stream, StreamExt};
use maas_core::{DType, FnModel, Outputs, Signature, Tensor, TensorSpec, TensorView};
use maas_server::{Models, RunningServer, Server, Source, SourceError};
use maas_service::{
    BoxService, Description, InferRequest, InferResponse, LocalModel, NamedTensor, Priority,
    Replicas, ServeError, Service,
};
use tonic::codec::CompressionEncoding;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;

use proto::grpc_inference_service_client::GrpcInferenceServiceClient;
use proto::infer_parameter::ParameterChoice;
use proto::model_infer_request::{InferInputTensor, InferRequestedOutputTensor};
use proto::*;

mod proto {
    #![allow(
        dead_code,
        missing_docs,
        unreachable_pub,
        clippy::all,
        reason = "generated code"
    )]
    include!("../src/grpc/generated/inference.rs");
}

type Client = GrpcInferenceServiceClient<Channel>;

async fn channel(server: &RunningServer) -> Channel {
    Endpoint::from_shared(server.url())
        .unwrap()
        .connect()
        .await
        .unwrap()
}

async fn serve(server: Server) -> (RunningServer, Client) {
    let server = server.bind("127.0.0.1:0").spawn().await.unwrap();
    let client = GrpcInferenceServiceClient::new(channel(&server).await);
    (server, client)
}

/// Panics at -1.
fn panicking() -> Replicas {
    let model = sums(|x| match x.first() {
        Some(x) if *x == -1.0 => panic!("a secret of the server"),
        _ => {}
    });
    Replicas::of(model, 2)
}

fn tensor(name: &str, dtype: &str, shape: &[i64]) -> InferInputTensor {
    InferInputTensor {
        name: name.to_owned(),
        datatype: dtype.to_owned(),
        shape: shape.to_vec(),
        ..InferInputTensor::default()
    }
}

fn raw(values: &[f32]) -> ModelInferRequest {
    let rows = i64::try_from(values.len() / 2).unwrap();
    ModelInferRequest {
        model_name: "sums".to_owned(),
        inputs: vec![tensor("x", "FP32", &[rows, 2])],
        raw_input_contents: vec![bytes(values)],
        ..ModelInferRequest::default()
    }
}

fn typed(values: &[f32]) -> ModelInferRequest {
    let mut request = raw(values);
    request.raw_input_contents.clear();
    request.inputs[0].contents = Some(InferTensorContents {
        fp32_contents: values.to_vec(),
        ..InferTensorContents::default()
    });
    request
}

fn bytes(values: &[f32]) -> bytes::Bytes {
    values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
}

fn parameter(choice: ParameterChoice) -> InferParameter {
    InferParameter {
        parameter_choice: Some(choice),
    }
}

async fn infer(
    client: &mut Client,
    request: ModelInferRequest,
) -> Result<ModelInferResponse, Status> {
    Ok(client.model_infer(request).await?.into_inner())
}

#[tokio::test]
async fn health_and_metadata() {
    let server = Server::new()
        .model("sums", panicking())
        .model_version("old", "9", panicking())
        .model_version("old", "10", panicking());
    let (server, mut client) = serve(server).await;
    assert!(
        client
            .server_live(ServerLiveRequest {})
            .await
            .unwrap()
            .into_inner()
            .live
    );
    assert!(
        client
            .server_ready(ServerReadyRequest {})
            .await
            .unwrap()
            .into_inner()
            .ready
    );
    for (name, version, ready) in [
        ("sums", "", true),
        ("sums", "1", true),
        ("old", "9", true),
        ("sums", "2", false),
        ("none", "", false),
    ] {
        let request = ModelReadyRequest {
            name: name.to_owned(),
            version: version.to_owned(),
        };
        let answer = client.model_ready(request).await.unwrap().into_inner();
        assert_eq!(answer.ready, ready, "{name} {version}");
    }
    let metadata = client
        .server_metadata(ServerMetadataRequest {})
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (&*metadata.name, &*metadata.version),
        ("maas", env!("CARGO_PKG_VERSION"))
    );
    assert!(
        metadata
            .extensions
            .iter()
            .any(|extension| extension == "statistics")
    );

    let of = |name: &str, version: &str| ModelMetadataRequest {
        name: name.to_owned(),
        version: version.to_owned(),
    };
    let metadata = client
        .model_metadata(of("old", ""))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(metadata.versions, ["9", "10"]);
    assert_eq!((&*metadata.name, &*metadata.platform), ("old", "maas"));
    assert_eq!(
        (&*metadata.inputs[0].name, &*metadata.inputs[0].datatype),
        ("x", "FP32")
    );
    assert_eq!(
        (&*metadata.inputs[0].shape, &*metadata.outputs[0].shape),
        (&[-1, 2][..], &[-1, 1][..])
    );
    let error = client.model_metadata(of("none", "")).await.unwrap_err();
    assert_eq!(
        (error.code(), error.message()),
        (Code::NotFound, "no model is called `none`")
    );
    let error = client.model_metadata(of("old", "11")).await.unwrap_err();
    assert_eq!(error.code(), Code::NotFound);

    let request = ModelConfigRequest {
        name: "sums".to_owned(),
        version: String::new(),
    };
    let config = client
        .model_config(request)
        .await
        .unwrap()
        .into_inner()
        .config
        .unwrap();
    assert_eq!((&*config.name, &*config.platform), ("sums", "maas"));
    assert!(config.max_batch_size > 0);
    assert_eq!(
        (&*config.input[0].name, config.input[0].data_type()),
        ("x", DataType::TypeFp32)
    );
    assert_eq!(
        (&*config.input[0].dims, &*config.output[0].dims),
        (&[2][..], &[1][..])
    );
    server.shutdown().await.unwrap();
}

#[tokio::test]
async fn answers_have_the_form_of_their_requests() {
    let (server, mut client) = serve(Server::new().model("sums", panicking())).await;
    let mut request = raw(&[1.0, 2.0, 3.5, -4.0]);
    request.id = "42".to_owned();
    request.model_version = "1".to_owned();
    request.outputs = vec![InferRequestedOutputTensor {
        name: "y".to_owned(),
        ..InferRequestedOutputTensor::default()
    }];
    let answer = infer(&mut client, request).await.unwrap();
    assert_eq!(
        (&*answer.model_name, &*answer.model_version, &*answer.id),
        ("sums", "1", "42")
    );
    let output = &answer.outputs[0];
    assert_eq!(
        (&*output.name, &*output.datatype, &*output.shape),
        ("y", "FP32", &[2, 1][..])
    );
    assert_eq!(
        (&output.contents, &answer.raw_output_contents),
        (&None, &vec![bytes(&[3.0, -0.5])])
    );
    assert!(answer.parameters.contains_key("replica"));

    let answer = infer(&mut client, typed(&[1.0, 2.0])).await.unwrap();
    assert_eq!(
        answer.outputs[0].contents.as_ref().unwrap().fp32_contents,
        [3.0]
    );
    assert!(answer.raw_output_contents.is_empty() && answer.id.is_empty());

    // Rows of nothing, in any way of saying so.
    for request in [raw(&[]), typed(&[]), {
        let mut request = raw(&[]);
        request.raw_input_contents.clear();
        request
    }] {
        let is_typed = request.inputs[0].contents.is_some();
        let answer = infer(&mut client, request).await.unwrap();
        assert_eq!(answer.outputs[0].shape, [0, 1]);
        assert_eq!(answer.raw_output_contents.len(), usize::from(!is_typed));
    }
    server.shutdown().await.unwrap();
}

/// What makes a request bad, and what is said of it.
type Broken<'a> = (&'a dyn Fn(&mut ModelInferRequest), Code, &'a str);

#[tokio::test]
async fn errors_say_what_is_wrong_and_nothing_of_the_insides() {
    let (server, mut client) = serve(Server::new().model("sums", panicking())).await;
    let change = |change: &dyn Fn(&mut ModelInferRequest)| {
        let mut request = raw(&[1.0, 2.0]);
        change(&mut request);
        request
    };
    let beside = |request: &mut ModelInferRequest, name: &str, choice| {
        request
            .parameters
            .insert(name.to_owned(), parameter(choice));
    };
    let of_input = |name: &str| {
        BTreeMap::from([(
            name.to_owned(),
            parameter(ParameterChoice::StringParam("r".to_owned())),
        )])
    };
    let table: [Broken<'_>; 21] = [
        (
            &|r| r.model_name = "none".to_owned(),
            Code::NotFound,
            "no model is called `none`",
        ),
        (&|r| r.model_name.clear(), Code::NotFound, "no model"),
        (
            &|r| r.model_version = "7".to_owned(),
            Code::NotFound,
            "no version `7`",
        ),
        (
            &|r| r.inputs.clear(),
            Code::InvalidArgument,
            "`inputs` is empty",
        ),
        (
            &|r| r.inputs[0].name = "z".to_owned(),
            Code::InvalidArgument,
            "no input `z`",
        ),
        (
            &|r| r.inputs[0].datatype = "FP33".to_owned(),
            Code::InvalidArgument,
            "FP33",
        ),
        (
            &|r| r.inputs[0].datatype = "INT32".to_owned(),
            Code::InvalidArgument,
            "INT32",
        ),
        (
            &|r| r.inputs[0].shape = vec![1, -2],
            Code::InvalidArgument,
            "negative",
        ),
        (
            &|r| r.inputs[0].shape = vec![2, 1],
            Code::InvalidArgument,
            "must be of shape [any, 2]",
        ),
        (
            &|r| r.inputs[0].shape = vec![2, 2],
            Code::InvalidArgument,
            "16",
        ),
        (
            &|r| r.inputs[0].shape = vec![i64::MAX; 3],
            Code::InvalidArgument,
            "more elements than memory",
        ),
        (
            &|r| r.raw_input_contents.clear(),
            Code::InvalidArgument,
            "no values",
        ),
        (
            &|r| r.raw_input_contents.push(bytes(&[1.0])),
            Code::InvalidArgument,
            "2 entries",
        ),
        (
            &|r| r.inputs[0].contents = typed(&[1.0, 2.0]).inputs[0].contents.clone(),
            Code::InvalidArgument,
            "beside `raw_input_contents`",
        ),
        (
            &|r| {
                *r = typed(&[1.0, 2.0]);
                r.inputs[0].contents.as_mut().unwrap().int_contents = vec![1, 2];
            },
            Code::InvalidArgument,
            "`int_contents`",
        ),
        (
            &|r| {
                *r = {
                    let mut r = typed(&[1.0]);
                    r.inputs[0].shape = vec![1, 2];
                    r
                }
            },
            Code::InvalidArgument,
            "2 elements",
        ),
        (
            &|r| {
                r.outputs = vec![InferRequestedOutputTensor {
                    name: "z".to_owned(),
                    ..Default::default()
                }];
            },
            Code::InvalidArgument,
            "no output `z`",
        ),
        (
            &|r| r.inputs[0].parameters = of_input("shared_memory_region"),
            Code::Unimplemented,
            "shared memory",
        ),
        (
            &|r| beside(r, "a", ParameterChoice::DoubleParam(f64::NAN)),
            Code::InvalidArgument,
            "`a`",
        ),
        (
            &|r| beside(r, "priority", ParameterChoice::BoolParam(true)),
            Code::InvalidArgument,
            "`priority`",
        ),
        (
            &|r| r.raw_input_contents = vec![bytes(&[-1.0, 2.0])],
            Code::Internal,
            "panicked",
        ),
    ];
    for (broken, code, text) in table {
        let error = infer(&mut client, change(broken)).await.unwrap_err();
        assert_eq!(error.code(), code, "{error:?}");
        assert!(error.message().contains(text), "{error:?}: {text}");
        assert!(!error.message().contains("secret"), "{error:?}");
    }
    infer(&mut client, raw(&[1.0, 2.0])).await.unwrap();
    server.shutdown().await.unwrap();
}

/// Gives back what it is given: rows of two elements.
fn echo(dtype: DType) -> LocalModel {
    common::echo(dtype)
}

#[tokio::test]
async fn every_type_comes_back_as_it_went() {
    let mut server = Server::new();
    for dtype in DType::ALL {
        server = server.model(dtype.name(), echo(dtype));
    }
    let (server, mut client) = serve(server).await;
    for dtype in DType::ALL {
        let content: Vec<u8> = match dtype {
            DType::Bytes => b"\x02\0\0\0ab\0\0\0\0".to_vec(),
            DType::Bool => vec![1, 0],
            _ => (0..2 * u8::try_from(dtype.size().unwrap()).unwrap())
                .map(|i| 0x3b + i)
                .collect(),
        };
        let mut request = ModelInferRequest {
            model_name: dtype.name().to_owned(),
            inputs: vec![tensor("in", dtype.name(), &[1, 2])],
            raw_input_contents: vec![content.clone().into()],
            ..ModelInferRequest::default()
        };
        let answer = infer(&mut client, request.clone()).await.unwrap();
        assert_eq!(answer.raw_output_contents, [&*content], "{dtype}");

        let mut contents = InferTensorContents::default();
        match dtype {
            DType::Bool => contents.bool_contents = vec![true, false],
            DType::Int8 => contents.int_contents = vec![-128, 127],
            DType::Int16 => contents.int_contents = vec![-32768, 32767],
            DType::Int32 => contents.int_contents = vec![i32::MIN, i32::MAX],
            DType::Int64 => contents.int64_contents = vec![i64::MIN, i64::MAX],
            DType::UInt8 => contents.uint_contents = vec![0, 255],
            DType::UInt16 => contents.uint_contents = vec![0, 65535],
            DType::UInt32 => contents.uint_contents = vec![0, u32::MAX],
            DType::UInt64 => contents.uint64_contents = vec![0, u64::MAX],
            DType::Fp32 => contents.fp32_contents = vec![f32::INFINITY, -0.0],
            DType::Fp64 => contents.fp64_contents = vec![f64::NEG_INFINITY, 1e-300],
            DType::Bytes => contents.bytes_contents = vec!["".into(), vec![0xff].into()],
            _ => contents.fp32_contents = vec![1.0, 2.0],
        }
        request.raw_input_contents.clear();
        request.inputs[0].contents = Some(contents.clone());
        let answer = infer(&mut client, request.clone()).await;
        if matches!(dtype, DType::Fp16 | DType::Bf16) {
            let error = answer.unwrap_err();
            assert_eq!(error.code(), Code::InvalidArgument);
            assert!(error.message().contains("raw_input_contents"), "{error:?}");
            continue;
        }
        assert_eq!(
            answer.unwrap().outputs[0].contents.as_ref(),
            Some(&contents),
            "{dtype}"
        );
        if let Some(most) = match dtype {
            DType::Int8 | DType::Int16 => Some(i32::from(i16::MAX) + 1),
            _ => None,
        } {
            request.inputs[0].contents = Some(InferTensorContents {
                int_contents: vec![0, most],
                ..InferTensorContents::default()
            });
            let error = infer(&mut client, request).await.unwrap_err();
            assert!(error.message().contains("element 1"), "{error:?}");
        }
    }
    server.shutdown().await.unwrap();
}

/// Gives back rows of a million numbers.
fn wide() -> LocalModel {
    let spec = |name: &str| TensorSpec::rows(name, DType::Fp32, &[1_000_000]);
    LocalModel::new(FnModel::new(
        Signature::new(spec("x"), spec("y")).unwrap(),
        |inputs: &[TensorView<'_>], outputs: &mut Outputs<'_>| outputs.copy(0, &inputs[0]),
    ))
}

#[tokio::test]
async fn compressed_and_large_messages() {
    let server = Server::new()
        .model("wide", wide())
        .model("sums", panicking());
    let (server, client) = serve(server).await;
    let values: Vec<f32> = (0..2_000_000).map(|i| (i % 7) as f32).collect();
    let mut large = raw(&values);
    large.model_name = "wide".to_owned();
    large.inputs[0].shape = vec![2, 1_000_000];
    let mut client = client.max_decoding_message_size(64 << 20);
    let answer = infer(&mut client, large.clone()).await.unwrap();
    assert_eq!(answer.raw_output_contents, large.raw_input_contents);
    for encoding in [CompressionEncoding::Gzip, CompressionEncoding::Deflate] {
        let mut client = client
            .clone()
            .send_compressed(encoding)
            .accept_compressed(encoding);
        let answer = client.model_infer(large.clone()).await.unwrap();
        let said = answer
            .metadata()
            .get("grpc-encoding")
            .unwrap()
            .to_str()
            .unwrap();
        assert_eq!(said, encoding.to_string());
        let answer = answer.into_inner();
        assert_eq!(answer.raw_output_contents, large.raw_input_contents);
    }
    // Who could read it and did not ask for it gets it as it is.
    let mut client = client.accept_compressed(CompressionEncoding::Gzip);
    let answer = client.model_infer(raw(&[1.0, 2.0])).await.unwrap();
    assert!(answer.metadata().get("grpc-encoding").is_none());
    server.shutdown().await.unwrap();

    let server = Server::new().model("sums", panicking()).body_limit(1000);
    let (server, client) = serve(server).await;
    let error = infer(&mut client.clone(), raw(&[0.0; 1000]))
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::OutOfRange, "{error:?}");
    let mut client = client.send_compressed(CompressionEncoding::Gzip);
    let error = infer(&mut client, raw(&[0.0; 1000])).await.unwrap_err();
    assert_eq!(error.code(), Code::ResourceExhausted, "{error:?}");
    server.shutdown().await.unwrap();
}

/// Answers 1 element: `count` times, as the request's parameter says, with what it knows of the request.
struct Told;

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

fn told(name: &str, choice: ParameterChoice) -> ModelInferRequest {
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

#[tokio::test]
async fn health_checks() {
    let server = Server::new().model("sums", panicking()).bind("127.0.0.1:0");
    let server = server.spawn().await.unwrap();
    let mut health = HealthClient::new(channel(&server).await);
    let of = |service: &str| HealthCheckRequest {
        service: service.to_owned(),
    };
    for service in ["", "inference.GRPCInferenceService", "sums", "sums/1"] {
        let answer = health.check(of(service)).await.unwrap().into_inner();
        assert_eq!(answer.status(), ServingStatus::Serving, "{service}");
    }
    for service in ["none", "sums/2", "none/1"] {
        let error = health.check(of(service)).await.unwrap_err();
        assert_eq!(error.code(), Code::NotFound, "{service}");
    }
    let mut unknown = health.watch(of("none")).await.unwrap().into_inner();
    let answer = unknown.message().await.unwrap().unwrap();
    assert_eq!(answer.status(), ServingStatus::ServiceUnknown);
    let mut news = health.watch(of("sums")).await.unwrap().into_inner();
    let answer = news.message().await.unwrap().unwrap();
    assert_eq!(answer.status(), ServingStatus::Serving);
    server.shutdown().await.unwrap();
    let answer = news.message().await.unwrap().unwrap();
    assert_eq!(answer.status(), ServingStatus::NotServing);
}

#[tokio::test]
async fn reflection_lists_the_services() {
    let server = Server::new().bind("127.0.0.1:0").spawn().await.unwrap();
    let mut reflection = ServerReflectionClient::new(channel(&server).await);
    let ask = |request| ServerReflectionRequest {
        host: String::new(),
        message_request: Some(request),
    };
    let requests = [
        ask(MessageRequest::ListServices(String::new())),
        ask(MessageRequest::FileContainingSymbol(
            "inference.ModelInferRequest".to_owned(),
        )),
    ];
    let answers = reflection
        .server_reflection_info(stream::iter(requests))
        .await
        .unwrap();
    let mut answers = pin!(
        answers
            .into_inner()
            .map(|answer| answer.unwrap().message_response.unwrap())
    );
    let MessageResponse::ListServicesResponse(list) = answers.next().await.unwrap() else {
        panic!("no list of services");
    };
    let names: Vec<_> = list.service.iter().map(|service| &*service.name).collect();
    for name in ["inference.GRPCInferenceService", "grpc.health.v1.Health"] {
        assert!(names.contains(&name), "{names:?}");
    }
    let file = answers.next().await.unwrap();
    assert!(
        matches!(file, MessageResponse::FileDescriptorResponse(_)),
        "{file:?}"
    );
    server.shutdown().await.unwrap();
}

#[tokio::test]
async fn statistics_count_rows_and_runs() {
    let server = Server::new().model("sums", panicking()).model("told", Told);
    let (server, mut client) = serve(server).await;
    for values in [&[1.0, 2.0][..], &[1.0, 2.0, 3.0, 4.0]] {
        infer(&mut client, raw(values)).await.unwrap();
    }
    infer(&mut client, raw(&[-1.0, 2.0])).await.unwrap_err();
    let of = |name: &str, version: &str| ModelStatisticsRequest {
        name: name.to_owned(),
        version: version.to_owned(),
    };
    for (name, version) in [("sums", ""), ("sums", "1")] {
        let answer = client
            .model_statistics(of(name, version))
            .await
            .unwrap()
            .into_inner();
        let [stats] = &answer.model_stats[..] else {
            panic!("{answer:?}");
        };
        assert_eq!((&*stats.name, &*stats.version), ("sums", "1"));
        assert_eq!((stats.inference_count, stats.execution_count), (3, 2));
        let of_requests = stats.inference_stats.as_ref().unwrap();
        assert_eq!(of_requests.success.unwrap().count, 2);
        assert_eq!(of_requests.fail.unwrap().count, 1);
        assert_eq!(stats.batch_stats.len(), 2);
    }
    // Those of streams count as others do; what is answered in pieces counts once.
    let requests = [
        told("count", ParameterChoice::Int64Param(3)),
        told("count", ParameterChoice::Int64Param(0)),
        told("panic", ParameterChoice::BoolParam(true)),
    ];
    let answers = client
        .model_stream_infer(stream::iter(requests))
        .await
        .unwrap();
    assert_eq!(answers.into_inner().count().await, 4);
    let answer = client.model_statistics(of("told", "")).await.unwrap();
    let of_requests = answer.into_inner().model_stats[0].inference_stats.unwrap();
    assert_eq!(of_requests.success.unwrap().count, 2);
    assert_eq!(of_requests.fail.unwrap().count, 1);

    let all = client
        .model_statistics(of("", ""))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(all.model_stats.len(), 2);
    let error = client.model_statistics(of("none", "")).await.unwrap_err();
    assert_eq!(error.code(), Code::NotFound);
    server.shutdown().await.unwrap();
}

/// One model that copies what it is given.
#[derive(Debug)]
struct Copies;

impl Source for Copies {
    fn models(&self) -> Result<Vec<String>, SourceError> {
        Ok(vec!["copy".to_owned()])
    }

    fn versions(&self, model: &str) -> Result<Vec<String>, SourceError> {
        Ok(if model == "copy" {
            vec!["1".to_owned()]
        } else {
            Vec::new()
        })
    }

    fn load(&self, _model: &str, _version: &str) -> Result<BoxService, SourceError> {
        Ok(BoxService::new(echo(DType::Fp32)))
    }
}

#[tokio::test]
async fn models_are_loaded_and_unloaded() {
    let (server, mut client) = serve(Server::new().models(Models::from(Copies))).await;
    let index = |ready| RepositoryIndexRequest {
        repository_name: String::new(),
        ready,
    };
    let load = |name: &str| RepositoryModelLoadRequest {
        model_name: name.to_owned(),
        ..RepositoryModelLoadRequest::default()
    };
    let answer = client
        .repository_index(index(false))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (&*answer.models[0].name, &*answer.models[0].state),
        ("copy", "UNAVAILABLE")
    );
    let answer = client
        .repository_index(index(true))
        .await
        .unwrap()
        .into_inner();
    assert!(answer.models.is_empty());
    client.repository_model_load(load("copy")).await.unwrap();
    let answer = client
        .repository_index(index(true))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (&*answer.models[0].version, &*answer.models[0].state),
        ("1", "READY")
    );
    let error = client
        .repository_model_load(load("none"))
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::NotFound);
    let mut with_config = load("copy");
    with_config
        .parameters
        .insert("config".to_owned(), ModelRepositoryParameter::default());
    let error = client.repository_model_load(with_config).await.unwrap_err();
    assert_eq!(error.code(), Code::Unimplemented);
    let unload = RepositoryModelUnloadRequest {
        model_name: "copy".to_owned(),
        ..RepositoryModelUnloadRequest::default()
    };
    client
        .repository_model_unload(unload.clone())
        .await
        .unwrap();
    let error = client.repository_model_unload(unload).await.unwrap_err();
    assert_eq!(error.code(), Code::NotFound);
    server.shutdown().await.unwrap();
}

#[tokio::test]
async fn both_protocols_share_a_port() {
    let (server, mut client) = serve(Server::new().model("sums", panicking())).await;
    infer(&mut client, raw(&[1.0, 2.0])).await.unwrap();
    let address = server.addr();
    let rest = tokio::task::spawn_blocking(move || {
        let mut http = Http::at(address);
        (
            http.get("/v2/models/sums").status,
            http.get("/nowhere").error(),
        )
    });
    let (status, error) = rest.await.unwrap();
    assert_eq!(status, 200);
    assert_eq!(error, "nothing is at /nowhere");

    let mut grpc = tonic::client::Grpc::new(channel(&server).await);
    for path in [
        "/inference.GRPCInferenceService/TraceSetting",
        "/inference.Other/Call",
    ] {
        grpc.ready().await.unwrap();
        let codec = tonic_prost::ProstCodec::<ServerLiveRequest, ServerLiveResponse>::default();
        let call = grpc.unary(
            Request::new(ServerLiveRequest {}),
            path.parse().unwrap(),
            codec,
        );
        assert_eq!(
            call.await.unwrap_err().code(),
            Code::Unimplemented,
            "{path}"
        );
    }
    server.shutdown().await.unwrap();
}

#[tokio::test]
async fn answers_without_typed_fields_are_raw() {
    let spec = |name: &str, dtype| TensorSpec::rows(name, dtype, &[1]);
    let signature = Signature::new(spec("x", DType::Fp32), spec("y", DType::Fp16)).unwrap();
    let model = FnModel::new(
        signature,
        |inputs: &[TensorView<'_>], outputs: &mut Outputs<'_>| {
            outputs
                .tensor(0, DType::Fp16, &[inputs[0].rows(), 1])
                .map(drop)
        },
    );
    let (server, mut client) = serve(Server::new().model("sums", LocalModel::new(model))).await;
    let mut request = typed(&[1.0, 2.0]);
    request.inputs[0].shape = vec![2, 1];
    let answer = infer(&mut client, request).await.unwrap();
    assert_eq!(
        (
            &*answer.outputs[0].datatype,
            answer.raw_output_contents[0].len()
        ),
        ("FP16", 4)
    );
    server.shutdown().await.unwrap();
}
