//! The protocol over gRPC, as a client speaks it.

use std::error::Error as _;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use maas_core::{DType, Dimension, Signature, TensorSpec};
use maas_service::{Description, InferRequest, InferResponse, NamedTensor, ServeError};
use tonic::metadata::AsciiMetadataValue;
use tonic::transport::Channel;
use tonic::{Code, Request, Status, TimeoutExpired};

use super::channel::channel;
use super::proto::grpc_inference_service_client::GrpcInferenceServiceClient;
use super::proto::model_infer_request::{InferInputTensor, InferRequestedOutputTensor};
use super::proto::model_metadata_response::TensorMetadata;
use super::proto::{
    ModelInferRequest, ModelInferResponse, ModelMetadataRequest, ModelMetadataResponse,
    ModelReadyRequest,
};
use super::request::{given, tensor};
use super::response::{content, lengths};
use super::{parameters, status};
use crate::client::Dial;
use crate::observe::carried;

/// Asks one server.
#[derive(Debug)]
pub(crate) struct Grpc {
    client: GrpcInferenceServiceClient<Channel>,
    address: String,
    authorization: Option<AsciiMetadataValue>,
}

impl Grpc {
    /// Asks the server, to which it connects when it has to. To be called within the runtime in which the connection shall
    /// live.
    pub(crate) fn new(
        dial: Dial,
        answer_limit: usize,
        authorization: Option<AsciiMetadataValue>,
    ) -> Self {
        let address = dial.address.to_string();
        let client = GrpcInferenceServiceClient::new(channel(dial));
        Self {
            client: client.max_decoding_message_size(answer_limit),
            address,
            authorization,
        }
    }

    pub(crate) async fn describe(
        &self,
        model: &str,
        version: Option<&str>,
    ) -> Result<Arc<Description>, ServeError> {
        let question = self.question(ModelMetadataRequest {
            name: model.to_owned(),
            version: version.unwrap_or_default().to_owned(),
        });
        let answer = self.client.clone().model_metadata(question).await;
        let metadata = answer.map_err(|status| self.error(status))?.into_inner();
        description(metadata).map_err(|reason| ServeError::BadAnswer { reason })
    }

    pub(crate) async fn is_ready(
        &self,
        model: &str,
        version: Option<&str>,
    ) -> Result<bool, ServeError> {
        let question = self.question(ModelReadyRequest {
            name: model.to_owned(),
            version: version.unwrap_or_default().to_owned(),
        });
        let answer = self.client.clone().model_ready(question).await;
        let answer = answer.map_err(|status| self.error(status))?;
        Ok(answer.into_inner().ready)
    }

    pub(crate) async fn infer(
        &self,
        request: InferRequest,
        version: Option<&str>,
        limit: Duration,
    ) -> Result<InferResponse, ServeError> {
        let mut question = self.question(write(request, version));
        question.set_timeout(limit);
        let answer = self.client.clone().model_infer(question).await;
        let answer = answer.map_err(|status| match status.source() {
            // The channel heeds the limit as well, and may be the first to do so.
            Some(source) if has_expired(source) => ServeError::Deadline { limit },
            _ => self.error(status),
        })?;
        let answer = answer.into_inner();
        read(answer).map_err(|reason| ServeError::BadAnswer { reason })
    }

    fn question<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        let metadata = request.metadata_mut();
        if let Some(authorization) = &self.authorization {
            metadata.insert("authorization", authorization.clone());
        }
        metadata.as_mut().extend(carried());
        request
    }

    /// A status that has a source comes from the connection, any other one from the server.
    fn error(&self, status: Status) -> ServeError {
        #[cfg(feature = "tls")]
        if let Some(error) = status
            .source()
            .and_then(|source| crate::client::untrusted(&self.address, source))
        {
            return error;
        }
        if status.source().is_some() {
            return ServeError::Unreachable {
                address: self.address.clone(),
                source: io::Error::other(status),
            };
        }
        ServeError::Refused {
            status: http_status(status.code()),
            message: status.message().to_owned(),
            retry_after: status::retry_after(&status),
        }
    }
}

