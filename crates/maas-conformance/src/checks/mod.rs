//! What is checked.

mod binary;
mod compression;
mod errors;
mod extensions;
mod health;
mod infer;
mod metadata;

use crate::{Target, Verdict};

pub(crate) type Check = fn(&Target) -> Result<Verdict, String>;

pub(crate) fn all() -> impl Iterator<Item = &'static (&'static str, Check)> {
    let groups = [
        health::CHECKS,
        metadata::CHECKS,
        infer::CHECKS,
        binary::CHECKS,
        compression::CHECKS,
        errors::CHECKS,
        extensions::CHECKS,
    ];
    groups.into_iter().flatten()
}

/// That something holds.
fn holds(condition: bool, found: impl FnOnce() -> String) -> Result<(), String> {
    if condition { Ok(()) } else { Err(found()) }
}
