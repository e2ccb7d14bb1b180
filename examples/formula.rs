//! The three formulas of the story, each alone: no network, no server.
//!
//! `cargo run --release --example formula`
//!
//! Numeric code needs optimisation in debug builds too; this workspace sets it in its profiles, and so should yours:
//!
//! ```toml
//! [profile.dev.package."*"]
//! opt-level = 3
//! ```

#![allow(clippy::print_stdout)]

use anyhow::Result;
use maas::prelude::*;

fn main() -> Result<()> {
    train()?;
    compress()?;
    balance();
    Ok(())
}

/// θ(t+1) = θ(t) − α ∇J(θ(t)), for J(θ) = (θ₀ − 3)² + 10 (θ₁ + 1)².
fn train() -> Result<()> {
    let mut theta = [0.0, 0.0];
    let minimum = GradientDescent::new(0.04).minimize(&mut theta, |theta, gradient| {
        gradient[0] = 2.0 * (theta[0] - 3.0);
        gradient[1] = 20.0 * (theta[1] + 1.0);
        (theta[0] - 3.0).powi(2) + 10.0 * (theta[1] + 1.0).powi(2)
    })?;
    println!(
        "train     θ ← θ − α ∇J(θ)         reaches {theta:.3?} after {} steps",
        minimum.steps
    );
    Ok(())
}

/// w_new = w_old − λ · sign(w_old): as written it jumps over zero; as a soft threshold it stops there.
fn compress() -> Result<()> {
    let weights = [0.8, -0.3, 0.05, 0.0, -0.02, 0.4];
    let (mut raw, mut soft) = (weights, weights);
    SignStep::new(0.1).apply(&mut raw)?;
    SoftThreshold::new(0.1).apply(&mut soft)?;
    println!("compress  w ← w − λ sign(w)       turns {weights:?} into {raw:.2?},");
    println!("          clamped at zero         into {soft:.2?}");
    Ok(())
}

/// next_server = (current_server + 1) mod N.
fn balance() {
    let servers = RoundRobin::new(3);
    let order: Vec<usize> = (0..8).map(|_| servers.next()).collect();
    println!("balance   next ← (current + 1) mod 3  picks {order:?}");
}
