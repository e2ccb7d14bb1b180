//! A run that is broken off and gone on with has the bits of one that was not.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

mod common;

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use common::{classification, classifier, regression, regressor};
use maas_core::Seed;
use maas_data::{Augmentation, Dataset, InMemory, WeightedSampler};
use maas_kernels::Parallelism;
use maas_nn::{CategoricalCrossEntropy, Huber, MeanSquaredError, Network, Sequential};
use maas_train::{
    AbsoluteError, Adam, AverageWeights, Callback, Chain, CheckpointFault, Checkpoints,
    EarlyStopping, Ending, Error, Event, Figure, Flow, History, LearningRate, LookAhead, Plateau,
    ProductPrecision, Progress, R2, Sgd, StopHandle, Trainer, Training,
};
use proptest::prelude::*;

/// A folder of its own, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("maas-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        Self(path)
    }

    fn files(&self) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(&self.0)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Everything of a history but its times.
fn figures(history: &History) -> String {
    let mut history = history.clone();
    for record in &mut history.epochs {
        record.seconds = 0.0;
    }
    format!("{history:?}")
}

fn bits(network: &Network) -> (Vec<u32>, u64) {
    let parameters = network.parameters().iter().map(|x| x.to_bits()).collect();
    (parameters, network.fingerprint())
}

#[derive(Clone, Copy, Debug)]
enum Supply {
    Memory,
    Stream(usize),
}

fn fit(trainer: &Trainer<'_>, network: &mut Network, data: &Dataset, supply: Supply) -> History {
    match supply {
        Supply::Memory => trainer.fit(network, data).unwrap(),
        Supply::Stream(rows) => {
            let source = InMemory::new(data.clone(), rows);
            trainer.fit_source(network, &source).unwrap()
        }
    }
}

fn resume(
    trainer: &Trainer<'_>,
    network: &mut Network,
    data: &Dataset,
    supply: Supply,
    from: &Path,
) -> History {
    match supply {
        Supply::Memory => trainer.resume(network, data, from).unwrap(),
        Supply::Stream(rows) => {
            let source = InMemory::new(data.clone(), rows);
            trainer.resume_source(network, &source, from).unwrap()
        }
    }
}

/// A network with noise in training, whose bits depend on the number of the step.
fn noisy(data: &Dataset) -> Network {
    Sequential::new(data.features())
        .normalize(data)
        .dense(12)
        .relu()
        .dropout(0.3)
        .dense(1)
        .build(Seed(3))
        .unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn any_step_is_as_good_as_another_to_stop_at(
        stop in 1_u64..28,
        accumulate in 1_usize..4,
        stream in proptest::option::of(5_usize..40),
        (before, after) in (1_usize..5, 1_usize..5),
        weighted in any::<bool>(),
        drawn in any::<bool>(),
        link in 0..4,
        precision in prop_oneof![Just(ProductPrecision::F32), Just(ProductPrecision::Bf16)],
    ) {
        let name = format!("any-{stop}-{accumulate}-{stream:?}-{before}-{after}-{weighted}-{drawn}-{link}-{precision}");
        let folder = Folder::new(&name);
        let data = regression(70);
        let data = if weighted {
            let weights: Vec<f32> = (0..70).map(|row| (row % 3) as f32).collect();
            data.weighted(weights).unwrap()
        } else {
            data
        };
        let validation = regression(20);
        let supply = stream.map_or(Supply::Memory, Supply::Stream);
        let plateau = Plateau::default().factor(0.5).patience(1).monitor(Figure::validation("r2"));
        let adam = Chain::from(Adam::new(LearningRate::cosine(3e-2).on_plateau(plateau)));
        let chain = match link {
            0 => adam,
            1 => adam.then(AverageWeights::new(0.8)),
            2 => adam.then(LookAhead::new(3, 0.5)),
            _ => adam.then(LookAhead::new(2, 0.7)).then(AverageWeights::new(0.5)),
        };
        let weights: Vec<f32> = (0..70).map(|row| (row % 4) as f32).collect();
        let sampler = WeightedSampler::new(&weights, Seed(5)).unwrap();
        let jitter = Augmentation::new(|row, random| {
            row.numbers().iter_mut().for_each(|value| *value += random.between(-0.05..0.05));
        });
        let trainer = |threads: usize| {
            let trainer = Trainer::new(chain.clone(), MeanSquaredError)
                .epochs(4)
                .batch_size(11)
                .accumulate(accumulate)
                .precision(precision)
                .validation(&validation)
                .metric(R2)
                .metric(AbsoluteError)
                .early_stopping(EarlyStopping::new(2))
                .augment(jitter.clone())
                .seed(Seed(11))
                .parallelism(Parallelism::threads(NonZeroUsize::new(threads).unwrap()))
                .progress(Progress::Quiet);
            if drawn && stream.is_none() {
                trainer.order(sampler.clone())
            } else {
                trainer
            }
        };
        let mut straight = noisy(&data);
        let expected = fit(&trainer(1), &mut straight, &data, supply);

        let mut broken = noisy(&data);
        let handle = StopHandle::new();
        let stopping = trainer(before)
            .checkpoints(Checkpoints::new(&folder.0))
            .stop(&handle)
            .on(Event::BatchEnd, |training| {
                if training.steps_taken == stop {
                    handle.stop();
                }
            });
        let first = fit(&stopping, &mut broken, &data, supply);

        let mut resumed = noisy(&data);
        resumed.parameters_mut().fill(0.5);
        let history = resume(&trainer(after), &mut resumed, &data, supply, &folder.0);
        prop_assert_eq!(figures(&history), figures(&expected));
        prop_assert_eq!(bits(&resumed), bits(&straight));
        if !first.is_interrupted() {
            prop_assert_eq!(bits(&broken), bits(&straight));
        }
    }
}

