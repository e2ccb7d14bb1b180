//! What anybody would write with tonic.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use tonic::body::Body;
use tonic::codegen::http;
use tonic::server::{Grpc, NamedService, UnaryService};
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;
use tower_service::Service;

use crate::bodies::COLUMNS;
use crate::proto::model_infer_response::InferOutputTensor;
use crate::proto::{ModelInferRequest, ModelInferResponse};
use crate::rows::Rows;

pub(crate) fn serve(model: impl Rows) -> SocketAddr {
    let address = SocketAddr::from(([127, 0, 0, 1], 0));
    let incoming = TcpIncoming::bind(address)
        .expect("a free port")
        .with_nodelay(Some(true));
    let address = incoming.local_addr().expect("it listens");
    let serving = Server::builder()
        .add_service(Calls(Arc::new(model)))
        .serve_with_incoming(incoming);
    tokio::spawn(serving);
    address
}

type Answer<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What `tonic-build` makes of the protocol, for the one call that is asked.
struct Calls<M>(Arc<M>);

impl<M> Clone for Calls<M> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<M> NamedService for Calls<M> {
    const NAME: &'static str = "inference.GRPCInferenceService";
}

impl<M: Rows> Service<http::Request<Body>> for Calls<M> {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Answer<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let infer = Infer(Arc::clone(&self.0));
        Box::pin(async move {
            let codec = ProstCodec::<ModelInferResponse, ModelInferRequest>::default();
            Ok(Grpc::new(codec).unary(infer, request).await)
        })
    }
}

struct Infer<M>(Arc<M>);

impl<M: Rows> UnaryService<ModelInferRequest> for Infer<M> {
    type Response = ModelInferResponse;
    type Future = Answer<Result<Response<ModelInferResponse>, Status>>;

    fn call(&mut self, request: Request<ModelInferRequest>) -> Self::Future {
        let model = Arc::clone(&self.0);
        Box::pin(async move {
            let answered = infer(&*model, &request.into_inner());
            answered
                .map(Response::new)
                .map_err(Status::invalid_argument)
        })
    }
}

fn infer(model: &impl Rows, asked: &ModelInferRequest) -> Result<ModelInferResponse, String> {
    let ([given], [bytes]) = (&asked.inputs[..], &asked.raw_input_contents[..]) else {
        return Err("one input is expected".to_owned());
    };
    let [rows, columns] = given.shape[..] else {
        return Err("the input has two dimensions".to_owned());
    };
    let right = given.name == "x" && given.datatype == "FP32" && columns == COLUMNS as i64;
    let values: Vec<f32> = bytes
        .chunks_exact(4)
        .map(|bytes| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
        .collect();
    if !right || rows as usize * COLUMNS != values.len() {
        return Err("the input does not fit".to_owned());
    }
    let answer = model.answer(rows as usize, &values)?;
    let output = InferOutputTensor {
        name: "y".to_owned(),
        datatype: "FP32".to_owned(),
        shape: vec![rows, 1],
        ..InferOutputTensor::default()
    };
    let bytes: Vec<u8> = answer
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    Ok(ModelInferResponse {
        model_name: "mlp".to_owned(),
        model_version: "1".to_owned(),
        outputs: vec![output],
        raw_output_contents: vec![Bytes::from(bytes)],
        ..ModelInferResponse::default()
    })
}
