use maas_kernels::{
    Activation, Compute, Epilogue, InputScale, Int8Matrix, Matrix, MatrixMut, PanelMatrix,
    SparseInt8Matrix, SparseMatrix,
};

use super::elements_of;
use crate::reference::Reference;
use crate::{
    Arithmetic, Backward, Error, Forward, Initializer, Layer, LayerPlan, Packed, ParameterPass,
    ParameterSpec, ProductPrecision, Representation, Role, RowType, SavedSpec, Slices,
};

/// y = f(x·W + b) over the last axis, x of rows × inputs, W of inputs × units.
///
/// Specifications know plain dense layers only; lowering puts an activation that follows into f.
#[derive(Clone, Debug)]
pub(crate) struct Dense {
    pub(crate) units: usize,
    pub(crate) bias: bool,
    pub(crate) kernel_initializer: Initializer,
    pub(crate) bias_initializer: Initializer,
    pub(crate) arithmetic: Arithmetic,
    pub(crate) activation: Activation,
}

impl Layer for Dense {
    fn kind(&self) -> &str {
        "dense"
    }

    fn plan(&self, inputs: &[RowType]) -> Result<LayerPlan, Error> {
        let [x] = RowType::exactly(inputs)?;
        x.expect_f32()?;
        if self.units == 0 {
            return Err(Error::ZeroUnits);
        }
        self.arithmetic.check()?;
        let inputs = match x.shape.last() {
            None | Some(0) => {
                return Err(Error::Width {
                    expected: 1,
                    found: 0,
                });
            }
            Some(&inputs) => inputs,
        };
        let mut output = x.shape.clone();
        output.pop();
        let vectors = output.iter().product::<usize>();
        output.push(self.units);
        let per_unit = 2 * inputs as u64
            + u64::from(self.bias)
            + u64::from(self.activation != Activation::Linear);
        let mut plan = LayerPlan::new(output)
            .parameter(
                ParameterSpec::new("kernel", [inputs, self.units], Role::Weight)
                    .initializer(self.kernel_initializer)
                    .in_parts_of(self.units),
            )
            .by_rows()
            .flops(
                (vectors as u64)
                    .saturating_mul(self.units as u64)
                    .saturating_mul(per_unit),
            );
        if self.bias {
            plan = plan.parameter(
                ParameterSpec::new("bias", [self.units], Role::Bias)
                    .initializer(self.bias_initializer)
                    .in_parts_of(1),
            );
        }
        plan = match self.arithmetic {
            Arithmetic::F32 => plan.representations(&[
                Representation::Dense,
                Representation::Panels,
                Representation::Sparse,
            ]),
            Arithmetic::Int8 { .. } => plan
                .packs()
                .representations(&[Representation::Dense, Representation::Sparse]),
            Arithmetic::Bf16 => plan,
        };
        if !self.activation.derivative_from_output() {
            let width = vectors.checked_mul(self.units).ok_or(Error::TooLarge)?;
            plan = plan.saved(SavedSpec {
                f32: width,
                ..SavedSpec::default()
            });
        }
        Ok(plan)
    }

    fn pack(
        &self,
        parameters: Slices<'_>,
        representation: Representation,
        earlier: Option<Packed>,
    ) -> Result<Option<Packed>, Error> {
        let w = parameters.get(0);
        let w = Matrix::new(w, w.len() / self.units, self.units);
        match (self.arithmetic, representation) {
            (Arithmetic::Int8 { .. }, Representation::Dense) => {
                let mut earlier = earlier;
                if let Some(codes) = earlier.as_mut().and_then(Packed::get_mut::<Int8Matrix>) {
                    codes.requantize(w)?;
                    return Ok(earlier);
                }
                let codes = Int8Matrix::quantize(w)?;
                let bytes = codes.bytes();
                Ok(Some(Packed::new(codes, bytes)))
            }
            (Arithmetic::Int8 { .. }, Representation::Sparse) => {
                let refused = |_| Error::Representation {
                    expected: &[Representation::Dense],
                    found: representation,
                };
                let codes = Int8Matrix::quantize(w)?;
                let sparse = SparseInt8Matrix::new(&codes).map_err(refused)?;
                let bytes = sparse.bytes();
                Ok(Some(Packed::new(sparse, bytes)))
            }
            (Arithmetic::F32, Representation::Panels) => {
                let panels = PanelMatrix::new(w);
                let bytes = panels.bytes();
                Ok(Some(Packed::new(panels, bytes)))
            }
            (Arithmetic::F32, Representation::Sparse) => {
                let sparse = SparseMatrix::new(w);
                let bytes = sparse.bytes();
                Ok(Some(Packed::new(sparse, bytes)))
            }
            _ => Ok(None),
        }
    }

