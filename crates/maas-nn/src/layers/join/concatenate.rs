use crate::layers::last;
use crate::reference::Reference;
use crate::{Backward, Error, Forward, Layer, LayerPlan, RowType};

/// The inputs' vectors along the last axis, one behind the other.
#[derive(Debug)]
pub(crate) struct Concatenate;

impl Layer for Concatenate {
    fn kind(&self) -> &str {
        "concatenate"
    }

    fn plan(&self, inputs: &[RowType]) -> Result<LayerPlan, Error> {
        let first = inputs.first().ok_or(Error::InputCount {
            expected: 1,
            found: 0,
        })?;
        let Some((_, before)) = first.shape.split_last() else {
            return Err(Error::Width {
                expected: 1,
                found: 0,
            });
        };
        let mut total = 0_usize;
        for input in inputs {
            input.expect_f32()?;
            match input.shape.split_last() {
                Some((&width, shape)) if shape == before => {
                    total = total.checked_add(width).ok_or(Error::TooLarge)?;
                }
                _ => {
                    return Err(Error::RowShape {
                        expected: first.shape.clone(),
                        found: input.shape.clone(),
                    });
                }
            }
        }
        let mut output = before.to_vec();
        output.push(total);
        Ok(LayerPlan::new(output).by_rows())
    }

    fn forward(&self, pass: &mut Forward<'_>) -> Result<(), Error> {
        let shapes = |index| pass.inputs.row_shape(index);
        let (count, total) = (pass.inputs.len(), total(shapes, pass.inputs.len()));
        let mut start = 0;
        for index in 0..count {
            let width = last(shapes(index));
            write(pass.inputs.f32(index)?, width, pass.output, total, start);
            start += width;
        }
        Ok(())
    }

    fn backward(&self, pass: &mut Backward<'_>) -> Result<(), Error> {
        let shapes = |index| pass.inputs.row_shape(index);
        let (count, total) = (pass.inputs.len(), total(shapes, pass.inputs.len()));
        let mut start = 0;
        for index in 0..count {
            let width = last(shapes(index));
            if let Some(dx) = pass.input_gradients.get(index)
                && width > 0
            {
                let rows = pass.output_gradient.chunks_exact(total);
                for (dx, dy) in dx.chunks_exact_mut(width).zip(rows) {
                    dx.copy_from_slice(&dy[start..start + width]);
                }
            }
            start += width;
        }
        Ok(())
    }

    fn reference(&self, pass: &mut Reference<'_>) -> Result<bool, Error> {
        let (count, total) = (
            pass.inputs(),
            total(|index| pass.row_shape(index), pass.inputs()),
        );
        let mut start = 0;
        for index in 0..count {
            let width = last(pass.row_shape(index));
            write(pass.input(index)?, width, pass.output, total, start);
            start += width;
        }
        Ok(true)
    }
}

/// Writes each vector of x to its place in rows of `total`, from `start` on.
fn write<T: Copy>(x: &[T], width: usize, y: &mut [T], total: usize, start: usize) {
    if width > 0 {
        for (x, y) in x.chunks_exact(width).zip(y.chunks_exact_mut(total)) {
            y[start..start + width].copy_from_slice(x);
        }
    }
}

fn total<'a>(shape: impl Fn(usize) -> &'a [usize], count: usize) -> usize {
    (0..count).map(|index| last(shape(index))).sum()
}
