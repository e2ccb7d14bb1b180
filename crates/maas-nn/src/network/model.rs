use maas_core::{Context, DType, Model, Outputs, Scratch, Signature, TensorView, Values};
use maas_kernels::{Compute, Parallelism};
use ndarray::{Array2, ArrayView2};

use super::Network;
use super::layout::reserve;
use crate::layer::{RowType, ValueType};
use crate::{Error, Mode, PackedNetwork, Plan, PlanOptions};

/// The most rows of one pass: larger batches run in pieces. A row's answer does not depend on its piece.
const PIECE: usize = 512;

/// Predictions.
impl Network {
    /// The answers for rows × inputs numbers, as rows × outputs.
    ///
    /// This makes a plan for each call. Who predicts often keeps a [`Plan`], or asks through [`Model`].
    ///
    /// # Errors
    /// [`Error::Width`] when the rows have not as many numbers as the network takes; [`Error::InputCount`] or
    /// [`Error::ValueType`] when the network takes several inputs or integers: see
    /// [`predict_values`](Network::predict_values).
    ///
    /// ```
    /// use maas_core::Seed;
    /// use maas_nn::Sequential;
    /// use ndarray::array;
    ///
    /// let network = Sequential::rows(2).dense(3).relu().dense(1).build(Seed(7))?;
    /// let answers = network.predict(&array![[1.0, 2.0], [3.0, 4.0]])?;
    /// assert_eq!(answers.dim(), (2, 1));
    /// assert!(network.predict(&array![[1.0, 2.0, 3.0]]).is_err());
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn predict<'a>(&self, rows: impl Into<ArrayView2<'a, f32>>) -> Result<Array2<f32>, Error> {
        self.predict_rows(&rows.into(), None)
    }

    pub(crate) fn predict_rows(
        &self,
        rows: &ArrayView2<'_, f32>,
        packed: Option<&PackedNetwork>,
    ) -> Result<Array2<f32>, Error> {
        let [input] = RowType::exactly(&self.architecture.inputs)?;
        input.expect_f32()?;
        if rows.ncols() != input.width() {
            return Err(Error::Width {
                expected: input.width(),
                found: rows.ncols(),
            });
        }
        let standard = rows.as_standard_layout();
        let values = standard.as_slice().expect("a standard layout is one slice");
        self.predict_pieces(rows.nrows(), &[Values::F32(values)], packed)
    }

    /// The answers for `rows` rows of several inputs or of integers, as rows × outputs.
    ///
    /// # Errors
    /// [`Error::InputCount`], [`Error::Length`] or [`Error::ValueType`] when the values are not what the network
    /// takes, and whatever a layer reports.
    ///
    /// ```
    /// use maas_core::{Seed, Values};
    /// use maas_nn::Sequential;
    ///
    /// let network = Sequential::rows(2).dense(1).build(Seed(7))?;
    /// assert_eq!(network.predict_values(1, &[Values::F32(&[1.0, 2.0])])?.dim(), (1, 1));
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn predict_values(&self, rows: usize, inputs: &[Values<'_>]) -> Result<Array2<f32>, Error> {
        self.predict_pieces(rows, inputs, None)
    }

    pub(crate) fn predict_pieces(
        &self,
        rows: usize,
        inputs: &[Values<'_>],
        packed: Option<&PackedNetwork>,
    ) -> Result<Array2<f32>, Error> {
        let types = &self.architecture.inputs;
        if inputs.len() != types.len() {
            return Err(Error::InputCount {
                expected: types.len(),
                found: inputs.len(),
            });
        }
        for (values, row) in inputs.iter().zip(types) {
            let expected = rows.checked_mul(row.width()).ok_or(Error::TooLarge)?;
            if values.len() != expected {
                return Err(Error::Length {
                    expected,
                    found: values.len(),
                });
            }
        }
        let width = self.output_width();
        let length = rows.checked_mul(width).ok_or(Error::TooLarge)?;
        reserve::<f32>(length)?;
        let mut answers = vec![0.0; length];
        let mut plan = Plan::new(self, PlanOptions::infer(rows.clamp(1, PIECE)))?;
        let input = |index: usize| Ok(inputs[index]);
        self.run_pieces((&mut plan, packed), rows, input, &mut answers)?;
        Ok(Array2::from_shape_vec((rows, width), answers).expect("rows × width answers"))
    }

    /// Runs `rows` rows piece by piece; `input` gives all rows of an input.
    fn run_pieces<'a>(
        &self,
        (plan, packed): (&mut Plan, Option<&PackedNetwork>),
        rows: usize,
        input: impl Fn(usize) -> Result<Values<'a>, Error>,
        answers: &mut [f32],
    ) -> Result<(), Error> {
        let (piece, width) = (plan.options().max_rows, self.output_width());
        for first in (0..rows).step_by(piece) {
            let rows = piece.min(rows - first);
            for (index, row) in self.architecture.inputs.iter().enumerate() {
                let (values, range) = (
                    input(index)?,
                    first * row.width()..(first + rows) * row.width(),
                );
                let length = Error::Length {
                    expected: range.end,
                    found: values.len(),
                };
                plan.set_input(index, rows, values.slice(range).ok_or(length)?)?;
            }
            match packed {
                Some(packed) => plan.forward_packed(rows, packed)?,
                None => plan.forward(rows, self, Mode::Infer)?,
            }
            answers[first * width..(first + rows) * width].copy_from_slice(plan.output());
        }
        Ok(())
    }
}

