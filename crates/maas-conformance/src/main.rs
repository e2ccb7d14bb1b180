//! Checks a server from the command line.

#![expect(clippy::print_stdout, reason = "it talks to a person")]

use std::env;
use std::process::ExitCode;

use maas_conformance::{Target, run};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [url, models @ ..] = &arguments[..] else {
        println!("maas-conformance URL MODEL..., such as http://127.0.0.1:8000 wine");
        return ExitCode::FAILURE;
    };
    let mut failed = 0;
    for model in models {
        println!("{model}");
        for outcome in run(&Target::new(url, model)) {
            println!("  {outcome}");
            failed += usize::from(outcome.result.is_err());
        }
    }
    println!("{failed} failed");
    if failed == 0 && !models.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
