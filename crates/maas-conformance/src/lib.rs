//! Checks whether a server speaks the Open Inference Protocol (also called V2 or KServe's) over REST, whoever wrote it.
//!
//! ```no_run
//! let target = maas_conformance::Target::new("http://127.0.0.1:8000", "wine");
//! for outcome in maas_conformance::run(&target) {
//!     println!("{outcome}");
//! }
//! ```
//!
//! The checks learn from the model's metadata what it takes, and ask it by JSON, flat and nested, by binary tensors and by both,
//! compressed and plain: all of these must be answered alike. Then they ask wrongly in every way that the protocol knows, and see
//! whether the answer has the right status and an error that a client can read. An extension is checked where the server
//! advertises it.
//!
//! `cargo run -p maas-conformance -- URL MODEL` does the same from the command line.

mod checks;
mod http;
mod sample;
mod target;

use std::fmt;

pub use target::Target;

/// What became of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What was checked.
    pub check: &'static str,
    /// What was found instead.
    pub result: Result<Verdict, String>,
}

/// Why a check did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All was as it should be.
    Passed,
    /// It does not apply: the server does not advertise the extension, or the model has no such tensors.
    Skipped,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.result {
            Ok(Verdict::Passed) => write!(f, "passed   {}", self.check),
            Ok(Verdict::Skipped) => write!(f, "skipped  {}", self.check),
            Err(found) => write!(f, "FAILED   {}: {found}", self.check),
        }
    }
}

/// Runs all checks.
#[must_use]
pub fn run(target: &Target) -> Vec<Outcome> {
    let outcome = |&(check, run): &(&'static str, checks::Check)| Outcome {
        check,
        result: run(target),
    };
    checks::all().map(outcome).collect()
}
