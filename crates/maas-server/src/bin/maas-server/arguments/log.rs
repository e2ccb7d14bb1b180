use clap::{Args, ValueEnum};
use tracing_subscriber::EnvFilter;

/// What is written to the standard error.
#[derive(Debug, Args)]
#[command(next_help_heading = "Logs")]
pub(crate) struct Log {
    /// What is logged, by level, such as `info` or `maas_server=debug`
    #[arg(long, value_name = "LEVEL", env = "MAAS_LOG", default_value = "info", value_parser = filter)]
    log: String,

    /// Logs every request with its id, model, status and latency; failures of models are logged in any case
    #[arg(long, env = "MAAS_LOG_REQUESTS")]
    log_requests: bool,

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
            .with_env_filter(self.filter())
            .with_writer(std::io::stderr);
        match self.log_format {
            LogFormat::Text => log.init(),
            LogFormat::Json => log.json().init(),
        }
    }

    fn filter(&self) -> EnvFilter {
        let filter = EnvFilter::new(&self.log);
        if self.log_requests {
            return filter;
        }
        let none = "maas_server::requests=off".parse();
        filter.add_directive(none.expect("it is a directive"))
    }
}

fn filter(text: &str) -> Result<String, String> {
    match EnvFilter::try_new(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err("expected error, warn, info, debug, trace or TARGET=LEVEL,...".to_owned()),
    }
}
