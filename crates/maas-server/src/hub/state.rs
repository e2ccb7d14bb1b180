//! What is happening to versions that are not there yet or not any more.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use maas_service::Retired;

/// A version of a model that a server has, or that it could load.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ModelIndex {
    /// The model's name.
    pub name: String,
    /// The version; empty where a model was never loaded.
    pub version: String,
    /// Whether it is served.
    pub state: ModelState,
    /// Why it is not.
    pub reason: String,
}

/// Whether a version of a model is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ModelState {
    /// It is.
    Ready,
    /// It will be.
    Loading,
    /// It was, and finishes the requests that it has.
    Unloading,
    /// It is not.
    Unavailable,
}

impl ModelState {
    /// The word of the Open Inference Protocol.
    ///
    /// ```
    /// assert_eq!(maas_server::ModelState::Ready.name(), "READY");
    /// ```
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ready => "READY",
            Self::Loading => "LOADING",
            Self::Unloading => "UNLOADING",
            Self::Unavailable => "UNAVAILABLE",
        }
    }
}

/// By model and version.
#[derive(Debug, Default)]
pub(super) struct States(Mutex<BTreeMap<(String, String), State>>);

#[derive(Debug)]
enum State {
    Loading,
    Unloading(Retired),
    Failed(String),
    Unloaded,
}

impl States {
    pub(super) fn loading(&self, model: &str, version: &str) {
        self.set(model, version, State::Loading);
    }

    pub(super) fn failed(&self, model: &str, version: &str, reason: String) {
        self.set(model, version, State::Failed(reason));
    }

    pub(super) fn unloading(&self, model: &str, version: &str, retired: Retired) {
        self.set(model, version, State::Unloading(retired));
    }

    pub(super) fn served(&self, model: &str, version: &str) {
        self.lock().remove(&key(model, version));
    }

    pub(super) fn read(&self) -> Vec<ModelIndex> {
        let mut states = self.lock();
        for state in states.values_mut() {
            if let State::Unloading(retired) = state
                && retired.is_over()
            {
                *state = State::Unloaded;
            }
        }
        let entries = states.iter().map(|((name, version), state)| {
            let (state, reason) = match state {
                State::Loading => (ModelState::Loading, String::new()),
                State::Unloading(_) => (ModelState::Unloading, "unloading".to_owned()),
                State::Failed(reason) => (ModelState::Unavailable, reason.clone()),
                State::Unloaded => (ModelState::Unavailable, "unloaded".to_owned()),
            };
            ModelIndex {
                name: name.clone(),
                version: version.clone(),
                state,
                reason,
            }
        });
        entries.collect()
    }

    fn set(&self, model: &str, version: &str, state: State) {
        self.lock().insert(key(model, version), state);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<(String, String), State>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(model: &str, version: &str) -> (String, String) {
    (model.to_owned(), version.to_owned())
}
