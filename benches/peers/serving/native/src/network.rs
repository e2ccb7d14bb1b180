//! The network that all the servers here have, behind whichever interface.

use std::cell::RefCell;
use std::path::Path;

use anyhow::{Context as _, Result};
use maas_core::{Context, Model, Outputs, TensorView};
use maas_nn::Network;

pub(crate) const COLUMNS: usize = 11;

/// The rows that a thread has room for from the start.
const ROWS: usize = 64;

#[derive(Debug)]
pub(crate) struct Answers(Network);

type Room = Option<(Context, Outputs<'static>)>;

thread_local! {
    static ROOM: RefCell<Room> = const { RefCell::new(None) };
}

impl Answers {
    pub(crate) fn load(path: &Path) -> Result<Self> {
        Ok(Self(Network::load(path)?))
    }

    /// Hands the answer of each row to `then`; a thread keeps what calls need.
    pub(crate) fn with<T>(&self, values: &[f32], then: impl FnOnce(&[f32]) -> T) -> Result<T> {
        ROOM.with_borrow_mut(|room| {
            let (context, outputs) = match room {
                Some(room) => room,
                None => room.insert((Context::of(&self.0, ROWS)?, Outputs::new())),
            };
            let shape = [values.len() / COLUMNS, COLUMNS];
            let rows = TensorView::from_slice(&shape, values)?;
            Model::predict(&self.0, &[rows], outputs, context)?;
            let answer = outputs.get(0).context("a network has an output")?;
            Ok(then(answer.as_slice()?))
        })
    }
}
