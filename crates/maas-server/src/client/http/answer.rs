use std::io;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use hyper::Response;
use hyper::body::Incoming;
use hyper::header::HeaderMap;
use maas_service::ServeError;
use serde::Deserialize;

use super::connection::Failure;
use super::pause;
use crate::wire::{Gathered, HEADER_LENGTH, gather};

/// What a server answered.
#[derive(Debug)]
pub(in crate::client) struct Answer {
    pub(in crate::client) status: u16,
    /// How many bytes of JSON text the body begins with; all where nothing is said.
    pub(in crate::client) header_length: Option<usize>,
    pub(in crate::client) body: Bytes,
    retry_after: Option<Duration>,
}

/// As much of a text that is not the protocol's is shown.
const SHOWN: usize = 200;

impl Answer {
    /// The answer, unless it is a refusal.
    pub(in crate::client) fn accepted(self) -> Result<Self, ServeError> {
        #[derive(Deserialize)]
        struct Refused {
            error: String,
        }
        if self.status == 200 {
            return Ok(self);
        }
        let message = match serde_json::from_slice::<Refused>(&self.body) {
            Ok(refused) => refused.error,
            Err(_) => String::from_utf8_lossy(&self.body)
                .chars()
                .take(SHOWN)
                .collect(),
        };
        Err(ServeError::Refused {
            status: self.status,
            message,
            retry_after: self.retry_after,
        })
    }
}

/// Reads an answer of at most `limit` bytes.
pub(super) async fn read(response: Response<Incoming>, limit: usize) -> Result<Answer, Failure> {
    let (head, body) = response.into_parts();
    let header_length = number(&head.headers, &HEADER_LENGTH)?;
    let body = match gather(body, limit, header_length.unwrap_or(0)).await {
        Gathered::Whole(body) => body,
        Gathered::TooLarge => {
            return Err(Failure::Nonsense(format!("it has more than {limit} bytes")));
        }
        // What was begun is not begun again: the same answer would break off as well.
        Gathered::Broken(error) => {
            return Err(Failure::Broken(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                error,
            )));
        }
    };
    Ok(Answer {
        status: head.status.as_u16(),
        header_length,
        body,
        retry_after: pause::read(&head.headers, SystemTime::now()),
    })
}

fn number(headers: &HeaderMap, name: &hyper::header::HeaderName) -> Result<Option<usize>, Failure> {
    let Some(value) = headers.get(name) else {
        return Ok(None);
    };
    let number = value.to_str().ok().and_then(|text| text.parse().ok());
    number.map(Some).ok_or_else(|| {
        Failure::Nonsense(format!("header `{name}` must be a number, found {value:?}"))
    })
}
