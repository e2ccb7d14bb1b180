use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Parser, ValueEnum};

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
}
