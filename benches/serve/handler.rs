//! What anybody would write with axum and serde.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use axum::routing::{Router, post};
use axum::serve::ListenerExt;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

use crate::bodies::{COLUMNS, Form, HEADER_LENGTH};
use crate::rows::Rows;

pub(crate) async fn serve<M: Rows>(form: Form, model: M) -> SocketAddr {
    let handler = match form {
        Form::Binary => post(binary::<M>),
        _ => post(json::<M>),
    };
    let app = Router::new()
        .route("/v2/models/mlp/infer", handler)
        .with_state(Arc::new(model));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it listens");
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

#[derive(Deserialize)]
struct Asked {
    inputs: Vec<Given>,
}

#[derive(Deserialize)]
struct Given {
    name: String,
    shape: Vec<usize>,
    datatype: String,
    /// Missing where the numbers follow as bytes.
    #[serde(default)]
    data: Vec<f32>,
}

#[derive(Serialize)]
struct Answer {
    model_name: &'static str,
    model_version: &'static str,
    outputs: [Output; 1],
}

#[derive(Serialize)]
struct Output {
    name: &'static str,
    datatype: &'static str,
    shape: [usize; 2],
    data: Vec<f32>,
}

async fn json<M: Rows>(State(model): State<Arc<M>>, body: Bytes) -> Result<Json<Answer>, String> {
    let asked: Asked = serde_json::from_slice(&body).map_err(|error| error.to_string())?;
    let given = given(&asked)?;
    let rows = rows(given, given.data.len())?;
    let output = Output {
        name: "y",
        datatype: "FP32",
        shape: [rows, 1],
        data: model.answer(rows, &given.data)?,
    };
    Ok(Json(Answer {
        model_name: "mlp",
        model_version: "1",
        outputs: [output],
    }))
}

async fn binary<M: Rows>(
    State(model): State<Arc<M>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, String> {
    let text = headers.get(HEADER_LENGTH).and_then(|length| {
        let length: usize = length.to_str().ok()?.parse().ok()?;
        body.split_at_checked(length)
    });
    let (text, bytes) = text.ok_or("the text's length is missing")?;
    let asked: Asked = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    let values: Vec<f32> = bytes
        .chunks_exact(4)
        .map(|bytes| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
        .collect();
    let rows = rows(given(&asked)?, values.len())?;
    let values = model.answer(rows, &values)?;
    let mut answer = format!(
        r#"{{"model_name":"mlp","model_version":"1","outputs":[{{"name":"y","datatype":"FP32","shape":[{rows},1],"parameters":{{"binary_data_size":{}}}}}]}}"#,
        4 * values.len()
    )
    .into_bytes();
    let length = HeaderValue::from(answer.len());
    answer.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    let octets = HeaderValue::from_static("application/octet-stream");
    let mut response = answer.into_response();
    response.headers_mut().insert(CONTENT_TYPE, octets);
    response.headers_mut().insert(HEADER_LENGTH, length);
    Ok(response)
}

fn given(asked: &Asked) -> Result<&Given, String> {
    match &asked.inputs[..] {
        [given] => Ok(given),
        _ => Err("one input is expected".to_owned()),
    }
}

/// The rows of an input of so many values, which must fit.
fn rows(given: &Given, values: usize) -> Result<usize, String> {
    let fits = given.name == "x"
        && given.datatype == "FP32"
        && given.shape.iter().product::<usize>() == values;
    match given.shape[..] {
        [rows, COLUMNS] if fits => Ok(rows),
        _ => Err("the input does not fit".to_owned()),
    }
}
