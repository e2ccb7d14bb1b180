/// A parameter or a piece of state while its layer is rewritten.
#[derive(Clone, Debug)]
pub(super) struct Tensor {
    /// Its name within the layer.
    pub(super) name: String,
    pub(super) shape: Vec<usize>,
    pub(super) values: Vec<f32>,
    /// Which elements its mask keeps.
    pub(super) kept: Option<Vec<bool>>,
}

impl Tensor {
    pub(super) fn columns(&self) -> usize {
        last(&self.shape)
    }

    /// The vectors along the last axis.
    pub(super) fn rows(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks_exact(self.columns().max(1))
    }

    /// Takes features away from the last axis.
    pub(super) fn leave_columns(&mut self, leaving: &[bool]) {
        let columns = self.columns();
        self.retain(|index| !leaving[index % columns]);
        if let Some(columns) = self.shape.last_mut() {
            *columns = stay(leaving);
        }
    }

    /// Takes rows away from a matrix.
    pub(super) fn leave_rows(&mut self, leaving: &[bool]) {
        let columns = self.columns();
        self.retain(|index| !leaving[index / columns]);
        self.shape[0] = stay(leaving);
    }

    /// Lets these elements be what they are, whatever the mask said of them.
    pub(super) fn keep_nonzeros(&mut self) {
        if let Some(kept) = &mut self.kept {
            for (kept, value) in kept.iter_mut().zip(&self.values) {
                *kept |= *value != 0.0;
            }
        }
    }

    fn retain(&mut self, stays: impl Fn(usize) -> bool) {
        keep(&mut self.values, &stays);
        if let Some(kept) = &mut self.kept {
            keep(kept, &stays);
        }
    }
}

fn keep<T>(elements: &mut Vec<T>, stays: impl Fn(usize) -> bool) {
    let mut index = 0;
    elements.retain(|_| {
        index += 1;
        stays(index - 1)
    });
}

pub(super) fn stay(leaving: &[bool]) -> usize {
    leaving.iter().filter(|&&leaves| !leaves).count()
}

/// Numbers on the last axis; a single number has an axis of one.
pub(super) fn last(shape: &[usize]) -> usize {
    shape.last().copied().unwrap_or(1)
}
