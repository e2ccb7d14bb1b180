use std::fmt;
use std::ops::Range;

use super::Plan;
use crate::layer::ValueType;
use crate::{Error, Network};

/// Where numbers stopped being finite: what [`Plan::first_non_finite`] found.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum NonFinite {
    /// In what the network was given.
    Input {
        /// The input's name.
        input: String,
        /// The row of the batch.
        row: usize,
        /// The number.
        value: f32,
    },
    /// In a parameter or in state.
    Segment {
        /// The layer's name.
        layer: String,
        /// The segment's name.
        segment: String,
        /// The number.
        value: f32,
    },
    /// In a layer's output, of finite inputs and parameters.
    Output {
        /// The layer's name.
        layer: String,
        /// The row of the batch.
        row: usize,
        /// The number.
        value: f32,
    },
    /// In the gradient that the loss gave.
    Loss {
        /// The row of the batch.
        row: usize,
        /// The number.
        value: f32,
    },
    /// In the gradient by a parameter, of a finite gradient by the layer's output.
    Gradient {
        /// The layer's name.
        layer: String,
        /// The segment's name.
        segment: String,
        /// The number.
        value: f32,
    },
    /// In the gradient that a layer passed on, of a finite gradient by its output.
    InputGradient {
        /// The layer's name.
        layer: String,
        /// The row of the batch.
        row: usize,
        /// The number.
        value: f32,
    },
}

impl NonFinite {
    /// The name of the layer where it began, where it was in a layer.
    ///
    /// ```
    /// use maas_nn::NonFinite;
    ///
    /// fn of_a_layer(found: &NonFinite) -> bool {
    ///     found.layer().is_some()
    /// }
    /// ```
    pub fn layer(&self) -> Option<&str> {
        match self {
            Self::Input { .. } | Self::Loss { .. } => None,
            Self::Segment { layer, .. }
            | Self::Output { layer, .. }
            | Self::Gradient { layer, .. }
            | Self::InputGradient { layer, .. } => Some(layer),
        }
    }
}

impl fmt::Display for NonFinite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Input { input, row, value } => {
                write!(f, "{value} in row {row} of input `{input}`")
            }
            Self::Segment { segment, value, .. } => write!(f, "{value} in `{segment}`"),
            Self::Output { layer, row, value } => {
                write!(f, "{value} in row {row} of the output of layer `{layer}`")
            }
            Self::Loss { row, value } => {
                write!(f, "{value} in row {row} of the gradient that the loss gave")
            }
            Self::Gradient { segment, value, .. } => {
                write!(f, "{value} in the gradient by `{segment}`")
            }
            Self::InputGradient { layer, row, value } => write!(
                f,
                "{value} in row {row} of the gradient by the input of layer `{layer}`"
            ),
        }
    }
}

