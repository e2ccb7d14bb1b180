//! What the program is told.

mod access;
mod limits;
mod log;
mod models;
mod serving;

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgGroup, Parser};
use maas_server::VersionPolicy;

use access::Access;
use limits::Limits;
use log::Log;
pub(crate) use models::ModelFile;
pub(crate) use serving::Serving;

/// Serves models over the Open Inference Protocol, REST and gRPC on one port.
///
/// A model is a file that maas has written: `.safetensors` of a network, or `.maas` of a compressed one. Ask it by any client of
/// the protocol, such as tritonclient, or by curl:
///
///   maas-server --model wine=wine.maas
///   curl localhost:8000/v2/models/wine
///
/// The first call answers what the model takes. http://localhost:8000 shows all models and asks them by a form, /metrics is for
/// Prometheus. Each flag may be given by the environment instead. SIGTERM ends the server in order: what was accepted is
/// answered, and a second one ends it at once.
#[derive(Debug, Parser)]
#[command(version, verbatim_doc_comment, after_long_help = EXAMPLES)]
#[command(group(ArgGroup::new("what").args(["model", "models"]).required(true).multiple(true)))]
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
    /// Clients may load and unload them by the protocol's repository calls, by which files that are new are found as well.
    #[arg(long, value_name = "FOLDER", env = "MAAS_MODELS")]
    pub(crate) models: Option<PathBuf>,

    /// Which versions of the folder's models are served: all, latest:N, or names with commas between them
    #[arg(long, value_name = "VERSIONS", env = "MAAS_VERSIONS", default_value = "latest:1", value_parser = models::versions)]
    pub(crate) versions: VersionPolicy,

    /// Where to listen: 0.0.0.0:8000 is reached from other machines
    #[arg(
        long,
        value_name = "HOST:PORT",
        env = "MAAS_ADDRESS",
        default_value = "127.0.0.1:8000",
        value_parser = address
    )]
    pub(crate) address: String,

    #[command(flatten)]
    pub(crate) serving: Serving,

    #[command(flatten)]
    pub(crate) access: Access,

    #[command(flatten)]
    pub(crate) limits: Limits,

    #[command(flatten)]
    pub(crate) log: Log,
}

const EXAMPLES: &str = "\
Examples:
  Two versions of a model, of which the higher one answers who asks for none:
    maas-server --model wine:1=old.maas --model wine:2=new.maas
    curl localhost:8000/v2/models/wine/versions/1

  A folder: models/wine/1.maas, models/wine/2.maas, models/digits.safetensors
    maas-server --models models --versions all
    curl -X POST localhost:8000/v2/repository/index
    curl -X POST localhost:8000/v2/repository/models/wine/load

  For other machines, with keys and TLS:
    echo \"operator admin $(openssl rand -hex 16)\" > keys
    maas-server --models models --address 0.0.0.0:8443 --keys keys --tls-certificate server.pem --tls-key server.key

  In a container, by the environment:
    MAAS_MODELS=/models MAAS_ADDRESS=0.0.0.0:8000 MAAS_DRAIN_DELAY=5 MAAS_LOG_FORMAT=json maas-server";

fn address(text: &str) -> Result<String, String> {
    let port = text.rsplit_once(':').map(|(_, port)| port.parse::<u16>());
    match port {
        Some(Ok(_)) => Ok(text.to_owned()),
        _ => Err(format!(
            "expected HOST:PORT, such as 127.0.0.1:8000, found `{text}`"
        )),
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok();
    let duration = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    duration.ok_or_else(|| format!("expected a number of seconds, found `{text}`"))
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
    fn times_are_numbers_of_seconds() {
        assert_eq!(seconds("0.25"), Ok(Duration::from_millis(250)));
        for text in ["", "soon", "-1", "NaN", "1e300"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }
}
