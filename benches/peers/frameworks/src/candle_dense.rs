//! candle on the CPU: `candle_dense FOLDER [--once EPOCHS]`.

mod work;

use anyhow::Result;
use candle_core::{Device, Tensor, Var};
use candle_nn::{AdamW, Optimizer, ParamsAdamW, loss};
use work::{Orders, Target, Workload};

struct Layer {
    kernel: Var,
    bias: Var,
}

fn layers(work: &Workload) -> candle_core::Result<Vec<Layer>> {
    let shapes = work.widths.windows(2);
    shapes
        .zip(&work.weights)
        .map(|(pair, (kernel, bias))| {
            Ok(Layer {
                kernel: Var::from_slice(kernel, (pair[0], pair[1]), &Device::Cpu)?,
                bias: Var::from_slice(bias, pair[1], &Device::Cpu)?,
            })
        })
        .collect()
}

fn forward(layers: &[Layer], x: &Tensor) -> candle_core::Result<Tensor> {
    let mut x = x.clone();
    for (index, layer) in layers.iter().enumerate() {
        x = x.matmul(&layer.kernel)?.broadcast_add(&layer.bias)?;
        if index + 1 < layers.len() {
            x = x.relu()?;
        }
    }
    Ok(x)
}

fn peer(work: Workload) -> Result<impl FnMut() -> Result<f32>> {
    let device = &Device::Cpu;
    let x = Tensor::from_slice(&work.x, (work.rows, work.widths[0]), device)?;
    let (y, classifies) = match &work.y {
        Target::Values(y) => {
            let width = y.len() / work.rows;
            (Tensor::from_slice(y, (work.rows, width), device)?, false)
        }
        Target::Labels(y) => (Tensor::from_slice(y, work.rows, device)?, true),
    };
    let mut orders = Orders::new(work.rows);
    Ok(move || {
        let layers = layers(&work)?;
        let variables = layers
            .iter()
            .flat_map(|layer| [layer.kernel.clone(), layer.bias.clone()])
            .collect();
        let adam = ParamsAdamW {
            lr: 1e-3,
            eps: 1e-7,
            weight_decay: 0.0,
            ..ParamsAdamW::default()
        };
        let mut optimizer = AdamW::new(variables, adam)?;
        let step = |optimizer: &mut AdamW, x: &Tensor, y: &Tensor| -> Result<f32> {
            let out = forward(&layers, x)?;
            let loss = if classifies {
                loss::cross_entropy(&out, y)?
            } else {
                loss::mse(&out, y)?
            };
            optimizer.backward_step(&loss)?;
            Ok(loss.to_scalar::<f32>()? * x.dim(0)? as f32)
        };
        let mut last = 0.0;
        for _ in 0..work.epochs {
            let mut total = 0.0;
            if work.shuffled {
                for rows in orders.shuffle().chunks(work.batch) {
                    let rows = Tensor::from_slice(rows, rows.len(), &Device::Cpu)?;
                    let (x, y) = (x.index_select(&rows, 0)?, y.index_select(&rows, 0)?);
                    total += step(&mut optimizer, &x, &y)?;
                }
            } else {
                for start in (0..work.rows).step_by(work.batch) {
                    let rows = work.batch.min(work.rows - start);
                    let (x, y) = (x.narrow(0, start, rows)?, y.narrow(0, start, rows)?);
                    total += step(&mut optimizer, &x, &y)?;
                }
            }
            last = total / work.rows as f32;
        }
        Ok(last)
    })
}

fn main() -> Result<()> {
    work::serve("candle 0.11.1", peer)
}
