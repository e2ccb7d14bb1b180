//! Serves models from files, for those who do not write Rust.

mod arguments;
mod certificates;
mod formats;

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use maas_server::{Folder, Models, Server};

use arguments::Arguments;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    arguments.log.start();
    match run(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(&*error);
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let models = models(&arguments)?;
    let server = Server::new().models(models).bind(&*arguments.address);
    let mut server = arguments.limits.of(server);
    for key in arguments.access.keys()? {
        server = server.key(key);
    }
    if let Some(files) = arguments.access.certificates() {
        let tls = arguments.access.tls(&files)?;
        tokio::spawn(files.follow(tls.clone(), RENEWAL));
        server = server.tls(tls);
    }
    let server = server.spawn().await?;
    let (url, address) = (server.url(), server.addr());
    // Who reads that it serves may end it in order.
    let ending = server.until_signal();
    tracing::info!(url, "serving");
    if arguments.access.is_open() && !address.ip().is_loopback() {
        tracing::warn!("everybody who reaches this address may ask: --keys says who may");
    }
    Ok(ending.await?)
}

fn models(arguments: &Arguments) -> Result<Models, Box<dyn Error>> {
    let options = &arguments.serving;
    let models = match &arguments.models {
        Some(folder) if !folder.is_dir() => {
            return Err(format!("{} is no folder", folder.display()).into());
        }
        Some(folder) => {
            let options = options.clone();
            let models = Models::from(Folder::new(folder, move |path| {
                formats::load(path, &options)
            }));
            models.default_policy(arguments.versions.clone());
            // One broken model keeps no other from being served; the index says why it is not there.
            if let Err(error) = models.load_all() {
                for error in error.into_each() {
                    tracing::error!("{error}");
                }
            }
            models
        }
        None => Models::new(),
    };
    for model in &arguments.model {
        let service = formats::load(&model.path, options).map_err(|error| {
            format!(
                "model `{}` from {}: {error}",
                model.name,
                model.path.display()
            )
        })?;
        models.add(&*model.name, &*model.version, service)?;
        tracing::info!(model = model.name, version = model.version, "loaded");
    }
    Ok(models)
}

/// How often it is looked whether the certificate is another one.
const RENEWAL: Duration = Duration::from_secs(2);

#[expect(
    clippy::print_stderr,
    reason = "the user sees it before there is a log"
)]
fn report(error: &dyn Error) {
    eprint!("maas-server: {error}");
    let mut source = error.source();
    while let Some(cause) = source {
        eprint!(": {cause}");
        source = cause.source();
    }
    eprintln!();
}
