//! Runs of training as files.

mod content;
mod exact;
mod fault;
pub(crate) mod identity;
pub(crate) mod masks;

use std::fs;
use std::path::{Path, PathBuf};

pub(crate) use content::{Content, Place, Run, Stored, WatchState};
pub use fault::CheckpointFault;

use crate::{Error, Figure};

/// Where and how often a run of training is written to files from which it goes on with the same bits.
///
/// A checkpoint holds all that a run consists of: weights, masks and state, the optimiser's numbers, the place in the epoch
/// and in its order of rows, what metrics have gathered, the history, early stopping with its best weights, the states
/// of callbacks. [`Trainer::resume`](crate::Trainer::resume) then takes the steps that are left as if nothing had
/// happened, at any number of threads.
///
/// Files are called `checkpoint-` and the number of steps, are written beside and renamed, so that one that is there is
/// whole, and of them the last few are kept. A folder belongs to one run: files after more steps, which an earlier run
/// left, are removed. When one cannot be written, training ends with
/// [`Error::Checkpoint`] and the former one is as it was. One more is written when a callback or a
/// [`StopHandle`](crate::StopHandle) ends training.
///
/// ```
/// use maas_core::Seed;
/// use maas_data::Dataset;
/// use maas_nn::{MeanSquaredError, Sequential};
/// use maas_train::{Adam, Checkpoints, Event, Flow, Progress, Trainer};
/// use ndarray::Array2;
///
/// # let folder = std::env::temp_dir().join(format!("maas-checkpoints-{}", std::process::id()));
/// let x = Array2::from_shape_fn((50, 2), |(row, column)| ((row * 7 + column * 13) % 20) as f32);
/// let y = Array2::from_shape_fn((50, 1), |(row, _)| 2.0 * x[[row, 0]] - x[[row, 1]]);
/// let data = Dataset::new(x.view(), y.view())?;
/// let network = Sequential::new(data.features()).dense(4).tanh().dense(1).build(Seed(7))?;
/// let trainer = Trainer::new(Adam::new(1e-2), MeanSquaredError)
///     .epochs(3)
///     .batch_size(8)
///     .checkpoints(Checkpoints::new(&folder).every_steps(2))
///     .progress(Progress::Quiet);
///
/// let mut straight = network.clone();
/// trainer.fit(&mut straight, &data)?;
///
/// let mut stopped = network.clone();
/// let stopping = trainer.clone().on(Event::BatchEnd, |training| {
///     if training.steps_taken == 9 { Flow::Stop } else { Flow::Continue }
/// });
/// assert!(stopping.fit(&mut stopped, &data)?.is_interrupted());
///
/// let mut resumed = network;
/// let history = trainer.resume(&mut resumed, &data, folder.join("checkpoint-0000000009.safetensors"))?;
/// assert_eq!(history.epochs.len(), 3);
/// assert_eq!(resumed.parameters(), straight.parameters());
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Checkpoints {
    folder: PathBuf,
    epochs: Option<usize>,
    steps: Option<u64>,
    keep: usize,
    best: Option<Figure>,
}

impl Checkpoints {
    /// One an epoch into this folder, which is made where it is not there; the last three are kept.
    ///
    /// ```
    /// let checkpoints = maas_train::Checkpoints::new("checkpoints");
    /// ```
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            epochs: Some(1),
            steps: None,
            keep: 3,
            best: None,
        }
    }

    /// One after every `epochs` epochs; 0 for none.
    ///
    /// ```
    /// let checkpoints = maas_train::Checkpoints::new("checkpoints").every_epochs(10);
    /// ```
    pub fn every_epochs(self, epochs: usize) -> Self {
        Self {
            epochs: (epochs > 0).then_some(epochs),
            ..self
        }
    }

    /// One after every `steps` steps as well; 0 for none.
    ///
    /// ```
    /// let checkpoints = maas_train::Checkpoints::new("checkpoints").every_epochs(0).every_steps(500);
    /// ```
    pub fn every_steps(self, steps: u64) -> Self {
        Self {
            steps: (steps > 0).then_some(steps),
            ..self
        }
    }

    /// Keep the last `files`, at least one.
    ///
    /// ```
    /// let checkpoints = maas_train::Checkpoints::new("checkpoints").keep(10);
    /// ```
    pub fn keep(self, files: usize) -> Self {
        Self {
            keep: files.max(1),
            ..self
        }
    }

    /// Keep the one after the epoch with the best figure too, as `best.safetensors`.
    ///
    /// ```
    /// use maas_train::{Checkpoints, Figure};
    /// let checkpoints = Checkpoints::new("checkpoints").keep_best(Figure::ValidationLoss);
    /// ```
    pub fn keep_best(self, figure: Figure) -> Self {
        Self {
            best: Some(figure),
            ..self
        }
    }

    /// The newest checkpoint in a folder: that of the most steps. `None` where there is none, or no folder.
    ///
    /// ```
    /// assert_eq!(maas_train::Checkpoints::latest("no/such/folder")?, None);
    /// # Ok::<(), maas_train::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Checkpoint`] when the folder cannot be read.
    pub fn latest(folder: impl AsRef<Path>) -> Result<Option<PathBuf>, Error> {
        let folder = folder.as_ref();
        if !folder.is_dir() {
            return Ok(None);
        }
        Ok(numbered(folder)?.pop().map(|(_, path)| path))
    }

    pub(crate) fn best(&self) -> Option<&Figure> {
        self.best.as_ref()
    }

    pub(crate) fn due_after_step(&self, steps: u64) -> bool {
        self.steps.is_some_and(|every| steps.is_multiple_of(every))
    }

    pub(crate) fn due_after_epoch(&self, epoch: usize) -> bool {
        self.epochs.is_some_and(|every| epoch.is_multiple_of(every))
    }

    /// Writes the checkpoint after so many steps, and removes those that are no longer to be kept.
    pub(crate) fn write(&self, steps: u64, content: &Content<'_>) -> Result<(), Error> {
        self.write_as(&format!("{PREFIX}{steps:010}.{EXTENSION}"), content)?;
        let files = numbered(&self.folder)?;
        let written = files.iter().filter(|(of, _)| *of <= steps).count();
        let old = written.saturating_sub(self.keep);
        for (index, (_, path)) in files.iter().enumerate() {
            if index < old || index >= written {
                // One that cannot be removed does no harm.
                let _ = fs::remove_file(path);
            }
        }
        Ok(())
    }

    pub(crate) fn write_best(&self, content: &Content<'_>) -> Result<(), Error> {
        self.write_as(&format!("best.{EXTENSION}"), content)
    }

    fn write_as(&self, name: &str, content: &Content<'_>) -> Result<(), Error> {
        let path = self.folder.join(name);
        fs::create_dir_all(&self.folder)
            .and_then(|()| maas_core::write_atomically(&path, |file| content.write(file)))
            .map_err(|source| CheckpointFault::Write(source).at(path))
    }
}