fn has_expired(error: &(dyn std::error::Error + 'static)) -> bool {
    error.is::<TimeoutExpired>() || error.source().is_some_and(has_expired)
}

fn http_status(code: Code) -> u16 {
    match code {
        Code::InvalidArgument | Code::OutOfRange | Code::FailedPrecondition => 400,
        Code::Unauthenticated => 401,
        Code::PermissionDenied => 403,
        Code::NotFound => 404,
        Code::ResourceExhausted => 429,
        Code::Unimplemented => 501,
        Code::Unavailable | Code::Cancelled | Code::Aborted => 503,
        Code::DeadlineExceeded => 504,
        _ => 500,
    }
}

fn write(request: InferRequest, version: Option<&str>) -> ModelInferRequest {
    let input = |named: &NamedTensor| InferInputTensor {
        name: named.name.as_ref().to_owned(),
        datatype: named.tensor.dtype().name().to_owned(),
        shape: lengths(named.tensor.shape()),
        ..InferInputTensor::default()
    };
    let outputs = request.outputs.into_iter();
    ModelInferRequest {
        model_name: request.model.as_ref().to_owned(),
        model_version: version.unwrap_or_default().to_owned(),
        id: request.id.unwrap_or_default(),
        parameters: parameters::write(request.parameters),
        inputs: request.inputs.iter().map(input).collect(),
        outputs: outputs
            .map(|output| InferRequestedOutputTensor {
                name: output.name.as_ref().to_owned(),
                parameters: parameters::write(output.parameters),
            })
            .collect(),
        raw_input_contents: request
            .inputs
            .into_iter()
            .map(|named| content(named.tensor))
            .collect(),
    }
}

pub(super) fn read(message: ModelInferResponse) -> Result<InferResponse, String> {
    let mut response = InferResponse::to(&InferRequest::new(message.model_name));
    response.version = given(&message.model_version).map(Into::into);
    response.id = given(&message.id).map(str::to_owned);
    response.parameters = parameters::read(message.parameters)?;
    if let Some(maas_service::Parameter::String(replica)) = response.parameters.get("replica") {
        response.replica = Some(replica.as_str().into());
    }
    // Some servers leave fields without values beside raw values.
    let is_raw = !message.raw_output_contents.is_empty();
    let mut raw = message.raw_output_contents.into_iter();
    for output in message.outputs {
        let contents = output.contents.as_ref().filter(|_| !is_raw);
        let tensor = tensor(&output.datatype, &output.shape, contents, raw.next());
        let tensor = tensor.map_err(|reason| format!("output `{}`: {reason}", output.name))?;
        response.outputs.push(NamedTensor::new(output.name, tensor));
    }
    Ok(response)
}

fn description(metadata: ModelMetadataResponse) -> Result<Arc<Description>, String> {
    let signature = Signature::new(specs(metadata.inputs)?, specs(metadata.outputs)?);
    let signature = signature.map_err(|error| error.to_string())?;
    let mut description = Description::new(signature, metadata.platform);
    description.properties = metadata.properties;
    Ok(Arc::new(description))
}

fn specs(tensors: Vec<TensorMetadata>) -> Result<Vec<TensorSpec>, String> {
    let spec = |tensor: TensorMetadata| {
        let dtype: DType = tensor
            .datatype
            .parse()
            .map_err(|error: maas_core::Error| error.to_string())?;
        let dimension = |&length: &i64| match usize::try_from(length) {
            Ok(length) => Dimension::Fixed(length),
            Err(_) => Dimension::Free,
        };
        let shape: Vec<Dimension> = tensor.shape.iter().map(dimension).collect();
        TensorSpec::new(tensor.name, dtype, shape).map_err(|error| error.to_string())
    };
    tensors.into_iter().map(spec).collect()
}
