use maas_kernels::{Chunks, Kernels};

use super::ELEMENTS;
use super::draws::Draws;
use crate::reference::Reference;
use crate::{Backward, Error, Forward, Layer, LayerPlan, Mode, RowType};

/// In training, y = x + n with n normal of mean 0 and this standard deviation; else y = x.
///
/// An element's noise is a function of (seed, step, layer, row, element): it depends neither on how the batch is split
/// nor on what was drawn before.
#[derive(Debug)]
pub(crate) struct GaussianNoise {
    pub(crate) deviation: f32,
}

impl Layer for GaussianNoise {
    fn kind(&self) -> &str {
        "gaussian_noise"
    }

    fn plan(&self, inputs: &[RowType]) -> Result<LayerPlan, Error> {
        let [x] = RowType::exactly(inputs)?;
        x.expect_f32()?;
        if !self.deviation.is_finite() || self.deviation < 0.0 {
            return Err(Error::Setting {
                name: "the deviation of noise",
                expected: "finite and at least 0",
                found: self.deviation,
            });
        }
        Ok(LayerPlan::new(x.shape.clone())
            .flops(x.width() as u64)
            .by_rows())
    }

    fn forward(&self, pass: &mut Forward<'_>) -> Result<(), Error> {
        let x = pass.inputs.f32(0)?;
        let width = x.len() / pass.rows.max(1);
        let noise = self.noise(pass.mode, pass.layer).filter(|_| width > 0);
        let Some(noise) = noise else {
            pass.output.copy_from_slice(x);
            return Ok(());
        };
        let parts = (
            0..pass.rows,
            Chunks::new(x, width),
            Chunks::new(&mut *pass.output, width),
        );
        let least = (ELEMENTS / 16).div_ceil(width);
        let kernels = pass.compute.kernels;
        pass.compute.split(parts, least, |(rows, x, y)| {
            for (row, y) in rows.zip(y.data.chunks_exact_mut(width)) {
                noise.row(kernels, row, y);
            }
            kernels.add(x.data, y.data);
        });
        Ok(())
    }

    fn backward(&self, pass: &mut Backward<'_>) -> Result<(), Error> {
        if let Some(dx) = pass.input_gradients.get(0) {
            dx.copy_from_slice(pass.output_gradient);
        }
        Ok(())
    }

    fn reference(&self, pass: &mut Reference<'_>) -> Result<bool, Error> {
        let x = pass.input(0)?;
        pass.output.copy_from_slice(x);
        let width = x.len() / pass.rows.max(1);
        let noise = self.noise(pass.mode, pass.layer).filter(|_| width > 0);
        if let Some(noise) = noise {
            let mut drawn = vec![0.0; width];
            for (row, y) in pass.output.chunks_exact_mut(width).enumerate() {
                noise.row(Kernels::portable(), row, &mut drawn);
                for (y, &n) in y.iter_mut().zip(&drawn) {
                    *y += f64::from(n);
                }
            }
        }
        Ok(true)
    }
}

impl GaussianNoise {
    fn noise(&self, mode: Mode, layer: u32) -> Option<Noise> {
        let draws = Draws::new(mode, layer)?;
        (self.deviation > 0.0).then(|| Noise {
            draws,
            deviation: f64::from(self.deviation),
        })
    }
}

struct Noise {
    draws: Draws,
    deviation: f64,
}

impl Noise {
    /// The noise of a row: two elements of each 64 bits, the lower half first.
    fn row(&self, kernels: Kernels, row: usize, noise: &mut [f32]) {
        let key = self.draws.row(row);
        for (block, noise) in (0..).zip(noise.chunks_mut(BLOCK)) {
            let mut bits = [0; BLOCK];
            let first = block * (BLOCK as u64 / 2);
            let pairs = bits.as_chunks_mut::<2>().0.iter_mut().zip(first..);
            for (pair, number) in pairs.take(noise.len().div_ceil(2)) {
                let drawn = key.derive(number).0;
                *pair = [drawn as u32, (drawn >> 32) as u32];
            }
            kernels.normal(&bits[..noise.len()], self.deviation, noise);
        }
    }
}

/// Elements that are drawn at a time: an even number.
const BLOCK: usize = 512;

#[cfg(test)]
mod tests {
    use maas_core::Seed;

    use super::*;

    fn drawn(seed: u64, step: u64, layer: u32, row: usize) -> Vec<f32> {
        let mut noise = vec![0.0; 10_001];
        GaussianNoise { deviation: 0.5 }
            .noise(Mode::train(Seed(seed), step), layer)
            .unwrap()
            .row(Kernels::best(), row, &mut noise);
        noise
    }

    #[test]
    fn every_part_of_the_key_counts() {
        let one = drawn(1, 2, 3, 4);
        assert_eq!(one, drawn(1, 2, 3, 4));
        for other in [
            drawn(2, 2, 3, 4),
            drawn(1, 3, 3, 4),
            drawn(1, 2, 4, 4),
            drawn(1, 2, 3, 5),
        ] {
            let products = one.iter().zip(&other).map(|(a, b)| f64::from(a * b));
            let correlation = products.sum::<f64>() / (10_001.0 * 0.25);
            assert!(correlation.abs() < 0.04, "{correlation}");
        }
    }

    /// The contract: these bits do not change with a version or a machine.
    #[test]
    fn bits_are_fixed() {
        let bits: Vec<u32> = drawn(1, 2, 3, 4)[..8].iter().map(|n| n.to_bits()).collect();
        assert_eq!(bits, GOLDEN);
    }

    #[test]
    fn moments_are_those_of_the_normal_law() {
        let noise = drawn(5, 0, 0, 0);
        let moment = |power: i32| {
            let powers = noise.iter().map(|&n| f64::from(n / 0.5).powi(power));
            powers.sum::<f64>() / noise.len() as f64
        };
        assert!(moment(1).abs() < 0.03, "{}", moment(1));
        assert!((moment(2) - 1.0).abs() < 0.05, "{}", moment(2));
        assert!(moment(3).abs() < 0.12, "{}", moment(3));
        assert!((moment(4) - 3.0).abs() < 0.3, "{}", moment(4));
    }

    const GOLDEN: [u32; 8] = [
        0xbf42_4f76,
        0xbd08_6033,
        0xbe6c_ef2d,
        0x3e9f_a7fb,
        0xbe9b_2d87,
        0xbe93_918d,
        0xbecc_1f74,
        0x3f1a_ba7a,
    ];
}