const PREFIX: &str = "checkpoint-";
const EXTENSION: &str = "safetensors";

/// The checkpoints of a folder by steps, ascending.
fn numbered(folder: &Path) -> Result<Vec<(u64, PathBuf)>, Error> {
    let failed = |source| CheckpointFault::Read(source).at(folder);
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let steps = path
            .file_name()
            .and_then(|name| name.to_str())
            .and_then(|name| name.strip_prefix(PREFIX)?.strip_suffix(".safetensors"))
            .and_then(|steps| steps.parse().ok());
        if let Some(steps) = steps {
            files.push((steps, path));
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};

    use maas_core::Seed;
    use maas_nn::{Network, ProductPrecision, Sequential};

    use super::identity::{Identity, of_masks, of_network};
    use super::*;
    use crate::{Adam, History, Optimizer, OptimizerState};

    fn parts() -> (Network, OptimizerState, Identity, Run) {
        let network = Sequential::rows(3)
            .dense(4)
            .dense(1)
            .build(Seed(1))
            .unwrap();
        let optimizer = Optimizer::new(Adam::new(0.1), &network).unwrap().state();
        let identity = Identity {
            network: of_network(&network),
            masks: of_masks(&network),
            data: "rows".into(),
            loss: "loss".into(),
            metrics: String::new(),
            batch_size: 32,
            accumulate: 1,
            seed: 7,
            order: "shuffled".into(),
            precision: ProductPrecision::Bf16,
        };
        let mut place = Place::beginning(3);
        place.sum = f64::NAN;
        let run = Run {
            place,
            passes: 5,
            history: History::default(),
            watch: None,
            best: Some(f64::INFINITY),
            callbacks: vec![("c".into(), 1.into())],
        };
        (network, optimizer, identity, run)
    }

    fn content<'a>(
        (network, optimizer, identity, run): &'a (Network, OptimizerState, Identity, Run),
    ) -> Content<'a> {
        Content {
            identity,
            run,
            network,
            optimizer,
            meters: &[0.1, f64::NAN],
            weights: None,
        }
    }

    #[test]
    fn what_is_read_is_what_was_written() {
        let parts = parts();
        let mut bytes = Vec::new();
        content(&parts).write(&mut bytes).unwrap();
        let stored = Stored::parse(&bytes).unwrap();
        let weights = stored.numbers.weights(&parts.0).unwrap();
        assert_eq!(weights.parameters, parts.0.parameters());
        assert_eq!(stored.optimizer, parts.1);
        assert_eq!(stored.identity, parts.2);
        assert_eq!(stored.run.place.sum.to_bits(), f64::NAN.to_bits());
        assert_eq!(stored.run.best, Some(f64::INFINITY));
        assert!(stored.meters[1].is_nan() && stored.best.is_none());
    }

    /// A disk with room for so many bytes.
    struct Full<W> {
        file: W,
        left: usize,
    }

    impl<W: Write> Write for Full<W> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let part = &bytes[..bytes.len().min(self.left)];
            if part.is_empty() && !bytes.is_empty() {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.left -= part.len();
            self.file.write(part)
        }

        fn flush(&mut self) -> io::Result<()> {
            self.file.flush()
        }
    }

    #[test]
    fn a_disk_that_is_full_anywhere_leaves_the_former_file() {
        let parts = parts();
        let mut bytes = Vec::new();
        content(&parts).write(&mut bytes).unwrap();
        let name = format!("maas-full-disk-{}.safetensors", std::process::id());
        let path = std::env::temp_dir().join(name);
        maas_core::write_atomically(&path, |file| file.write_all(b"the former one")).unwrap();
        for left in (0..bytes.len()).step_by(53) {
            let error = maas_core::write_atomically(&path, |file| {
                content(&parts).write(&mut Full { file, left })
            })
            .unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::StorageFull);
            assert_eq!(std::fs::read(&path).unwrap(), b"the former one");
        }
        std::fs::remove_file(path).unwrap();
    }
}
