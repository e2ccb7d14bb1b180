use std::error::Error;
use std::fs;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Parser, ValueEnum};
use maas_server::{ApiKey, RateLimit, Tls};

use crate::formats::Serving;

/// Serves models over the Open Inference Protocol, REST and gRPC on one port.
///
/// A model is a file that maas has written: `.safetensors` of a network, or `.maas` of a compressed one. Ask it by any client of
/// the protocol, such as tritonclient, or by curl:
///
///   maas-server --model wine=wine.maas
///   curl localhost:8000/v2/models/wine
///
/// Each flag may be given by the environment instead. SIGTERM ends the server in order: what was accepted is answered.
#[derive(Debug, Parser)]
#[command(version, verbatim_doc_comment)]
pub(crate) struct Arguments {
    /// A model: NAME=PATH, or NAME:VERSION=PATH; may be given several times
    #[arg(
        long,
        value_name = "NAME=PATH",
        env = "MAAS_MODEL",
        value_delimiter = ','
    )]
    pub(crate) model: Vec<ModelFile>,

    /// A folder of models: NAME/VERSION.EXTENSION, or NAME.EXTENSION for a single version.
    ///
    /// The highest version of each is served. Clients may load and unload them by the protocol's repository calls.
    #[arg(long, value_name = "FOLDER", env = "MAAS_MODELS")]
    pub(crate) models: Option<PathBuf>,

    /// Where to listen
    #[arg(
        long,
        value_name = "HOST:PORT",
        env = "MAAS_ADDRESS",
        default_value = "127.0.0.1:8000"
    )]
    pub(crate) address: String,

    /// How many replicas of each model take turns
    #[arg(long, value_name = "N", env = "MAAS_REPLICAS", default_value = "1")]
    pub(crate) replicas: NonZeroUsize,

    /// The rows that a request may have, and a batch of requests that wait together
    #[arg(long, value_name = "N", env = "MAAS_MAX_ROWS", default_value = "1024")]
    pub(crate) max_rows: NonZeroUsize,

    /// How long requests are still served when the server is told to end, before it takes no new connections
    #[arg(
        long,
        value_name = "SECONDS",
        env = "MAAS_DRAIN_DELAY",
        default_value = "0"
    )]
    pub(crate) drain_delay: f64,

    /// How long what was accepted may take after that
    #[arg(
        long,
        value_name = "SECONDS",
        env = "MAAS_DRAIN_TIMEOUT",
        default_value = "30"
    )]
    pub(crate) drain_timeout: f64,

    #[command(flatten)]
    pub(crate) access: Access,

    #[command(flatten)]
    pub(crate) log: Log,
}

impl Arguments {
    pub(crate) fn serving(&self) -> Serving {
        Serving {
            replicas: self.replicas,
            max_rows: self.max_rows,
        }
    }
}

/// Who may ask.
#[derive(Debug, Args)]
pub(crate) struct Access {
    /// A file of API keys, a line each: NAME SCOPE SECRET [REQUESTS-PER-SECOND], where SCOPE is infer or admin.
    ///
    /// Without keys everybody may ask, and nobody may load models but on a loopback address.
    #[arg(long, value_name = "FILE", env = "MAAS_KEYS")]
    keys: Option<PathBuf>,

    /// The server's certificate and those that it stands on, in PEM
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

    /// Whose certificates clients must show, in PEM
    #[arg(
        long,
        value_name = "FILE",
        env = "MAAS_TLS_CLIENTS",
        requires = "tls_certificate"
    )]
    tls_clients: Option<PathBuf>,
}

impl Access {
    pub(crate) fn keys(&self) -> Result<Vec<ApiKey>, Box<dyn Error>> {
        let Some(file) = &self.keys else {
            return Ok(Vec::new());
        };
        let text =
            fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
        let lines = text
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.trim().is_empty());
        lines
            .map(|(number, line)| {
                key(line).map_err(|error| {
                    format!("{}, line {}: {error}", file.display(), number + 1).into()
                })
            })
            .collect()
    }

    pub(crate) fn tls(&self) -> Result<Option<Tls>, Box<dyn Error>> {
        let (Some(chain), Some(key)) = (&self.tls_certificate, &self.tls_key) else {
            return Ok(None);
        };
        let Some(clients) = &self.tls_clients else {
            return Ok(Some(Tls::from_pem_files(chain, key)?));
        };
        let read =
            |file: &PathBuf| fs::read(file).map_err(|error| format!("{}: {error}", file.display()));
        Ok(Some(Tls::mutual(read(chain)?, read(key)?, read(clients)?)?))
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
            Ok(rate) if rate > 0.0 => Ok(key.limit(RateLimit::per_second(rate))),
            _ => Err(format!("expected requests per second, found `{rate}`")),
        },
        _ => Err(format!("expected at most 4 words, found {}", words.len())),
    }
}

/// What is written to the standard error.
#[derive(Debug, Args)]
pub(crate) struct Log {
    /// What is logged, by level, such as `info` or `maas_server=debug`
    #[arg(long, value_name = "LEVEL", env = "MAAS_LOG", default_value = "info")]
    log: String,

    /// How it is written
    #[arg(long, env = "MAAS_LOG_FORMAT", default_value = "text")]
    log_format: LogFormat,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum LogFormat {
    /// A line for people
    Text,
    /// A JSON object a line
    Json,
}

impl Log {
    pub(crate) fn start(&self) {
        let log = tracing_subscriber::fmt()
            .with_env_filter(&self.log)
            .with_writer(std::io::stderr);
        match self.log_format {
            LogFormat::Text => log.init(),
            LogFormat::Json => log.json().init(),
        }
    }
}

/// A model in a file, as the command line names it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ModelFile {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) path: PathBuf,
}

impl FromStr for ModelFile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("expected NAME=PATH or NAME:VERSION=PATH, found `{text}`");
        let (name, path) = text.split_once('=').ok_or_else(wrong)?;
        let (name, version) = name.rsplit_once(':').unwrap_or((name, "1"));
        if name.is_empty() || version.is_empty() || path.is_empty() {
            return Err(wrong());
        }
        Ok(Self {
            name: name.to_owned(),
            version: version.to_owned(),
            path: path.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn flags_fit_together() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_model_has_a_name_and_may_have_a_version() {
        let model = |text: &str| {
            text.parse::<ModelFile>()
                .map(|file| (file.name, file.version))
        };
        assert_eq!(
            model("wine=a.maas"),
            Ok(("wine".to_owned(), "1".to_owned()))
        );
        assert_eq!(
            model("wine:2=a=b.maas"),
            Ok(("wine".to_owned(), "2".to_owned()))
        );
        for text in ["wine", "=a", "wine=", "wine:=a", ":2=a"] {
            assert!(model(text).is_err(), "{text}");
        }
    }

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
