use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Builder, JoinHandle};

use super::checked::{Checked, PassRows};
use super::{Chunks, Schema, Source};
use crate::{Dataset, Error};

/// A source that is read ahead on a thread and checked: every chunk has the [`Schema`], every pass the same number of
/// rows.
///
/// At most [`Prefetch::ahead`] chunks wait while one is in use, whatever the source holds. What goes wrong on the
/// thread, a panic too, arrives as an error in the place of the chunk, after which the pass is over. Dropping the
/// iterator of a pass ends its thread and waits until it has ended.
///
/// ```
/// use maas_data::{Dataset, InMemory, Prefetch, Source};
/// use ndarray::Array2;
///
/// let data = Dataset::new(Array2::zeros((10, 3)).view(), Array2::zeros((10, 1)).view())?;
/// let source = Prefetch::new(InMemory::new(data, 4)).ahead(3);
/// let rows: Result<Vec<usize>, _> = source.open(0)?.map(|chunk| Ok::<_, maas_data::Error>(chunk?.rows())).collect();
/// assert_eq!(rows?, [4, 4, 2]);
/// # Ok::<(), maas_data::Error>(())
/// ```
#[derive(Debug)]
#[must_use]
pub struct Prefetch<S> {
    source: S,
    ahead: usize,
    pass: PassRows,
}

impl<S: Source> Prefetch<S> {
    /// Reads two chunks ahead.
    ///
    /// ```
    /// # use {maas_data::{Dataset, InMemory, Prefetch, Source}, ndarray::array};
    /// # let data = Dataset::new(array![[1.0_f32]].view(), array![[1.0_f32]].view())?;
    /// assert_eq!(Prefetch::new(InMemory::new(data, 1)).rows(), Some(1));
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn new(source: S) -> Self {
        let pass = PassRows::new(source.rows());
        Self {
            source,
            ahead: 2,
            pass,
        }
    }

    /// Reads this many chunks ahead; with 0 there is no thread, and a panic of the source is a panic.
    ///
    /// ```
    /// # use {maas_data::{Dataset, InMemory, Prefetch, Source}, ndarray::array};
    /// # let data = Dataset::new(array![[1.0_f32]].view(), array![[1.0_f32]].view())?;
    /// assert_eq!(Prefetch::new(InMemory::new(data, 1)).ahead(0).open(0)?.count(), 1);
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn ahead(mut self, chunks: usize) -> Self {
        self.ahead = chunks;
        self
    }
}

impl<S: Source> Source for Prefetch<S> {
    fn schema(&self) -> &Schema {
        self.source.schema()
    }

    /// As the source says, else as many as the first whole pass had.
    fn rows(&self) -> Option<u64> {
        self.pass.get()
    }

    /// # Errors
    /// Those of the source, and [`Error::Thread`] when there can be no thread. While the pass is read:
    /// [`Error::Chunk`] with what the source said, [`Error::ChunkSchema`], [`Error::EarlyEnd`] and [`Error::LateEnd`],
    /// [`Error::NoRows`], [`Error::ReaderPanicked`].
    fn open(&self, epoch: u64) -> Result<Chunks, Error> {
        let chunks = self.source.open(epoch)?;
        let checked = Checked::new(chunks, self.schema().clone(), self.pass.clone());
        let Some(waiting) = self.ahead.checked_sub(1) else {
            return Ok(Box::new(checked));
        };
        // The thread itself holds one chunk until there is room for it.
        let (sender, receiver) = sync_channel(waiting);
        let thread = Builder::new()
            .name("maas-prefetch".to_owned())
            .spawn(move || read(checked, &sender))
            .map_err(Error::Thread)?;
        Ok(Box::new(Stream {
            receiver: Some(receiver),
            thread: Some(thread),
        }))
    }
}

/// Sends chunks until there are no more, or nobody waits for them.
fn read(mut chunks: Checked, sender: &SyncSender<Result<Dataset, Error>>) {
    loop {
        let chunk = chunks.chunk();
        let item = match catch_unwind(AssertUnwindSafe(|| chunks.next())) {
            Ok(Some(item)) => item,
            Ok(None) => return,
            Err(panic) => Err(Error::ReaderPanicked {
                chunk,
                message: message(panic.as_ref()),
            }),
        };
        let last = item.is_err();
        if sender.send(item).is_err() || last {
            return;
        }
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default()
}

struct Stream {
    receiver: Option<Receiver<Result<Dataset, Error>>>,
    thread: Option<JoinHandle<()>>,
}

impl Iterator for Stream {
    type Item = Result<Dataset, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.receiver.as_ref()?.recv().ok()
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        // A thread that waits for room learns that nobody reads on.
        self.receiver = None;
        if let Some(thread) = self.thread.take() {
            // Panics of the source were caught; one of its destructor has nobody left to tell.
            let _ = thread.join();
        }
    }
}
