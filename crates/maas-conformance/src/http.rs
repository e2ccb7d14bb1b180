use std::io::Read;
use std::time::Duration;

use serde_json::Value;
use ureq::http::Request;

/// HTTP to one server.
#[derive(Clone, Debug)]
pub(crate) struct Http {
    agent: ureq::Agent,
    url: String,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// Answers beyond this are not read.
const MOST: u64 = 64 << 20;

impl Http {
    pub(crate) fn to(url: &str) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(30)))
            .allow_non_standard_methods(true)
            .build();
        Self {
            agent: config.into(),
            url: url.trim_end_matches('/').to_owned(),
        }
    }

    pub(crate) fn ask(
        &self,
        verb: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Reply, String> {
        let mut request = Request::builder()
            .method(verb)
            .uri(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let told = |error: &dyn std::fmt::Display| format!("{verb} {path}: {error}");
        let answer = if verb == "GET" {
            let request = request.body(()).map_err(|error| told(&error))?;
            self.agent.run(request)
        } else {
            let request = request.body(body).map_err(|error| told(&error))?;
            self.agent.run(request)
        };
        let answer = answer.map_err(|error| told(&error))?;
        let status = answer.status().as_u16();
        let text = |value: &ureq::http::HeaderValue| {
            String::from_utf8_lossy(value.as_bytes()).into_owned()
        };
        let headers = answer
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), text(value)))
            .collect();
        let mut body = Vec::new();
        let mut reader = answer.into_body().into_reader().take(MOST);
        reader
            .read_to_end(&mut body)
            .map_err(|error| told(&error))?;
        Ok(Reply {
            status,
            headers,
            body,
        })
    }
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(found, _)| found.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The body as JSON, where the status is this.
    pub(crate) fn json(&self, status: u16) -> Result<Value, String> {
        if self.status != status {
            return Err(format!(
                "expected status {status}, found {} with {}",
                self.status,
                self.text()
            ));
        }
        serde_json::from_slice(&self.body)
            .map_err(|error| format!("the body is no JSON: {error}: {}", self.text()))
    }

    /// That it is an error of one of these statuses, which a client can read and which gives nothing away.
    pub(crate) fn refused(&self, statuses: &[u16]) -> Result<(), String> {
        if !statuses.contains(&self.status) {
            return Err(format!(
                "expected a status of {statuses:?}, found {} with {}",
                self.status,
                self.text()
            ));
        }
        let body: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        let error = body["error"].as_str();
        let error = error
            .ok_or_else(|| format!("expected {{\"error\": \"...\"}}, found {}", self.text()))?;
        let gives_away = [
            "Traceback",
            "panicked at",
            ".rs:",
            ".py\"",
            "stack backtrace",
        ];
        match gives_away.iter().find(|sign| error.contains(**sign)) {
            Some(sign) => Err(format!(
                "the error shows the server's inside, `{sign}`: {error}"
            )),
            None => Ok(()),
        }
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body)
            .chars()
            .take(200)
            .collect()
    }
}
