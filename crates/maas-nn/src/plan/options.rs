use maas_kernels::Compute;

use crate::{Link, ProductPrecision};

/// What a [`Plan`](crate::Plan) is to be made for.
///
/// ```
/// use maas_nn::{Link, PlanOptions, Purpose};
///
/// let options = PlanOptions::train(32).head(Link::Softmax);
/// assert_eq!((options.max_rows, options.purpose), (32, Purpose::Train));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
#[must_use]
pub struct PlanOptions {
    /// The most rows of one pass.
    pub max_rows: usize,
    /// Whether gradients are computed.
    pub purpose: Purpose,
    /// Kernels and threads.
    pub compute: Compute,
    /// Where backward passes start.
    pub head: Head,
    /// Whether backward passes reach the network's inputs.
    pub inputs: InputGradients,
    /// What the operands of products are rounded to.
    pub precision: ProductPrecision,
}

/// Whether a plan computes gradients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Answers only: values share memory, nothing is kept.
    Infer,
    /// Answers and gradients.
    Train,
}

/// Where backward passes of a plan start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Head {
    /// At the network's output.
    #[default]
    Output,
    /// Before a last layer that is the loss's own link, or that brings standardised targets back to their units.
    Before(Link),
}

/// Whether backward passes compute gradients by the network's inputs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InputGradients {
    /// Only those by parameters.
    #[default]
    Skip,
    /// Those by single-precision inputs too.
    Compute,
}

impl PlanOptions {
    /// Answers for at most `max_rows` rows a pass, on the best kernels and one thread.
    ///
    /// ```
    /// assert_eq!(maas_nn::PlanOptions::infer(1).max_rows, 1);
    /// ```
    pub fn infer(max_rows: usize) -> Self {
        Self {
            max_rows,
            purpose: Purpose::Infer,
            compute: Compute::default(),
            head: Head::Output,
            inputs: InputGradients::Skip,
            precision: ProductPrecision::F32,
        }
    }

    /// Answers and gradients for at most `max_rows` rows a pass, on the best kernels and one thread.
    ///
    /// ```
    /// assert_eq!(maas_nn::PlanOptions::train(32).purpose, maas_nn::Purpose::Train);
    /// ```
    pub fn train(max_rows: usize) -> Self {
        Self {
            purpose: Purpose::Train,
            ..Self::infer(max_rows)
        }
    }

    /// Uses these kernels and threads; the numbers are the same.
    ///
    /// ```
    /// use maas_nn::{Compute, PlanOptions};
    /// assert_eq!(PlanOptions::infer(8).compute(Compute::default()), PlanOptions::infer(8));
    /// ```
    pub fn compute(self, compute: Compute) -> Self {
        Self { compute, ..self }
    }

    /// Trains what comes before the network's last layer, where that is a denormalisation, or the softmax or
    /// sigmoid of this link: the loss then sees standardised numbers or logits.
    ///
    /// ```
    /// use maas_nn::{Head, Link, PlanOptions};
    /// assert_eq!(PlanOptions::train(8).head(Link::Sigmoid).head, Head::Before(Link::Sigmoid));
    /// ```
    pub fn head(self, link: Link) -> Self {
        Self {
            head: Head::Before(link),
            ..self
        }
    }

    /// Rounds the operands of products, forwards and backwards.
    ///
    /// ```
    /// use maas_nn::{PlanOptions, ProductPrecision};
    /// assert_eq!(PlanOptions::train(8).precision(ProductPrecision::Bf16).precision, ProductPrecision::Bf16);
    /// ```
    pub fn precision(self, precision: ProductPrecision) -> Self {
        Self { precision, ..self }
    }

    /// Also computes gradients by the network's inputs.
    ///
    /// ```
    /// use maas_nn::{InputGradients, PlanOptions};
    /// assert_eq!(PlanOptions::train(8).input_gradients().inputs, InputGradients::Compute);
    /// ```
    pub fn input_gradients(self) -> Self {
        Self {
            inputs: InputGradients::Compute,
            ..self
        }
    }
}