    fn forward(&self, pass: &mut Forward<'_>) -> Result<(), Error> {
        let (x, w) = (pass.inputs.f32(0)?, pass.parameters.get(0));
        let (inputs, rows) = (w.len() / self.units, pass.output.len() / self.units);
        let epilogue = Epilogue {
            bias: self.bias.then(|| pass.parameters.get(1)),
            activation: self.activation,
            pre_activation: (!pass.saved.f32.is_empty()).then_some(&mut *pass.saved.f32),
            derivative: None,
        };
        let x = Matrix::new(x, rows, inputs);
        let y = MatrixMut::new(pass.output, rows, self.units);
        let Compute {
            kernels,
            parallelism,
        } = pass.compute;
        if let Arithmetic::Int8 { input_scale } = self.arithmetic {
            let scale = input_scale.map_or(InputScale::PerRow, InputScale::Fixed);
            let packed = pass.packed.expect("the layer has said that it packs");
            if let Some(sparse) = packed.get::<SparseInt8Matrix>() {
                kernels.matmul_sparse_int8(x, scale, sparse, y, epilogue, parallelism);
                return Ok(());
            }
            let codes = packed
                .get::<Int8Matrix>()
                .expect("codes are dense or sparse");
            kernels.matmul_int8(x, scale, codes, y, epilogue, parallelism);
            return Ok(());
        }
        if let (Some(packed), ProductPrecision::F32) = (pass.packed, pass.precision) {
            if let Some(sparse) = packed.get::<SparseMatrix>() {
                kernels.matmul_sparse(x, sparse, y, epilogue, parallelism);
                return Ok(());
            }
            if let Some(panels) = packed.get::<PanelMatrix>() {
                kernels.matmul_panels(x, panels, y, epilogue, parallelism);
                return Ok(());
            }
        }
        let precision = match self.arithmetic {
            Arithmetic::Bf16 => ProductPrecision::Bf16,
            _ => pass.precision,
        };
        let w = Matrix::new(w, inputs, self.units);
        precision.matmul(pass.compute, x, w, y, epilogue);
        Ok(())
    }

    /// With z = x·W + b and dz = dy ⊙ f′(z), which takes the place of dy: dx = dz·Wᵀ, or, where that is asked for, its product
    /// with the derivative of the activation that x comes from.
    fn backward(&self, pass: &mut Backward<'_>) -> Result<(), Error> {
        let w = pass.parameters.get(0);
        let (inputs, rows) = (w.len() / self.units, pass.output.len() / self.units);
        let kernels = pass.compute.kernels;
        if self.activation != Activation::Linear && !pass.derived {
            let saved = if self.activation.derivative_from_output() {
                pass.output
            } else {
                &*pass.saved.f32
            };
            let parts = (saved, &mut *pass.output_gradient);
            pass.compute
                .split(parts, elements_of(self.activation), |(saved, dz)| {
                    kernels.activation_gradient_in_place(self.activation, saved, dz);
                });
        }
        let x = pass.inputs.f32(0)?;
        if let Some(dx) = pass.input_gradients.get(0) {
            pass.precision.matmul(
                pass.compute,
                Matrix::new(pass.output_gradient, rows, self.units),
                Matrix::new(w, inputs, self.units).transposed(),
                MatrixMut::new(dx, rows, inputs),
                Epilogue {
                    derivative: pass.derives.map(|activation| (activation, x)),
                    ..Epilogue::default()
                },
            );
        }
        Ok(())
    }

    /// dW = xᵀ·dz, some rows of it; db = the column sums of dz, some of them.
    fn parameter_gradients(&self, pass: &mut ParameterPass<'_>) -> Result<(), Error> {
        let (x, w) = (pass.inputs.f32(0)?, pass.parameters.get(0));
        let (inputs, rows) = (w.len() / self.units, pass.output.len() / self.units);
        let dz = Matrix::new(pass.output_gradient, rows, self.units);
        let (part, dw) = pass.gradients.part(0);
        let part = part.start / self.units..part.end / self.units;
        let dw = MatrixMut::new(dw, part.len(), self.units);
        pass.precision.matmul(
            pass.compute,
            Matrix::new(x, rows, inputs).transposed().row_range(part),
            dz,
            dw,
            Epilogue::default(),
        );
        if self.bias {
            let (part, db) = pass.gradients.part(1);
            pass.compute.column_sums(dz.column_range(part), db);
        }
        Ok(())
    }

    fn reference(&self, pass: &mut Reference<'_>) -> Result<bool, Error> {
        let (x, w) = (pass.input(0)?, pass.parameter(0));
        let bias = self.bias.then(|| pass.parameter(1));
        let inputs = w.len() / self.units;
        for (x, y) in x
            .chunks_exact(inputs)
            .zip(pass.output.chunks_exact_mut(self.units))
        {
            for (unit, y) in y.iter_mut().enumerate() {
                let product: f64 = x
                    .iter()
                    .enumerate()
                    .map(|(i, &x)| x * w[i * self.units + unit])
                    .sum();
                *y = super::activation::reference(
                    self.activation,
                    product + bias.map_or(0.0, |b| b[unit]),
                );
            }
        }
        Ok(true)
    }
}
