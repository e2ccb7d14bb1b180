//! burn on its CPU backend flex: `burn_dense FOLDER [--once EPOCHS]`.

mod work;

use anyhow::Result;
use burn::module::{Module, Param};
use burn::nn::loss::{CrossEntropyLossConfig, MseLoss, Reduction};
use burn::nn::{Linear, LinearConfig};
use burn::optim::{AdamConfig, GradientsParams};
use burn::tensor::{Device, Int, Tensor, TensorData, activation::relu};
use work::{Orders, Target, Workload};

#[derive(Module, Debug)]
struct Network {
    layers: Vec<Linear>,
}

impl Network {
    fn new(work: &Workload, device: &Device) -> Self {
        let shapes = work.widths.windows(2);
        let layers = shapes.zip(&work.weights).map(|(pair, (kernel, bias))| {
            let mut layer = LinearConfig::new(pair[0], pair[1]).init(device);
            let kernel = TensorData::new(kernel.clone(), [pair[0], pair[1]]);
            let bias = TensorData::new(bias.clone(), [pair[1]]);
            layer.weight = Param::from_data(kernel, device);
            layer.bias = Some(Param::from_data(bias, device));
            layer
        });
        Self {
            layers: layers.collect(),
        }
    }

    fn forward(&self, mut x: Tensor<2>) -> Tensor<2> {
        for (index, layer) in self.layers.iter().enumerate() {
            x = layer.forward(x);
            if index + 1 < self.layers.len() {
                x = relu(x);
            }
        }
        x
    }
}

/// The targets of all rows, or of a batch.
#[derive(Clone)]
enum Y {
    Values(Tensor<2>),
    Labels(Tensor<1, Int>),
}

fn loss_of(out: Tensor<2>, y: Y) -> Tensor<1> {
    match y {
        Y::Values(y) => MseLoss::new().forward(out, y, Reduction::Mean),
        Y::Labels(y) => {
            let device = out.device();
            CrossEntropyLossConfig::new().init(&device).forward(out, y)
        }
    }
}

fn peer(work: Workload) -> Result<impl FnMut() -> Result<f32>> {
    let device = Device::flex().autodiff();
    let shape = [work.rows, work.widths[0]];
    let x = Tensor::<2>::from_data(TensorData::new(work.x.clone(), shape), &device);
    let y = match work.y.clone() {
        Target::Values(y) => {
            let shape = [work.rows, y.len() / work.rows];
            Y::Values(Tensor::from_data(TensorData::new(y, shape), &device))
        }
        Target::Labels(y) => {
            let y = y.into_iter().map(i64::from).collect::<Vec<_>>();
            Y::Labels(Tensor::from_data(TensorData::new(y, [work.rows]), &device))
        }
    };
    let mut orders = Orders::new(work.rows);
    Ok(move || {
        let mut network = Network::new(&work, &device);
        let mut optimizer = AdamConfig::new().with_epsilon(1e-7).init();
        let mut step = |network: &mut Network, x: Tensor<2>, y: Y| -> f32 {
            let rows = x.dims()[0] as f32;
            let loss = loss_of(network.forward(x), y);
            let gradients = GradientsParams::from_grads(loss.backward(), network);
            *network = optimizer.step(1e-3, network.clone(), gradients);
            loss.into_scalar::<f32>() * rows
        };
        let mut last = 0.0;
        for _ in 0..work.epochs {
            let mut total = 0.0;
            if work.shuffled {
                for rows in orders.shuffle().chunks(work.batch) {
                    let rows = rows.iter().map(|&row| i64::from(row)).collect::<Vec<_>>();
                    let shape = [rows.len()];
                    let rows = Tensor::<1, Int>::from_data(TensorData::new(rows, shape), &device);
                    let y = match &y {
                        Y::Values(y) => Y::Values(y.clone().select(0, rows.clone())),
                        Y::Labels(y) => Y::Labels(y.clone().select(0, rows.clone())),
                    };
                    total += step(&mut network, x.clone().select(0, rows), y);
                }
            } else {
                for start in (0..work.rows).step_by(work.batch) {
                    let rows = work.batch.min(work.rows - start);
                    let y = match &y {
                        Y::Values(y) => Y::Values(y.clone().narrow(0, start, rows)),
                        Y::Labels(y) => Y::Labels(y.clone().narrow(0, start, rows)),
                    };
                    total += step(&mut network, x.clone().narrow(0, start, rows), y);
                }
            }
            last = total / work.rows as f32;
        }
        Ok(last)
    })
}

fn main() -> Result<()> {
    work::serve("burn 0.22.1 on flex", peer)
}