fn quiet<'a>(folder: &Folder) -> Trainer<'a> {
    Trainer::new(Adam::new(1e-2), MeanSquaredError)
        .epochs(3)
        .batch_size(16)
        .seed(Seed(5))
        .checkpoints(Checkpoints::new(&folder.0))
        .progress(Progress::Quiet)
}

#[test]
fn the_last_few_and_the_best_are_kept() {
    let folder = Folder::new("kept");
    let data = regression(40);
    let mut best = Vec::new();
    let trainer = quiet(&folder)
        .epochs(7)
        .validation(&data)
        .checkpoints(
            Checkpoints::new(&folder.0)
                .every_epochs(2)
                .every_steps(5)
                .keep(2)
                .keep_best(Figure::ValidationLoss),
        )
        .on_epoch(|record| best.push(record.validation_loss.unwrap()));
    trainer.fit(&mut regressor(&data), &data).unwrap();
    drop(trainer);
    let names = [
        "best.safetensors",
        "checkpoint-0000000018.safetensors",
        "checkpoint-0000000020.safetensors",
    ];
    assert_eq!(folder.files(), names);
    let lowest = (0..7).min_by(|&a, &b| best[a].total_cmp(&best[b])).unwrap();
    // It goes on after the best epoch.
    let mut network = regressor(&data);
    let trainer = quiet(&folder).epochs(lowest + 1).validation(&data);
    let history = trainer
        .resume(&mut network, &data, folder.0.join(names[0]))
        .unwrap();
    assert_eq!(history.epochs.len(), lowest + 1);
    assert_eq!(
        trainer.evaluate(&network, &data).unwrap().loss,
        best[lowest]
    );
}

#[test]
fn a_run_that_is_over_is_over() {
    let folder = Folder::new("over");
    let data = regression(40);
    let mut network = regressor(&data);
    let history = quiet(&folder).fit(&mut network, &data).unwrap();
    let mut again = regressor(&data);
    let resumed = quiet(&folder).resume(&mut again, &data, &folder.0).unwrap();
    assert_eq!(resumed, history);
    assert_eq!(bits(&again), bits(&network));
    // More epochs are a longer run.
    let longer = quiet(&folder).epochs(5);
    let history = longer.resume(&mut again, &data, &folder.0).unwrap();
    let mut straight = regressor(&data);
    let expected = longer.fit(&mut straight, &data).unwrap();
    assert_eq!(figures(&history), figures(&expected));
    assert_eq!(bits(&again), bits(&straight));
}

fn refused(
    trainer: &Trainer<'_>,
    network: &Network,
    data: &Dataset,
    from: &Path,
) -> CheckpointFault {
    let mut copy = network.clone();
    let error = trainer.resume(&mut copy, data, from).unwrap_err();
    assert_eq!(bits(&copy), bits(network), "{error}");
    match error {
        Error::Checkpoint { source, .. } => source,
        error => panic!("{error}"),
    }
}

