use maas_kernels::Chunks;

use super::ELEMENTS;
use crate::reference::Reference;
use crate::{
    Backward, Error, Forward, Initializer, Layer, LayerPlan, ParameterPass, ParameterSpec, Role,
    RowType,
};

/// Each id's vector of a table: rows of [..] ids become rows of [.., width] numbers.
#[derive(Debug)]
pub(crate) struct Embedding {
    pub(crate) vocabulary: usize,
    pub(crate) width: usize,
    pub(crate) initializer: Initializer,
}

impl Layer for Embedding {
    fn kind(&self) -> &str {
        "embedding"
    }

    fn plan(&self, inputs: &[RowType]) -> Result<LayerPlan, Error> {
        let [ids] = RowType::exactly(inputs)?;
        ids.expect_i32()?;
        for (name, size) in [
            ("the vocabulary", self.vocabulary),
            ("the width of an embedding", self.width),
        ] {
            if size == 0 {
                return Err(Error::Setting {
                    name,
                    expected: "at least 1",
                    found: 0.0,
                });
            }
        }
        let mut output = ids.shape.clone();
        output.push(self.width);
        let table = ParameterSpec::new("table", [self.vocabulary, self.width], Role::Embedding);
        let table = table.initializer(self.initializer).in_parts_of(self.width);
        Ok(LayerPlan::new(output).parameter(table).by_rows())
    }

    fn forward(&self, pass: &mut Forward<'_>) -> Result<(), Error> {
        let (ids, table) = (pass.inputs.i32(0)?, pass.parameters.get(0));
        self.check(ids, pass.rows)?;
        let width = self.width;
        let rows = (ids, Chunks::new(&mut *pass.output, width));
        let least = ELEMENTS.div_ceil(width);
        pass.compute.split(rows, least, |(ids, y)| {
            for (&id, y) in ids.iter().zip(y.data.chunks_exact_mut(width)) {
                y.copy_from_slice(&table[id as usize * width..][..width]);
            }
        });
        Ok(())
    }

    fn backward(&self, _: &mut Backward<'_>) -> Result<(), Error> {
        Ok(())
    }

    /// The gradient by a vector is the sum of those by its uses, in their order. Each part looks through all ids for those
    /// of its vectors.
    fn parameter_gradients(&self, pass: &mut ParameterPass<'_>) -> Result<(), Error> {
        let (ids, width) = (pass.inputs.i32(0)?, self.width);
        self.check(ids, pass.rows)?;
        let (part, table) = pass.gradients.part(0);
        let part = part.start / width..part.end / width;
        let (dy, kernels) = (pass.output_gradient, pass.compute.kernels);
        let parts = (part, Chunks::new(table, width));
        let least = ELEMENTS.div_ceil(width);
        pass.compute.split(parts, least, |(part, table)| {
            table.data.fill(0.0);
            for (&id, dy) in ids.iter().zip(dy.chunks_exact(width)) {
                let id = id as usize;
                if part.contains(&id) {
                    kernels.add(dy, &mut table.data[(id - part.start) * width..][..width]);
                }
            }
        });
        Ok(())
    }

    fn reference(&self, pass: &mut Reference<'_>) -> Result<bool, Error> {
        let (ids, table) = (pass.ids(0)?, pass.parameter(0));
        self.check(ids, pass.rows)?;
        for (&id, y) in ids.iter().zip(pass.output.chunks_exact_mut(self.width)) {
            y.copy_from_slice(&table[id as usize * self.width..][..self.width]);
        }
        Ok(true)
    }
}

impl Embedding {
    fn check(&self, ids: &[i32], rows: usize) -> Result<(), Error> {
        let inside = |&id: &i32| usize::try_from(id).is_ok_and(|id| id < self.vocabulary);
        match ids.iter().position(|id| !inside(id)) {
            None => Ok(()),
            Some(at) => Err(Error::Id {
                row: at * rows / ids.len(),
                id: ids[at],
                vocabulary: self.vocabulary,
            }),
        }
    }
}
