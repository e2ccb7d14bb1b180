use maas_kernels::Chunks;

use super::ELEMENTS;
use super::draws::Draws;
use crate::reference::Reference;
use crate::{Backward, Error, Forward, Layer, LayerPlan, Mode, RowType, SavedSpec};

/// In training, zeroes elements with probability `rate` and scales the others by 1 / (1 − rate); else y = x.
///
/// Whether an element is kept is a function of (seed, step, layer, row, element): it depends neither on how the
/// batch is split nor on what was drawn before.
#[derive(Debug)]
pub(crate) struct Dropout {
    pub(crate) rate: f32,
}

impl Layer for Dropout {
    fn kind(&self) -> &str {
        "dropout"
    }

    fn plan(&self, inputs: &[RowType]) -> Result<LayerPlan, Error> {
        let [x] = RowType::exactly(inputs)?;
        x.expect_f32()?;
        if !(0.0..1.0).contains(&self.rate) {
            return Err(Error::Rate { found: self.rate });
        }
        let saved = SavedSpec {
            u8: x.width(),
            ..SavedSpec::default()
        };
        Ok(LayerPlan::new(x.shape.clone()).saved(saved).by_rows())
    }

    fn forward(&self, pass: &mut Forward<'_>) -> Result<(), Error> {
        let x = pass.inputs.f32(0)?;
        let Some(noise) = self.noise(pass.mode, pass.layer) else {
            pass.output.copy_from_slice(x);
            return Ok(());
        };
        let width = x.len() / pass.rows.max(1);
        if width == 0 {
            return Ok(());
        }
        let parts = (
            0..pass.rows,
            Chunks::new(x, width),
            Chunks::new(&mut *pass.output, width),
            Chunks::new(&mut *pass.saved.u8, width),
        );
        let least = ELEMENTS.div_ceil(width);
        pass.compute.split(parts, least, |(rows, x, y, kept)| {
            let x = x.data.chunks_exact(width);
            let y = y.data.chunks_exact_mut(width);
            let kept = kept.data.chunks_exact_mut(width);
            for (row, ((x, y), kept)) in rows.zip(x.zip(y).zip(kept)) {
                noise.row(row, kept);
                noise.apply(x, kept, y);
            }
        });
        Ok(())
    }

    fn backward(&self, pass: &mut Backward<'_>) -> Result<(), Error> {
        let Some(dx) = pass.input_gradients.get(0) else {
            return Ok(());
        };
        let Some(noise) = self.noise(pass.mode, pass.layer) else {
            dx.copy_from_slice(pass.output_gradient);
            return Ok(());
        };
        let parts = (&*pass.output_gradient, dx, &*pass.saved.u8);
        pass.compute.split(parts, ELEMENTS, |(dy, dx, kept)| {
            noise.apply(dy, kept, dx);
        });
        Ok(())
    }

    fn reference(&self, pass: &mut Reference<'_>) -> Result<bool, Error> {
        let x = pass.input(0)?;
        let Some(noise) = self.noise(pass.mode, pass.layer) else {
            pass.output.copy_from_slice(x);
            return Ok(true);
        };
        let width = x.len() / pass.rows.max(1);
        let mut kept = vec![0; width];
        for (row, (x, y)) in x
            .chunks(width.max(1))
            .zip(pass.output.chunks_mut(width.max(1)))
            .enumerate()
        {
            noise.row(row, &mut kept);
            for ((x, y), &kept) in x.iter().zip(y).zip(&kept) {
                *y = x * f64::from(kept) / (1.0 - f64::from(self.rate));
            }
        }
        Ok(true)
    }
}

impl Dropout {
    fn noise(&self, mode: Mode, layer: u32) -> Option<Noise> {
        let draws = Draws::new(mode, layer)?;
        (self.rate > 0.0).then(|| Noise {
            draws,
            dropped_below: (f64::from(self.rate) * f64::from(1_u32 << 31) * 2.0) as u32,
            scale: 1.0 / (1.0 - self.rate),
        })
    }
}

struct Noise {
    draws: Draws,
    /// An element is dropped when its 32 bits are less.
    dropped_below: u32,
    scale: f32,
}

impl Noise {
    /// y is `scale`·x where `kept` is 1, and +0 where it is 0. A branch would be guessed wrong as often as elements are
    /// dropped, so bits are masked.
    fn apply(&self, x: &[f32], kept: &[u8], y: &mut [f32]) {
        for ((&x, y), &kept) in x.iter().zip(y).zip(kept) {
            let mask = u32::from(kept).wrapping_neg();
            *y = f32::from_bits((x * self.scale).to_bits() & mask);
        }
    }

    /// Which elements of a row are kept: 1 or 0 for each.
    fn row(&self, row: usize, kept: &mut [u8]) {
        let key = self.draws.row(row);
        let keep = |bits: u64| u8::from(bits as u32 >= self.dropped_below);
        let (pairs, odd) = kept.as_chunks_mut::<2>();
        let count = pairs.len() as u64;
        for (pair, number) in pairs.iter_mut().zip(0..) {
            let bits = key.derive(number).0;
            *pair = [keep(bits), keep(bits >> 32)];
        }
        if let [last] = odd {
            *last = keep(key.derive(count).0);
        }
    }
}

#[cfg(test)]
mod tests {
    use maas_core::Seed;

    use super::*;

    fn kept(seed: u64, step: u64, layer: u32, row: usize) -> Vec<u8> {
        let mode = Mode::train(Seed(seed), step);
        let mut kept = vec![0; 10_001];
        Dropout { rate: 0.3 }
            .noise(mode, layer)
            .unwrap()
            .row(row, &mut kept);
        kept
    }

    #[test]
    fn every_part_of_the_key_counts() {
        let one = kept(1, 2, 3, 4);
        assert_eq!(one, kept(1, 2, 3, 4));
        for other in [
            kept(2, 2, 3, 4),
            kept(1, 3, 3, 4),
            kept(1, 2, 4, 4),
            kept(1, 2, 3, 5),
        ] {
            let same = one.iter().zip(&other).filter(|(a, b)| a == b).count();
            assert!(
                (5_500..6_100).contains(&same),
                "{same}: 58 % agree by chance"
            );
        }
    }

    #[test]
    fn the_rate_is_met() {
        let dropped = kept(5, 0, 0, 0).iter().filter(|&&kept| kept == 0).count();
        assert!((2_850..3_150).contains(&dropped), "{dropped}");
    }

    #[test]
    fn rows_do_not_depend_on_the_split() {
        let split = Mode::Train {
            seed: Seed(1),
            step: 2,
            first_row: 4,
        };
        let mut second_half = vec![0; 10_001];
        Dropout { rate: 0.3 }
            .noise(split, 3)
            .unwrap()
            .row(1, &mut second_half);
        assert_eq!(second_half, kept(1, 2, 3, 5));
    }
}