#[test]
fn what_belongs_to_something_else_is_refused() {
    let folder = Folder::new("other");
    let data = regression(40);
    let network = regressor(&data);
    quiet(&folder).fit(&mut network.clone(), &data).unwrap();
    let other = |fault: CheckpointFault| match fault {
        CheckpointFault::Other { what, .. } => what,
        fault => panic!("{fault}"),
    };
    let at = &folder.0;
    assert_eq!(
        other(refused(&quiet(&folder), &noisy(&data), &data, at)),
        "network"
    );
    let mut masked = network.clone();
    masked
        .set_mask("dense.kernel", maas_nn::Mask::from_fn(80, |i| i % 2 == 0))
        .unwrap();
    assert_eq!(
        other(refused(&quiet(&folder), &masked, &data, at)),
        "set of masks"
    );
    let rows = data.select(&(0..40).rev().collect::<Vec<_>>()).unwrap();
    assert_eq!(
        other(refused(&quiet(&folder), &network, &rows, at)),
        "data set"
    );
    let weighted = data.clone().weighted(vec![0.5; 40]).unwrap();
    assert_eq!(
        other(refused(&quiet(&folder), &network, &weighted, at)),
        "data set"
    );
    assert_eq!(
        other(refused(&quiet(&folder).batch_size(8), &network, &data, at)),
        "batch size"
    );
    assert_eq!(
        other(refused(&quiet(&folder).accumulate(2), &network, &data, at)),
        "number of batches a step"
    );
    assert_eq!(
        other(refused(&quiet(&folder).seed(Seed(6)), &network, &data, at)),
        "seed"
    );
    assert_eq!(
        other(refused(&quiet(&folder).in_order(), &network, &data, at)),
        "order of rows"
    );
    let narrow = quiet(&folder).precision(ProductPrecision::Bf16);
    assert_eq!(other(refused(&narrow, &network, &data, at)), "precision");
    assert_eq!(
        other(refused(&quiet(&folder).metric(R2), &network, &data, at)),
        "list of metrics"
    );
    let huber = Trainer::new(Adam::new(1e-2), Huber::new(1.0))
        .batch_size(16)
        .seed(Seed(5));
    assert_eq!(other(refused(&huber, &network, &data, at)), "loss");
    let sgd = Trainer::new(Sgd::new(1e-2).momentum(0.9), MeanSquaredError)
        .batch_size(16)
        .seed(Seed(5));
    assert!(matches!(
        refused(&sgd, &network, &data, at),
        CheckpointFault::Optimizer(_)
    ));
}

#[test]
fn damaged_files_are_refused() {
    let folder = Folder::new("damaged");
    let data = regression(40);
    let network = regressor(&data);
    let trainer = quiet(&folder);
    let empty = folder.0.join("none");
    assert!(matches!(
        refused(&trainer, &network, &data, &empty),
        CheckpointFault::Read(_)
    ));
    std::fs::create_dir_all(&empty).unwrap();
    assert!(matches!(
        refused(&trainer, &network, &data, &empty),
        CheckpointFault::None
    ));
    trainer.fit(&mut network.clone(), &data).unwrap();
    let path = Checkpoints::latest(&folder.0).unwrap().unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let file = folder.0.join("damaged.safetensors");
    for length in (0..bytes.len()).step_by(97) {
        std::fs::write(&file, &bytes[..length]).unwrap();
        assert!(matches!(
            refused(&trainer, &network, &data, &file),
            CheckpointFault::File(_)
        ));
    }
    for index in (0..bytes.len()).step_by(61) {
        let mut flipped = bytes.clone();
        flipped[index] ^= 0x10;
        std::fs::write(&file, &flipped).unwrap();
        let fault = refused(&trainer, &network, &data, &file);
        assert!(
            matches!(
                fault,
                CheckpointFault::File(_) | CheckpointFault::Format { .. }
            ),
            "{index}: {fault}"
        );
    }
    network.save(&file).unwrap();
    assert!(matches!(
        refused(&trainer, &network, &data, &file),
        CheckpointFault::Format { key: "format", .. }
    ));
    let version = br#""version":"1""#;
    let text = (0..bytes.len())
        .find(|&at| bytes[at..].starts_with(version))
        .unwrap();
    let mut newer = bytes.clone();
    newer[text + 11] = b'2';
    std::fs::write(&file, &newer).unwrap();
    assert!(matches!(
        refused(&trainer, &network, &data, &file),
        CheckpointFault::Format { key: "version", found: Some(found), .. } if found == "2"
    ));
}

