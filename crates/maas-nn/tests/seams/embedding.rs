use maas_nn::{
    Backward, Error, Forward, FromConfig, Layer, LayerPlan, ParameterSpec, Reference, Role, RowType,
};
use serde_json::{Value, json};

/// Looks each id up in a table: [ids] → [ids, width].
#[derive(Debug)]
pub(crate) struct Embedding {
    pub(crate) vocabulary: usize,
    pub(crate) width: usize,
}

impl Embedding {
    fn id(&self, id: i32) -> Result<usize, Error> {
        usize::try_from(id)
            .ok()
            .filter(|&id| id < self.vocabulary)
            .ok_or_else(|| {
                Error::custom(format!(
                    "id {id} is outside a vocabulary of {}",
                    self.vocabulary
                ))
            })
    }
}

impl Layer for Embedding {
    fn kind(&self) -> &str {
        Self::KIND
    }

    fn config(&self) -> Value {
        json!({ "vocabulary": self.vocabulary, "width": self.width })
    }

    fn plan(&self, inputs: &[RowType]) -> Result<LayerPlan, Error> {
        let [ids] = RowType::exactly(inputs)?;
        ids.expect_i32()?;
        let mut output = ids.shape.clone();
        output.push(self.width);
        Ok(LayerPlan::new(output).parameter(ParameterSpec::new(
            "table",
            [self.vocabulary, self.width],
            Role::Embedding,
        )))
    }

    fn forward(&self, pass: &mut Forward<'_>) -> Result<(), Error> {
        let table = pass.parameters.get(0);
        for (&id, y) in pass
            .inputs
            .i32(0)?
            .iter()
            .zip(pass.output.chunks_exact_mut(self.width))
        {
            let id = self.id(id)?;
            y.copy_from_slice(&table[id * self.width..(id + 1) * self.width]);
        }
        Ok(())
    }

    fn backward(&self, pass: &mut Backward<'_>) -> Result<(), Error> {
        let table = pass.parameter_gradients.get(0);
        table.fill(0.0);
        for (&id, dy) in pass
            .inputs
            .i32(0)?
            .iter()
            .zip(pass.output_gradient.chunks_exact(self.width))
        {
            let id = self.id(id)?;
            pass.compute
                .kernels
                .add(dy, &mut table[id * self.width..(id + 1) * self.width]);
        }
        assert!(
            pass.input_gradients.get(0).is_none(),
            "ids have no gradient"
        );
        Ok(())
    }

    fn reference(&self, pass: &mut Reference<'_>) -> Result<bool, Error> {
        let (ids, table) = (pass.ids(0)?, pass.parameter(0));
        for (&id, y) in ids.iter().zip(pass.output.chunks_exact_mut(self.width)) {
            let id = self.id(id)?;
            y.copy_from_slice(&table[id * self.width..(id + 1) * self.width]);
        }
        Ok(true)
    }
}

impl FromConfig for Embedding {
    const KIND: &'static str = "embedding";

    fn from_config(config: &Value) -> Result<Self, Error> {
        let number = |key: &str| {
            let number = config[key].as_u64().and_then(|n| usize::try_from(n).ok());
            number.ok_or_else(|| Error::custom(format!("`{key}` is no count")))
        };
        Ok(Self {
            vocabulary: number("vocabulary")?,
            width: number("width")?,
        })
    }
}
