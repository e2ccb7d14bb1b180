//! Any bytes are a checkpoint or an error, and where they are no checkpoint the network is as it was. Bytes are tried as a file, and as
//! changes of a real one: a place, and what is written there.
#![no_main]

use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use maas_core::Seed;
use maas_data::Dataset;
use maas_nn::{MeanSquaredError, Network, Sequential};
use maas_train::{
    Adam, AverageWeights, Chain, Checkpoints, EarlyStopping, Error, Figure, Progress, R2, Trainer,
};
use ndarray::Array2;

struct Run {
    data: Dataset,
    network: Network,
    file: PathBuf,
    bytes: Vec<u8>,
}

fn trainer<'a>() -> Trainer<'a> {
    Trainer::new(Chain::from(Adam::new(1e-2)).then(AverageWeights::new(0.9)), MeanSquaredError)
        .epochs(2)
        .batch_size(4)
        .metric(R2)
        .early_stopping(EarlyStopping::new(3).monitor(Figure::Loss))
        .progress(Progress::Quiet)
}

fn run() -> &'static Run {
    static RUN: OnceLock<Run> = OnceLock::new();
    RUN.get_or_init(|| {
        let x = Array2::from_shape_fn((10, 2), |(row, column)| (row * 3 + column) as f32 / 10.0);
        let y = Array2::from_shape_fn((10, 1), |(row, _)| row as f32 / 10.0);
        let data = Dataset::new(x.view(), y.view()).unwrap();
        let network = Sequential::rows(2).dense(3).batch_norm().tanh().dense(1).build(Seed(7));
        let network = network.unwrap();
        let folder = std::env::temp_dir().join(format!("maas-fuzz-{}", std::process::id()));
        let checkpoints = Checkpoints::new(&folder).every_steps(4);
        trainer().checkpoints(checkpoints).fit(&mut network.clone(), &data).unwrap();
        let file = Checkpoints::latest(&folder).unwrap().unwrap();
        let bytes = fs::read(&file).unwrap();
        Run { data, network, file: folder.join("tried"), bytes }
    })
}

fuzz_target!(|bytes: &[u8]| {
    let run = run();
    let mut changed = run.bytes.clone();
    for change in bytes.chunks_exact(3) {
        let at = usize::from(u16::from_le_bytes([change[0], change[1]])) % changed.len();
        changed[at] = change[2];
    }
    for tried in [bytes, &changed] {
        fs::write(&run.file, tried).unwrap();
        let mut network = run.network.clone();
        if let Err(error) = trainer().resume(&mut network, &run.data, &run.file) {
            assert_eq!(network.state(), run.network.state());
            if let Error::Checkpoint { .. } = error {
                assert_eq!(network.parameters(), run.network.parameters());
            }
        }
    }
});