#[test]
fn a_folder_that_cannot_be_is_an_error_and_leaves_the_network_at_a_step() {
    let folder = Folder::new("blocked");
    std::fs::write(&folder.0, "a file where the folder is to be").unwrap();
    let data = regression(40);
    let mut network = regressor(&data);
    let error = quiet(&folder).fit(&mut network, &data).unwrap_err();
    assert!(
        matches!(
            &error,
            Error::Checkpoint {
                source: CheckpointFault::Write(_),
                ..
            }
        ),
        "{error}"
    );
    assert!(network.parameters().iter().all(|x| x.is_finite()));
    std::fs::remove_file(&folder.0).unwrap();
}

/// A limit on the size of files stands for a disk that is full: writing fails in the middle.
#[cfg(unix)]
#[test]
fn a_full_disk_leaves_the_former_checkpoint_whole() {
    const CHILD: &str = "MAAS_TEST_FULL_DISK";
    let data = classification(200);
    let network = classifier(&data);
    let trainer = |folder: &Path| {
        Trainer::new(Adam::new(1e-2), CategoricalCrossEntropy)
            .epochs(2)
            .seed(Seed(5))
            .checkpoints(Checkpoints::new(folder))
            .progress(Progress::Quiet)
    };
    if let Ok(folder) = std::env::var(CHILD) {
        // The history grows with each epoch, so the second file does not fit.
        let error = trainer(Path::new(&folder))
            .epochs(400)
            .fit(&mut network.clone(), &data)
            .unwrap_err();
        assert!(
            matches!(
                &error,
                Error::Checkpoint {
                    source: CheckpointFault::Write(_),
                    ..
                }
            ),
            "{error}"
        );
        return;
    }
    let folder = Folder::new("full");
    let this = std::env::current_exe().unwrap();
    let name = "a_full_disk_leaves_the_former_checkpoint_whole";
    let status = std::process::Command::new("sh")
        .args([
            "-c",
            "trap '' XFSZ; ulimit -f 16; exec \"$0\" \"$1\" --exact --nocapture",
        ])
        .arg(&this)
        .arg(name)
        .env(CHILD, &folder.0)
        .stdout(std::process::Stdio::null())
        .status()
        .unwrap();
    assert!(status.success(), "{status}");
    let files = folder.files();
    assert!(
        !files.is_empty() && files.iter().all(|name| name.starts_with("checkpoint-")),
        "{files:?}"
    );
    let mut resumed = network.clone();
    let history = trainer(&folder.0)
        .epochs(401)
        .checkpoints(Checkpoints::new(folder.0.join("more")).every_epochs(0))
        .resume(&mut resumed, &data, &folder.0)
        .unwrap();
    assert_eq!(
        (history.epochs.len(), history.ending),
        (401, Ending::Completed)
    );
}

/// Counts epochs, across runs.
#[derive(Debug, Default)]
struct Counter(u64);

impl Callback for Counter {
    fn name(&self) -> &str {
        "counter"
    }

    fn epoch_end(
        &mut self,
        training: &Training<'_>,
    ) -> Result<Flow, Box<dyn std::error::Error + Send + Sync>> {
        self.0 += 1;
        Ok(if training.epoch == 2 {
            Flow::Stop
        } else {
            Flow::Continue
        })
    }

    fn state(&self) -> serde_json::Value {
        self.0.into()
    }

    fn restore(
        &mut self,
        state: &serde_json::Value,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        self.0 = state.as_u64().ok_or("no number")?;
        Ok(())
    }
}

#[test]
fn callbacks_keep_their_state() {
    let folder = Folder::new("callbacks");
    let data = regression(40);
    let mut counter = Counter::default();
    let history = quiet(&folder)
        .callback(&mut counter)
        .fit(&mut regressor(&data), &data)
        .unwrap();
    assert_eq!(
        history.ending,
        Ending::Callback {
            name: "counter".into()
        }
    );
    assert_eq!(counter.0, 2);
    let mut other = Counter::default();
    quiet(&folder)
        .callback(&mut other)
        .resume(&mut regressor(&data), &data, &folder.0)
        .unwrap();
    assert_eq!(other.0, 3);
}
