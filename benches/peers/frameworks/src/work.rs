//! What both peers share: the workload's files, an order of rows, and the loop that trains when it is told to.

use std::io::{self, Read, Write};
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};

/// What `ours.rs --export` wrote; `weights` are the initial kernel and bias of each layer in turn.
pub struct Workload {
    pub widths: Vec<usize>,
    pub rows: usize,
    pub batch: usize,
    pub epochs: usize,
    pub shuffled: bool,
    pub x: Vec<f32>,
    pub y: Target,
    pub weights: Vec<(Vec<f32>, Vec<f32>)>,
}

#[derive(Clone)]
pub enum Target {
    Values(Vec<f32>),
    Labels(Vec<u32>),
}

#[derive(serde::Deserialize)]
struct Told {
    widths: Vec<usize>,
    task: String,
    rows: usize,
    batch: usize,
    epochs: usize,
    shuffled: bool,
}

impl Workload {
    fn load(folder: &Path) -> Result<Self> {
        let told: Told = serde_json::from_slice(&std::fs::read(folder.join("workload.json"))?)?;
        let floats = |name| words(folder, name, f32::from_le_bytes);
        let y = match told.task.as_str() {
            "classification" => Target::Labels(words(folder, "labels.i32", u32::from_le_bytes)?),
            _ => Target::Values(floats("targets.f32")?),
        };
        let flat = floats("weights.f32")?;
        let (mut rest, mut weights) = (&flat[..], Vec::new());
        for pair in told.widths.windows(2) {
            ensure!(
                rest.len() >= (pair[0] + 1) * pair[1],
                "weights.f32 is too short"
            );
            let (kernel, after) = rest.split_at(pair[0] * pair[1]);
            let (bias, after) = after.split_at(pair[1]);
            weights.push((kernel.to_vec(), bias.to_vec()));
            rest = after;
        }
        Ok(Self {
            widths: told.widths,
            rows: told.rows,
            batch: told.batch,
            epochs: told.epochs,
            shuffled: told.shuffled,
            x: floats("features.f32")?,
            y,
            weights,
        })
    }
}

fn words<T>(folder: &Path, name: &str, of: fn([u8; 4]) -> T) -> Result<Vec<T>> {
    let bytes = std::fs::read(folder.join(name)).with_context(|| name.to_owned())?;
    Ok(bytes.as_chunks().0.iter().map(|&word| of(word)).collect())
}

/// Orders of rows, a new one each time (Fisher and Yates, splitmix64).
pub struct Orders {
    state: u64,
    order: Vec<u32>,
}

impl Orders {
    pub fn new(rows: usize) -> Self {
        Self {
            state: 7,
            order: (0..rows as u32).collect(),
        }
    }

    pub fn shuffle(&mut self) -> &[u32] {
        for last in (1..self.order.len()).rev() {
            self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mut z = self.state;
            z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            let other = (z ^ (z >> 31)) % (last as u64 + 1);
            self.order.swap(last, other as usize);
        }
        &self.order
    }
}

/// `NAME FOLDER` trains once to warm up, then once for each line of standard input; `NAME FOLDER --once EPOCHS` trains
/// as many epochs and ends with its input. What `peer` makes of the workload answers with the last epoch's loss.
pub fn serve<Train: FnMut() -> Result<f32>>(
    versions: &str,
    peer: impl FnOnce(Workload) -> Result<Train>,
) -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (folder, once) = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [folder] => (folder, None),
        [folder, "--once", epochs] => (folder, Some(epochs.parse()?)),
        _ => bail!("FOLDER [--once EPOCHS]"),
    };
    let mut workload = Workload::load(Path::new(folder))?;
    workload.epochs = once.unwrap_or(workload.epochs);
    let mut train = peer(workload)?;
    let mut timed = || -> Result<(f64, f32)> {
        let start = Instant::now();
        let loss = train()?;
        Ok((start.elapsed().as_secs_f64(), loss))
    };
    let tell = |(seconds, loss): (f64, f32)| {
        writeln!(io::stdout(), r#"{{"seconds": {seconds}, "loss": {loss}}}"#)
    };
    let first = timed()?;
    if once.is_some() {
        tell(first)?;
        return Ok(io::stdin().read_to_end(&mut Vec::new()).map(drop)?);
    }
    println!(
        r#"{{"ready": "{versions}; first training {:.1} s"}}"#,
        first.0
    );
    for line in io::stdin().lines() {
        line?;
        tell(timed()?)?;
    }
    Ok(())
}