/// Serving: the scratch holds a [`Plan`], so that a call allocates nothing.
///
/// Any number of rows may be asked: what is more than the scratch was made for, or than 512, runs in pieces, which
/// gives the same bits.
impl Model for Network {
    fn signature(&self) -> &Signature {
        self.signature()
    }

    fn scratch(&self, max_rows: usize) -> Result<Scratch, maas_core::Error> {
        let plan =
            Plan::new(self, PlanOptions::infer(max_rows.clamp(1, PIECE))).map_err(core_error)?;
        let mut shape = vec![0];
        shape.extend(self.architecture.row_type(self.spec().output).shape);
        Ok(Scratch::new(Served { plan, shape }))
    }

    fn predict(
        &self,
        inputs: &[TensorView<'_>],
        outputs: &mut Outputs<'_>,
        context: &mut Context,
    ) -> Result<(), maas_core::Error> {
        self.serve(inputs, outputs, context, None)
    }
}

impl Network {
    pub(crate) fn serve(
        &self,
        inputs: &[TensorView<'_>],
        outputs: &mut Outputs<'_>,
        context: &mut Context,
        packed: Option<&PackedNetwork>,
    ) -> Result<(), maas_core::Error> {
        let rows = self.signature().check(inputs)?;
        let Served { plan, shape } = context.scratch.get_mut()?;
        let kernels = plan.options().compute.kernels;
        plan.set_compute(Compute {
            kernels,
            parallelism: Parallelism::threads(context.threads),
        });
        shape[0] = rows;
        let mut answers = outputs.tensor_to_fill(0, DType::Fp32, shape)?;
        let input = |index: usize| match self.architecture.inputs[index].value_type {
            ValueType::F32 => Ok(Values::F32(inputs[index].as_slice()?)),
            ValueType::I32 => Ok(Values::I32(inputs[index].as_slice()?)),
        };
        self.run_pieces((plan, packed), rows, input, answers.as_mut_slice()?)
            .map_err(core_error)
    }
}

/// What serving keeps between calls.
struct Served {
    plan: Plan,
    /// The shape of the answers, rows first.
    shape: Vec<usize>,
}

fn core_error(error: Error) -> maas_core::Error {
    match error {
        Error::Core(error) => error,
        error => maas_core::Error::model(error),
    }
}