impl Plan {
    /// Where the numbers of a step stopped being finite, or `None` where they did not.
    ///
    /// To be asked instead of [`backward`](Plan::backward), after [`forward_head`](Plan::forward_head) over the same
    /// rows and with the loss's gradient in the head: it looks through inputs, parameters and state, then through
    /// the layers' outputs in the order of the forward pass, then at the head's gradient; then it runs the backward
    /// pass and looks at what each layer gives. What is found first is where it began.
    ///
    /// A trainer that has found a sum of squares of the gradient which is not finite lets the loss write its gradient
    /// once more, as the backward pass has used it up, and asks; steps in which all is well pay nothing. An
    /// activation that runs in the epilogue of a dense layer goes by the dense layer's name.
    ///
    /// # Errors
    /// As for [`backward`](Plan::backward).
    ///
    /// ```
    /// use maas_core::{Seed, Values};
    /// use maas_nn::{Mode, Plan, PlanOptions, Sequential};
    ///
    /// let network = Sequential::rows(1).dense(1).name("narrow").dense(1).name("wide").build(Seed(7))?;
    /// let mut network = network;
    /// network.segment_mut("narrow.kernel")?.fill(1.0);
    /// network.segment_mut("wide.kernel")?.fill(1e38);
    /// let mut plan = Plan::new(&network, PlanOptions::train(2))?;
    /// plan.set_input(0, 2, Values::F32(&[1.0, 1e3]))?;
    /// plan.forward_head(2, &network, Mode::train(Seed(7), 0))?;
    /// plan.head_gradient_mut().fill(1.0);
    ///
    /// let found = plan.first_non_finite(2, &network)?.expect("1e3 · 1e38 overflows");
    /// assert_eq!(found.layer(), Some("wide"));
    /// assert_eq!(found.to_string(), "inf in row 1 of the output of layer `wide`");
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn first_non_finite(
        &mut self,
        rows: usize,
        network: &Network,
    ) -> Result<Option<NonFinite>, Error> {
        let mode = self.check_backward(rows, network)?;
        let given = self.in_inputs(rows).or_else(|| self.in_segments(network));
        if let Some(found) = given.or_else(|| self.in_outputs(rows)) {
            return Ok(Some(found));
        }
        let width = self.program.head.width;
        let head = self.program.head_gradient.ok_or(Error::Purpose)?;
        let gradient = self.memory.gradients.get(head, rows, width);
        if let Some((row, value)) = in_rows(gradient, width) {
            return Ok(Some(NonFinite::Loss { row, value }));
        }
        for index in (0..self.program.head_steps).rev() {
            let (context, (mut part, mut whole), _) = self.open(rows, network.into(), mode);
            context.step_back(index, &mut part, &mut whole, true)?;
            if let Some(found) = self.in_gradients(index, rows) {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    fn in_inputs(&self, rows: usize) -> Option<NonFinite> {
        let specs = self.architecture.spec.inputs.iter();
        let types = specs.zip(&self.architecture.inputs);
        for ((spec, row_type), input) in types.zip(&self.program.inputs) {
            if row_type.value_type != ValueType::F32 {
                continue;
            }
            let values = self.memory.values.get(input.slot, rows, input.width);
            if let Some((row, value)) = in_rows(values, input.width) {
                let input = spec.name().to_owned();
                return Some(NonFinite::Input { input, row, value });
            }
        }
        None
    }

    fn in_segments(&self, network: &Network) -> Option<NonFinite> {
        let parameters = network.segments().iter();
        let parameters =
            parameters.map(|one| (&one.name, &network.parameters()[one.range.clone()]));
        let state = network.state_segments().iter();
        let state = state.map(|one| (&one.name, &network.state()[one.range.clone()]));
        for (segment, values) in parameters.chain(state) {
            if let Some((_, value)) = in_rows(values, 1) {
                let layer = segment.split('.').next().unwrap_or_default().to_owned();
                let segment = segment.clone();
                return Some(NonFinite::Segment {
                    layer,
                    segment,
                    value,
                });
            }
        }
        None
    }

    fn in_outputs(&self, rows: usize) -> Option<NonFinite> {
        for step in &self.program.steps[..self.program.head_steps] {
            let width = step.output.width;
            let values = self.memory.values.get(step.output.slot, rows, width);
            if let Some((row, value)) = in_rows(values, width) {
                let layer = self.layer_name(step.node);
                return Some(NonFinite::Output { layer, row, value });
            }
        }
        None
    }

    /// What a step's backward pass has just written.
    fn in_gradients(&self, index: usize, rows: usize) -> Option<NonFinite> {
        let step = &self.program.steps[index];
        step.output_gradient?;
        let layout = &self.architecture.layout;
        for range in &layout.parameters_of[step.node] {
            if let Some((_, value)) = in_rows(&self.memory.gradient[range.clone()], 1) {
                let layer = self.layer_name(step.node);
                let of_range = |range: &Range<usize>| {
                    let mut segments = layout.segments.iter();
                    segments.find(|segment| segment.range == *range)
                };
                let segment = of_range(range).map_or(String::new(), |found| found.name.clone());
                return Some(NonFinite::Gradient {
                    layer,
                    segment,
                    value,
                });
            }
        }
        for (flow, input) in step.input_gradients.iter().zip(&step.inputs) {
            let Some(slot) = flow.slot() else { continue };
            let values = self.memory.gradients.get(slot, rows, input.width);
            if let Some((row, value)) = in_rows(values, input.width) {
                let layer = self.layer_name(step.node);
                return Some(NonFinite::InputGradient { layer, row, value });
            }
        }
        None
    }

    fn layer_name(&self, node: usize) -> String {
        self.architecture.spec.nodes[node].name.clone()
    }
}

/// The row of the first number that is not finite, and the number.
fn in_rows(values: &[f32], width: usize) -> Option<(usize, f32)> {
    let at = values.iter().position(|value| !value.is_finite())?;
    Some((at / width.max(1), values[at]))
}
