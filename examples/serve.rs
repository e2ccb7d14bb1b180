//! A saved model as a service: REST and gRPC on one port, metrics, and a page for people.
//!
//! `cargo run --release --example serve` serves until it is interrupted, with `-- --model FILE` another file and with `-- --once`
//! for one question only.

#![allow(clippy::print_stdout)]

#[path = "shared/wine.rs"]
mod wine;

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use maas::prelude::*;

fn main() -> Result<()> {
    let mut arguments = env::args().skip(1);
    let (mut once, mut file) = (false, None);
    while let Some(argument) = arguments.next() {
        match &*argument {
            "--once" => once = true,
            "--model" => {
                let given = arguments.next().context("--model needs a file")?;
                file = Some(PathBuf::from(given));
            }
            other => anyhow::bail!("expected --once or --model FILE, found `{other}`"),
        }
    }
    let file = match file {
        Some(file) => file,
        None => trained()?,
    };

    // Everything that a server needs to know is in the file: names, types and shapes, and how to compute.
    let model = CompressedNetwork::load(&file)
        .with_context(|| format!("{} is no model", file.display()))?;
    let address = if once {
        "127.0.0.1:0"
    } else {
        "127.0.0.1:8000"
    };
    let server = Server::new()
        .model("wine", Replicas::of(model, 3))
        .bind(address)
        .run_in_background()?;
    let url = server.url();
    println!("serving {} at {url}", file.display());
    println!("curl {url}/v2/models/wine");

    let client = Client::new(&url)?;
    let columns = client.describe("wine")?.signature.inputs()[0]
        .row_elements()
        .unwrap_or(0);
    let answer = client.infer("wine", maas::ndarray::Array2::zeros((1, columns)).view())?;
    println!("a row of {columns} zeros is answered {}", answer.rows()?);
    if once {
        ensure!(client.is_ready()?, "it answers and is not ready");
        return Ok(server.shutdown_blocking()?);
    }
    Ok(server.wait_blocking()?)
}

/// A small network on the Wine Quality data, in a file.
fn trained() -> Result<PathBuf> {
    let data = wine::data()?.split([0.7, 0.15, 0.15], Seed(7))?;
    let mut network = wine::network(&data.train)?;
    let trainer = wine::trainer().epochs(3);
    trainer.fit(&mut network, &data.train)?;
    let (compact, _) = Compressor::new(SoftThreshold::to_sparsity(0.9))
        .fine_tune(|network| trainer.fit(network, &data.train))
        .run(&mut network, &data.validation)?;
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/serve/wine.maas");
    std::fs::create_dir_all(file.parent().context("the file lies in a folder")?)?;
    compact.save(&file)?;
    Ok(file)
}
