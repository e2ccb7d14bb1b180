use maas_core::Values;

use super::Plan;
use crate::Error;
use crate::layer::ValueType;
use crate::pass::{Value, ValueRef};

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
        let length = self.options.max_rows * width;
        match &mut self.memory.values[slot] {
            Value::F32(values) => ValuesMut::F32(&mut values[..length]),
            Value::I32(values) => ValuesMut::I32(&mut values[..length]),
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
        match (&mut self.memory.values[slot], values) {
            (Value::F32(own), Values::F32(values)) => own[..values.len()].copy_from_slice(values),
            (Value::I32(own), Values::I32(values)) => own[..values.len()].copy_from_slice(values),
            (Value::F32(_), _) => {
                return Err(Error::ValueType {
                    expected: ValueType::F32,
                    found: ValueType::I32,
                });
            }
            (Value::I32(_), _) => {
                return Err(Error::ValueType {
                    expected: ValueType::I32,
                    found: ValueType::F32,
                });
            }
        }
        Ok(())
    }
}
