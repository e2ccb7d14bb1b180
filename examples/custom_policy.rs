//! A balancing rule of one's own: declared, checked against every law, and picking among addresses and among replicas.
//!
//! `cargo run --release --example custom_policy`
//!
//! The members are listed by distance: same rack, same room, elsewhere. The nearest one serves that is not busy.

#![allow(clippy::print_stdout)]

use anyhow::{Context, Result};
use maas::core::{self, FnModel};
use maas::prelude::*;
use maas::schedule::laws::check_policy;
use maas::schedule::{Balancer, Candidate, Candidates, Moment, Policy};

/// The first member with fewer than `busy` requests; the one with the fewest, where all have more.
#[derive(Debug)]
struct Nearest {
    busy: usize,
}

impl Policy for Nearest {
    fn pick(&self, candidates: &dyn Candidates, _now: Moment) -> Option<usize> {
        let members: Vec<(usize, Candidate)> = (0..candidates.len())
            .map(|index| (index, candidates.get(index)))
            .filter(|(_, member)| member.is_available())
            .collect();
        let has = |(_, member): &&(usize, Candidate)| member.load.in_flight;
        let nearest = members.iter().find(|member| has(member) < self.busy);
        let (index, _) = nearest.or_else(|| members.iter().min_by_key(has))?;
        Some(*index)
    }

    /// Speed and failures need not be told.
    fn goes_by_time(&self) -> bool {
        false
    }
}

fn main() -> Result<()> {
    check_policy(|| Nearest { busy: 2 })?;
    println!("the rule keeps every law\n");

    // Among addresses: a lease counts as a request until it is dropped.
    let members = [
        ("same rack", "10.0.0.2:80"),
        ("same room", "10.0.7.2:80"),
        ("elsewhere", "10.9.0.2:80"),
    ];
    let servers = Balancer::new(Nearest { busy: 2 }).with(members)?;
    let mut leases = Vec::new();
    for number in 1..=7 {
        let lease = servers.pick().context("somebody is there")?;
        println!("request {number} goes to {}  {}", *lease, lease.name());
        leases.push(lease);
    }
    leases.clear();
    servers.set_up("same rack", false)?;
    let lease = servers.pick().context("somebody is there")?;
    println!("and without the rack to {}  {}\n", *lease, lease.name());

    // Among replicas of a model: one caller after another always finds the nearest idle.
    let pool = Replicas::of(sums()?, 3).balanced_by(Nearest { busy: 2 });
    let rows = maas::ndarray::array![[1.0, 2.0]];
    for _ in 0..4 {
        pool.predict(rows.view())?;
    }
    pool.kill(0)?;
    for _ in 0..2 {
        pool.predict(rows.view())?;
    }
    for (index, (place, _)) in members.iter().enumerate() {
        let served = pool.served(index).unwrap_or_default();
        println!("the replica in the place \"{place}\" served {served}");
    }
    Ok(())
}

/// A model: the sum of two columns.
fn sums() -> Result<impl Model> {
    let x = TensorSpec::rows("x", DType::Fp32, &[2]);
    let y = TensorSpec::rows("y", DType::Fp32, &[1]);
    Ok(FnModel::new(
        Signature::new(x, y)?,
        |inputs: &[TensorView<'_>], outputs: &mut Outputs<'_>| {
            let x = inputs[0].as_slice::<f32>()?;
            let mut y = outputs.tensor(0, DType::Fp32, &[inputs[0].rows(), 1])?;
            for (y, x) in y.as_mut_slice::<f32>()?.iter_mut().zip(x.chunks_exact(2)) {
                *y = x.iter().sum();
            }
            Ok::<(), core::Error>(())
        },
    ))
}
