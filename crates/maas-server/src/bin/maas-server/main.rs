//! Serves models from files, for those who do not write Rust.

mod arguments;
mod certificates;
mod formats;
mod loading;

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use maas_server::Server;
use maas_server::inside::with_causes;
use tokio::runtime::Builder;

use arguments::Arguments;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    arguments.log.start();
    match serve(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(&*error);
            ExitCode::FAILURE
        }
    }
}

fn serve(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    // Signals are heard on this thread: models run on others.
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let ended = runtime.block_on(run(arguments));
    // A file that is still being read keeps nobody waiting.
    runtime.shutdown_background();
    ended
}

/// Listens first, so that it can be reached while it loads its models; it is ready when they are there.
async fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let models = loading::models(&arguments)?;
    let starting = models.starting();
    let server = Server::new().models(models.clone());
    let mut server = arguments.limits.of(server.bind(&*arguments.address));
    for key in arguments.access.keys()? {
        server = server.key(key);
    }
    if let Some(files) = arguments.access.certificates() {
        let tls = files.tls()?;
        tokio::spawn(files.follow(tls.clone(), RENEWAL));
        server = server.tls(tls);
    }
    let server = server.run_in_background()?;
    let (url, address) = (server.url(), server.addr());
    // Who reads that it serves may end it in order.
    let mut ending = Box::pin(server.until_signal());
    tracing::info!(url, "serving");
    if arguments.access.is_open() && !address.ip().is_loopback() {
        tracing::warn!("everybody who reaches this address may ask: --keys says who may");
    }
    let named = models.clone();
    let loading = tokio::task::spawn_blocking(move || loading::load(&named, &arguments));
    tokio::select! {
        ended = &mut ending => return Ok(ended?),
        loaded = loading => loaded?.map_err(|error| -> Box<dyn Error> { error })?,
    }
    drop(starting);
    if models.names().is_empty() {
        tracing::warn!("no model is served");
    }
    tracing::info!(url, "ready");
    Ok(ending.await?)
}

/// How often it is looked whether the certificate is another one.
const RENEWAL: Duration = Duration::from_secs(2);

#[expect(
    clippy::print_stderr,
    reason = "the user sees it before there is a log"
)]
fn report(error: &dyn Error) {
    eprintln!("maas-server: {}", with_causes(error));
}
