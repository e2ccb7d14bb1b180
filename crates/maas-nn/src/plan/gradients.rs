use super::Plan;
use crate::Error;
use crate::pass::ValueRef;

/// Gradients.
impl Plan {
    /// What the loss compares for `rows` rows, and where it writes its gradient: [`head_output`](Plan::head_output)
    /// and [`head_gradient_mut`](Plan::head_gradient_mut) at once.
    ///
    /// # Panics
    /// When the plan is not for training or holds fewer rows.
    ///
    /// ```
    /// # use maas_core::{Seed, Values};
    /// # use maas_nn::{Compute, Mode, Plan, PlanOptions, Sequential, ValuesMut};
    /// # let network = Sequential::rows(2).dense(1).build(Seed(7))?;
    /// # let mut plan = Plan::new(&network, PlanOptions::train(4))?;
    /// plan.forward_head(1, &network, Mode::train(Seed(7), 0))?;
    /// let (predictions, gradient) = plan.head(1);
    /// gradient[0] = predictions[0] - 1.0; // of ½ (p − 1)²
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn head(&mut self, rows: usize) -> (&[f32], &mut [f32]) {
        let ValueRef { slot, width } = self.program.head;
        let gradient = self
            .program
            .head_gradient
            .expect("the plan is for training");
        (
            self.memory.values.get(slot, rows, width),
            self.memory.gradients.get_mut(gradient, rows, width),
        )
    }

    /// The gradient of the loss by the head's output, to write before [`backward`](Plan::backward): for all rows
    /// that the plan can hold, row i starts at i · [`head_width`](Plan::head_width).
    ///
    /// # Panics
    /// When the plan is not for training.
    ///
    /// ```
    /// # use maas_core::{Seed, Values};
    /// # use maas_nn::{Compute, Mode, Plan, PlanOptions, Sequential, ValuesMut};
    /// # let network = Sequential::rows(2).dense(1).build(Seed(7))?;
    /// # let mut plan = Plan::new(&network, PlanOptions::train(4))?;
    /// plan.head_gradient_mut().fill(1.0);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn head_gradient_mut(&mut self) -> &mut [f32] {
        let gradient = self
            .program
            .head_gradient
            .expect("the plan is for training");
        let (rows, width) = (self.options.max_rows, self.program.head.width);
        self.memory.gradients.get_mut(gradient, rows, width)
    }

    /// The gradient by all parameters, in the parameters' layout; padding is zero. Empty in a plan for answers.
    ///
    /// ```
    /// # use maas_core::{Seed, Values};
    /// # use maas_nn::{Compute, Mode, Plan, PlanOptions, Sequential, ValuesMut};
    /// # let network = Sequential::rows(2).dense(1).build(Seed(7))?;
    /// # let mut plan = Plan::new(&network, PlanOptions::train(4))?;
    /// assert_eq!(plan.gradient().len(), network.parameters().len());
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn gradient(&self) -> &[f32] {
        &self.memory.gradient
    }

    /// [`gradient`](Plan::gradient), to change, as clipping does.
    ///
    /// ```
    /// # use maas_core::{Seed, Values};
    /// # use maas_nn::{Compute, Mode, Plan, PlanOptions, Sequential, ValuesMut};
    /// # let network = Sequential::rows(2).dense(1).build(Seed(7))?;
    /// # let mut plan = Plan::new(&network, PlanOptions::train(4))?;
    /// plan.gradient_mut().iter_mut().for_each(|g| *g = g.clamp(-1.0, 1.0));
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn gradient_mut(&mut self) -> &mut [f32] {
        &mut self.memory.gradient
    }

    /// Whether every number of the gradient that the last [`backward`](Plan::backward) gave is finite, and so small that the
    /// sum of their squares is as well.
    ///
    /// ```
    /// # use maas_core::{Seed, Values};
    /// # use maas_nn::{Compute, Mode, Plan, PlanOptions, Sequential, ValuesMut};
    /// # let network = Sequential::rows(1).dense(1).build(Seed(7))?;
    /// # let mut plan = Plan::new(&network, PlanOptions::train(1))?;
    /// plan.set_input(0, 1, Values::F32(&[1.0]))?;
    /// plan.forward_head(1, &network, Mode::train(Seed(7), 0))?;
    /// plan.head_gradient_mut()[0] = f32::INFINITY;
    /// plan.backward(1, &network)?;
    /// assert!(!plan.gradient_is_finite());
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn gradient_is_finite(&self) -> bool {
        self.finite
    }

    /// The gradient by input `index` of the last [`backward`](Plan::backward) over `rows` rows, where the plan
    /// computes it.
    ///
    /// # Errors
    /// [`Error::Purpose`] when it does not; [`Error::Rows`] for more rows than the plan holds.
    ///
    /// ```
    /// # use maas_core::{Seed, Values};
    /// # use maas_nn::{Compute, Mode, Plan, PlanOptions, Sequential, ValuesMut};
    /// # let network = Sequential::rows(2).dense(1).build(Seed(7))?;
    /// let mut plan = Plan::new(&network, PlanOptions::train(1).input_gradients())?;
    /// plan.forward(1, &network, Mode::Infer)?;
    /// plan.head_gradient_mut().fill(1.0);
    /// plan.backward(1, &network)?;
    /// // The gradient of x·W by x is W.
    /// assert_eq!(Some(plan.input_gradient(0, 1)?), network.segment("dense.kernel")?.as_slice());
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn input_gradient(&self, index: usize, rows: usize) -> Result<&[f32], Error> {
        self.check_rows(rows)?;
        let slot = self
            .program
            .input_gradients
            .get(index)
            .copied()
            .flatten()
            .ok_or(Error::Purpose)?;
        let width = self.program.inputs[index].width;
        Ok(self.memory.gradients.get(slot, rows, width))
    }
}
