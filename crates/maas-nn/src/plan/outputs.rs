use super::Plan;
use crate::pass::ValueRef;

/// What forward passes gave.
impl Plan {
    /// What the last [`forward`](Plan::forward) gave: rows × [`Network::output_width`](crate::Network::output_width).
    ///
    /// ```
    /// # use maas_core::{Seed, Values};
    /// # use maas_nn::{Compute, Mode, Plan, PlanOptions, Sequential, ValuesMut};
    /// # let network = Sequential::rows(2).dense(1).build(Seed(7))?;
    /// # let mut plan = Plan::new(&network, PlanOptions::train(4))?;
    /// plan.set_input(0, 2, Values::F32(&[0.0; 4]))?;
    /// plan.forward(2, &network, Mode::Infer)?;
    /// assert_eq!(plan.output(), [0.0, 0.0]);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn output(&self) -> &[f32] {
        let ValueRef { slot, width } = self.program.output;
        self.memory.values.get(slot, self.finished, width)
    }

    /// What the last [`forward_head`](Plan::forward_head) gave: rows × [`head_width`](Plan::head_width).
    ///
    /// ```
    /// # use maas_core::{Seed, Values};
    /// # use maas_nn::{Compute, Mode, Plan, PlanOptions, Sequential, ValuesMut};
    /// # let network = Sequential::rows(2).dense(1).build(Seed(7))?;
    /// # let mut plan = Plan::new(&network, PlanOptions::train(4))?;
    /// plan.forward_head(3, &network, Mode::train(Seed(7), 0))?;
    /// assert_eq!(plan.head_output().len(), 3);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn head_output(&self) -> &[f32] {
        let ValueRef { slot, width } = self.program.head;
        let rows = self.ran.map_or(0, |(rows, _)| rows);
        self.memory.values.get(slot, rows, width)
    }

    /// Numbers a row at which backward passes start.
    ///
    /// ```
    /// # use maas_core::{Seed, Values};
    /// # use maas_nn::{Compute, Mode, Plan, PlanOptions, Sequential, ValuesMut};
    /// # let network = Sequential::rows(2).dense(1).build(Seed(7))?;
    /// # let mut plan = Plan::new(&network, PlanOptions::train(4))?;
    /// assert_eq!(plan.head_width(), 1);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn head_width(&self) -> usize {
        self.program.head.width
    }

    /// The state after the last forward pass in training mode: running statistics moved on by one step. `None` where
    /// the network has none. [`Network::set_state`](crate::Network::set_state) takes it over.
    ///
    /// ```
    /// # use maas_core::{Seed, Values};
    /// # use maas_nn::{Compute, Mode, Plan, PlanOptions, Sequential, ValuesMut};
    /// # let network = Sequential::rows(2).dense(1).build(Seed(7))?;
    /// # let mut plan = Plan::new(&network, PlanOptions::train(4))?;
    /// assert_eq!(plan.next_state(), None);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn next_state(&self) -> Option<&[f32]> {
        (!self.memory.next_state.is_empty()).then_some(&self.memory.next_state)
    }
}
