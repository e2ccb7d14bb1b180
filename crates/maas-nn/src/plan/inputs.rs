use maas_core::Values;

use super::Plan;
use crate::Error;
use crate::layer::ValueType;
use crate::pass::ValueRef;

/// An input of a plan, to write.
#[derive(Debug)]
#[non_exhaustive]
pub enum ValuesMut<'a> {
    /// Single-precision numbers.
    F32(&'a mut [f32]),
    /// Integers.
    I32(&'a mut [i32]),
}

/// Inputs.
impl Plan {
    /// Input `index` for all rows that the plan can hold, to write: row i starts at i · width.
    ///
    /// # Panics
    /// When the network has fewer inputs.
    ///
    /// ```
    /// # use maas_core::{Seed, Values};
    /// # use maas_nn::{Compute, Mode, Plan, PlanOptions, Sequential, ValuesMut};
    /// # let network = Sequential::rows(2).dense(1).build(Seed(7))?;
    /// # let mut plan = Plan::new(&network, PlanOptions::train(4))?;
    /// if let ValuesMut::F32(rows) = plan.input_mut(0) {
    ///     rows[..2].copy_from_slice(&[0.5, 1.5]);
    /// }
    /// plan.forward(1, &network, Mode::Infer)?;
    /// assert_eq!(plan.output().len(), 1);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn input_mut(&mut self, index: usize) -> ValuesMut<'_> {
        let ValueRef { slot, width } = self.program.inputs[index];
        let rows = self.options.max_rows;
        match self.architecture.inputs[index].value_type {
            ValueType::F32 => ValuesMut::F32(self.memory.values.get_mut(slot, rows, width)),
            ValueType::I32 => ValuesMut::I32(self.memory.ids.get_mut(slot, rows, width)),
        }
    }

    /// Copies `rows` rows into input `index`.
    ///
    /// # Errors
    /// [`Error::InputCount`] when the network has fewer inputs, [`Error::Rows`] for more rows than the plan holds,
    /// [`Error::Length`] or [`Error::ValueType`] when the values are not as many or not of the type that is needed.
    ///
    /// ```
    /// # use maas_core::{Seed, Values};
    /// # use maas_nn::{Compute, Mode, Plan, PlanOptions, Sequential, ValuesMut};
    /// # let network = Sequential::rows(2).dense(1).build(Seed(7))?;
    /// # let mut plan = Plan::new(&network, PlanOptions::train(4))?;
    /// plan.set_input(0, 2, Values::F32(&[1.0, 2.0, 3.0, 4.0]))?;
    /// assert!(plan.set_input(0, 2, Values::F32(&[1.0, 2.0, 3.0])).is_err());
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn set_input(
        &mut self,
        index: usize,
        rows: usize,
        values: Values<'_>,
    ) -> Result<(), Error> {
        let Some(&ValueRef { slot, width }) = self.program.inputs.get(index) else {
            return Err(Error::InputCount {
                expected: self.program.inputs.len(),
                found: index + 1,
            });
        };
        self.check_rows(rows)?;
        if values.len() != rows * width {
            return Err(Error::Length {
                expected: rows * width,
                found: values.len(),
            });
        }
        let expected = self.architecture.inputs[index].value_type;
        let found = match values {
            Values::F32(values) if expected == ValueType::F32 => {
                let own = self.memory.values.get_mut(slot, rows, width);
                own.copy_from_slice(values);
                return Ok(());
            }
            Values::I32(values) if expected == ValueType::I32 => {
                let own = self.memory.ids.get_mut(slot, rows, width);
                own.copy_from_slice(values);
                return Ok(());
            }
            Values::I32(_) => ValueType::I32,
            _ => ValueType::F32,
        };
        Err(Error::ValueType { expected, found })
    }
}
