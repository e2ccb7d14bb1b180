//! HTTP/1.1 over connections that are kept.

mod answer;
mod connection;
mod idle;
mod pause;

use std::io;
use std::time::Duration;

use bytes::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Method, Request, Uri};
use maas_service::ServeError;

use super::address::Address;
use super::dial::Dial;
use super::runtime::Runtime;
use crate::Error;
use crate::observe::carried;
use crate::wire::{HEADER_LENGTH, Parts, TIMEOUT};
pub(super) use answer::Answer;
use connection::{Connection, Failure, open};
use idle::Idle;

/// Asks one server.
#[derive(Debug)]
pub(super) struct Http {
    pub(super) dial: Dial,
    pub(super) runtime: Runtime,
    /// Answers of more bytes are not read.
    pub(super) answer_limit: usize,
    pub(super) idle: Idle,
    pub(super) authorization: Option<HeaderValue>,
}

/// What is asked.
#[derive(Clone, Debug)]
pub(super) struct Question {
    pub(super) method: Method,
    pub(super) path: Uri,
    pub(super) content: Option<Content>,
    /// How long the answer is of use, which the server is told.
    pub(super) limit: Option<Duration>,
}

/// The body of a question.
#[derive(Clone, Debug)]
pub(super) struct Content {
    pub(super) content_type: &'static str,
    pub(super) header_length: Option<usize>,
    pub(super) parts: Vec<Bytes>,
}

const ANSWER_LIMIT: usize = 1 << 30;

impl Http {
    pub(super) fn new(address: Address, runtime: Runtime) -> Self {
        Self {
            dial: Dial::new(address),
            runtime,
            answer_limit: ANSWER_LIMIT,
            idle: Idle::default(),
            authorization: None,
        }
    }

    /// Shows this key with every question.
    pub(super) fn key(&mut self, key: &str) -> Result<(), Error> {
        let value = HeaderValue::from_str(&format!("Bearer {key}"));
        let mut value = value.map_err(|_| Error::Key)?;
        value.set_sensitive(true);
        self.authorization = Some(value);
        Ok(())
    }

    /// The server's answer, whatever its status is. To drop the future closes the connection.
    pub(super) async fn ask(&self, question: &Question) -> Result<Answer, ServeError> {
        // A connection that was idle may have been closed by the server; a fresh one has no such excuse.
        if let Some(kept) = self.idle.take().await {
            match self.exchange(kept, question).await {
                Err(Failure::Unanswered(_)) => {}
                answered => return answered.map_err(|failure| self.error(failure)),
            }
        }
        let fresh = self
            .connect()
            .await
            .map_err(|error| self.unreachable(error))?;
        let answered = self.exchange(fresh, question).await;
        answered.map_err(|failure| self.error(failure))
    }

    async fn connect(&self) -> io::Result<Connection> {
        self.runtime
            .spawn(open(self.dial.clone()))
            .await
            .map_err(io::Error::other)?
    }

    async fn exchange(
        &self,
        mut connection: Connection,
        question: &Question,
    ) -> Result<Answer, Failure> {
        let response = connection.send_request(self.request(question)).await?;
        let answer = answer::read(response, self.answer_limit).await?;
        self.idle.keep(connection);
        Ok(answer)
    }

    fn request(&self, question: &Question) -> Request<Parts> {
        let parts = question
            .content
            .as_ref()
            .map_or_else(Vec::new, |content| content.parts.clone());
        let mut request = Request::new(Parts::from(parts));
        *request.method_mut() = question.method.clone();
        *request.uri_mut() = question.path.clone();
        let headers = request.headers_mut();
        let host = HeaderValue::try_from(self.dial.address.to_string());
        headers.insert(HOST, host.expect("the host of an address is ASCII"));
        if let Some(authorization) = &self.authorization {
            headers.insert(AUTHORIZATION, authorization.clone());
        }
        if let Some(limit) = question.limit {
            let milliseconds = limit.as_micros().div_ceil(1000).max(1);
            let milliseconds = u64::try_from(milliseconds).unwrap_or(u64::MAX);
            headers.insert(TIMEOUT, HeaderValue::from(milliseconds));
        }
        headers.extend(carried());
        if let Some(content) = &question.content {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(content.content_type));
            let length = content.parts.iter().map(Bytes::len).sum::<usize>();
            headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
            if let Some(length) = content.header_length {
                headers.insert(HEADER_LENGTH, HeaderValue::from(length));
            }
        }
        request
    }

    fn error(&self, failure: Failure) -> ServeError {
        match failure {
            Failure::Unanswered(error) | Failure::Broken(error) => self.unreachable(error),
            Failure::Nonsense(reason) => ServeError::BadAnswer { reason },
        }
    }

    fn unreachable(&self, source: io::Error) -> ServeError {
        let address = self.dial.address.to_string();
        #[cfg(feature = "tls")]
        if let Some(error) = super::tls::untrusted(&address, &source) {
            return error;
        }
        ServeError::Unreachable { address, source }
    }
}
