use std::error::Error;
use std::fs;
use std::path::PathBuf;

use clap::Args;
use maas_server::{ApiKey, RateLimit};

use crate::certificates::Files;

/// Who may ask.
#[derive(Debug, Args)]
#[command(next_help_heading = "Who may ask")]
pub(crate) struct Access {
    /// A file of API keys, a line each: NAME SCOPE SECRET [REQUESTS-PER-SECOND], where SCOPE is infer or admin.
    ///
    /// After a pause a key may send the requests of a second at once. Lines that begin with # are passed over.
    ///
    /// Without keys everybody may ask, and nobody may load models but on a loopback address.
    #[arg(long, value_name = "FILE", env = "MAAS_KEYS")]
    keys: Option<PathBuf>,

    /// The server's certificate and those that it stands on, in PEM. A new one is taken when the file changes
    #[arg(
        long,
        value_name = "FILE",
        env = "MAAS_TLS_CERTIFICATE",
        requires = "tls_key"
    )]
    tls_certificate: Option<PathBuf>,

    /// The certificate's private key, in PEM
    #[arg(
        long,
        value_name = "FILE",
        env = "MAAS_TLS_KEY",
        requires = "tls_certificate"
    )]
    tls_key: Option<PathBuf>,

    /// Whose certificates clients must show, in PEM. New ones are taken when the file changes
    #[arg(
        long,
        value_name = "FILE",
        env = "MAAS_TLS_CLIENTS",
        requires = "tls_certificate"
    )]
    tls_clients: Option<PathBuf>,
}

impl Access {
    pub(crate) fn is_open(&self) -> bool {
        self.keys.is_none() && self.tls_clients.is_none()
    }

    pub(crate) fn keys(&self) -> Result<Vec<ApiKey>, Box<dyn Error>> {
        let Some(file) = &self.keys else {
            return Ok(Vec::new());
        };
        let shown = file.display();
        let text = fs::read_to_string(file).map_err(|error| format!("{shown}: {error}"))?;
        let mut keys = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            if !line.trim().is_empty() && !line.starts_with('#') {
                let key = key(line).map_err(|error| format!("{shown}, line {number}: {error}"))?;
                keys.push(key);
            }
        }
        // Without keys everybody may ask, which is the contrary of what was meant.
        if keys.is_empty() {
            return Err(format!("{shown} has no keys: expected a line NAME SCOPE SECRET").into());
        }
        Ok(keys)
    }

    pub(crate) fn certificates(&self) -> Option<Files> {
        Some(Files {
            chain: self.tls_certificate.clone()?,
            key: self.tls_key.clone()?,
            clients: self.tls_clients.clone(),
        })
    }
}

/// A line of the file of keys; what is wrong with it is told without the secret.
fn key(line: &str) -> Result<ApiKey, String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [name, scope, secret, rate @ ..] = &words[..] else {
        return Err(format!(
            "expected NAME SCOPE SECRET, found {} words",
            words.len()
        ));
    };
    let key = match *scope {
        "infer" => ApiKey::infer(*name, secret),
        "admin" => ApiKey::admin(*name, secret),
        other => {
            return Err(format!(
                "expected the scope infer or admin, found `{other}`"
            ));
        }
    };
    match rate {
        [] => Ok(key),
        [rate] => match rate.parse() {
            Ok(rate) if rate > 0.0 => {
                let burst = f64::ceil(rate) as u32;
                Ok(key.limit(RateLimit::per_second(rate).burst(burst)))
            }
            _ => Err(format!("expected requests per second, found `{rate}`")),
        },
        _ => Err(format!("expected at most 4 words, found {}", words.len())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_keys_says_who_and_how_often() {
        for line in ["ada infer s3cret", "ada admin s3cret 2.5"] {
            assert!(key(line).is_ok(), "{line}");
        }
        for line in [
            "ada s3cret",
            "ada root s3cret",
            "ada infer s3cret fast",
            "ada infer s3cret 0",
            "a b c d e",
        ] {
            let error = key(line).expect_err(line);
            assert!(!error.contains("s3cret"), "{error}");
        }
    }
}
