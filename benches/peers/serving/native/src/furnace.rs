//! furnace-server with the network: `furnace FILE PORT GRPC-PORT [MAX-BATCH WORKERS]`.

mod network;

use std::path::Path;

use anyhow::{Context, Result, bail};
use furnace::{HostTensor, IoSpec, Model, Server, TensorModel, Values};
use network::{Answers, COLUMNS};

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, port, grpc, batching @ ..] = &arguments[..] else {
        bail!("expected FILE PORT GRPC-PORT [MAX-BATCH WORKERS]");
    };
    let port: u16 = port.parse().context("PORT")?;
    let grpc: u16 = grpc.parse().context("GRPC-PORT")?;
    let mut server = Server::new().port(port);
    server = server.configure(|config| config.grpc_port = Some(grpc));
    if let [most, workers] = batching {
        let workers: usize = workers.parse().context("WORKERS")?;
        server = server.max_batch_size(most.parse().context("MAX-BATCH")?);
        server = server.configure(|config| config.batching.workers = workers);
    }
    let wine = Wine(Answers::load(Path::new(file))?);
    server.model(Model::custom(wine)).serve().await?;
    Ok(())
}

#[derive(Debug)]
struct Wine(Answers);

impl TensorModel for Wine {
    fn name(&self) -> &str {
        "wine"
    }

    fn backend(&self) -> &str {
        "cpu"
    }

    fn inputs(&self) -> Vec<IoSpec> {
        vec![IoSpec::fp32("x", &[COLUMNS])]
    }

    fn outputs(&self) -> Vec<IoSpec> {
        vec![IoSpec::fp32("output", &[1])]
    }

    fn run(&self, inputs: Vec<HostTensor>) -> furnace::Result<Vec<HostTensor>> {
        let Values::F32(rows) = &inputs[0].values else {
            unreachable!("furnace has checked the input");
        };
        let answers = self
            .0
            .with(rows, <[f32]>::to_vec)
            .expect("rows fit the network");
        Ok(vec![HostTensor {
            shape: vec![answers.len(), 1],
            values: Values::F32(answers),
        }])
    }
}
