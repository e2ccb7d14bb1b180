//! What passes work on.

use std::sync::{Mutex, PoisonError};

use maas_kernels::{Buffer, Divisible, Tables};

use super::options::Purpose;
use crate::Error;
use crate::layer::SavedSpec;
use crate::pass::{Kept, Saved};

/// Everything that belongs to some rows of a batch.
pub(super) struct Part<'a> {
    pub(super) values: Tables<'a, f32>,
    pub(super) ids: Tables<'a, i32>,
    pub(super) gradients: Tables<'a, f32>,
    pub(super) spares: Tables<'a, f32>,
    pub(super) saved: SavedPart<'a>,
    pub(super) scratch: Tables<'a, f32>,
}

/// What steps keep of some rows.
pub(super) struct SavedPart<'a> {
    pub(super) f32: Tables<'a, f32>,
    pub(super) u8: Tables<'a, u8>,
    pub(super) i32: Tables<'a, i32>,
}

/// What only passes over whole batches have.
pub(super) struct Whole<'a> {
    /// What each step keeps whatever the rows.
    pub(super) fixed: &'a mut [Buffer],
    pub(super) scratch: &'a mut [f32],
    /// By all parameters.
    pub(super) gradient: &'a mut [f32],
    pub(super) next_state: &'a mut [f32],
}

impl Part<'_> {
    pub(super) fn reborrow(&mut self) -> Part<'_> {
        Part {
            values: self.values.reborrow(),
            ids: self.ids.reborrow(),
            gradients: self.gradients.reborrow(),
            spares: self.spares.reborrow(),
            saved: SavedPart {
                f32: self.saved.f32.reborrow(),
                u8: self.saved.u8.reborrow(),
                i32: self.saved.i32.reborrow(),
            },
            scratch: self.scratch.reborrow(),
        }
    }
}

impl Divisible for Part<'_> {
    fn units(&self) -> usize {
        self.values.units()
    }

    fn divide(self, at: usize) -> (Self, Self) {
        let values = self.values.divide(at);
        let ids = self.ids.divide(at);
        let gradients = self.gradients.divide(at);
        let spares = self.spares.divide(at);
        let saved = self.saved.divide(at);
        let scratch = self.scratch.divide(at);
        let first = Self {
            values: values.0,
            ids: ids.0,
            gradients: gradients.0,
            spares: spares.0,
            saved: saved.0,
            scratch: scratch.0,
        };
        let rest = Self {
            values: values.1,
            ids: ids.1,
            gradients: gradients.1,
            spares: spares.1,
            saved: saved.1,
            scratch: scratch.1,
        };
        (first, rest)
    }
}

impl SavedPart<'_> {
    fn divide(self, at: usize) -> (Self, Self) {
        let (f32, u8, i32) = (self.f32.divide(at), self.u8.divide(at), self.i32.divide(at));
        let first = Self {
            f32: f32.0,
            u8: u8.0,
            i32: i32.0,
        };
        let rest = Self {
            f32: f32.1,
            u8: u8.1,
            i32: i32.1,
        };
        (first, rest)
    }

    /// What step number `step` keeps.
    pub(super) fn of<'b>(
        &'b mut self,
        step: usize,
        spec: SavedSpec,
        purpose: Purpose,
        fixed: &'b mut [f32],
    ) -> Saved<'b> {
        match purpose {
            Purpose::Infer => Saved::default(),
            Purpose::Train => Saved {
                f32: self.f32.get_mut(step, spec.f32),
                u8: self.u8.get_mut(step, spec.u8),
                i32: self.i32.get_mut(step, spec.i32),
                fixed,
            },
        }
    }

    /// What step number `step` has kept in training.
    pub(super) fn kept(&self, step: usize, spec: SavedSpec) -> Kept<'_> {
        Kept {
            f32: self.f32.get(step, spec.f32),
            u8: self.u8.get(step, spec.u8),
            i32: self.i32.get(step, spec.i32),
        }
    }
}

/// What went wrong in work that is cut: of several errors that of the earliest place, a row or a step.
#[derive(Default)]
pub(super) struct Failure(Mutex<Option<(usize, Error)>>);

impl Failure {
    pub(super) fn note(&self, place: usize, result: Result<(), Error>) {
        let Err(error) = result else { return };
        let mut first = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if first.as_ref().is_none_or(|&(earlier, _)| place < earlier) {
            *first = Some((place, error));
        }
    }

    pub(super) fn result(self) -> Result<(), Error> {
        let failed = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        failed.map_or(Ok(()), |(_, error)| Err(error))
    }
}
