//! Every layer of the library keeps every law, and each law is seen to be broken.

#![allow(clippy::unwrap_used)]

use maas_core::{Moments, Seed};
use maas_nn::check::{Breach, Law, LayerLaws};
use maas_nn::{
    Activation, Backward, Error, Forward, FromConfig, Initial, Initializer, Layer, LayerPlan,
    LayerSpec, Mode, RowType, SavedSpec, StateSpec,
};
use serde_json::Value;

fn laws(spec: LayerSpec, inputs: impl Into<Vec<RowType>>) -> LayerLaws {
    LayerLaws::of_spec(spec, inputs).unwrap()
}

fn keeps(laws: &LayerLaws) {
    for seed in [1, 2] {
        if let Err(error) = laws.clone().seed(Seed(seed)).check() {
            panic!("{laws:?}: {error:?}");
        }
    }
}

#[test]
fn activations() {
    for activation in [
        Activation::Linear,
        Activation::Relu,
        Activation::LeakyRelu { slope: 0.2 },
        Activation::LeakyRelu { slope: -0.3 },
        Activation::Elu { alpha: 1.0 },
        Activation::Elu { alpha: -0.5 },
        Activation::Selu,
        Activation::Gelu,
        Activation::GeluTanh,
        Activation::Silu,
        Activation::Mish,
        Activation::Tanh,
        Activation::Sigmoid,
        Activation::HardSigmoid,
        Activation::Softplus,
        Activation::Softsign,
    ] {
        keeps(&laws(
            LayerSpec::Activation(activation),
            [RowType::f32([2, 9])],
        ));
    }
    keeps(&laws(LayerSpec::Softmax, [RowType::f32([3, 7])]));
}

#[test]
fn dense_and_embedding() {
    keeps(&laws(LayerSpec::dense(5), [RowType::f32([7])]));
    keeps(&laws(LayerSpec::dense(17), [RowType::f32([2, 3])]));
    let embedding = LayerSpec::Embedding {
        vocabulary: 11,
        width: 5,
        initializer: Initializer::Normal {
            mean: 0.0,
            deviation: 0.5,
        },
    };
    keeps(&laws(embedding, [RowType::i32([4])]).ids_below(11));
    keeps(&laws(LayerSpec::embedding(9, 200), [RowType::i32([])]));
}

#[test]
fn normalisations() {
    for shape in [&[6][..], &[3, 5], &[37], &[1]] {
        let x = || [RowType::f32(shape)];
        // Differences of a single feature's normalisation cancel to nothing.
        if shape != [1] {
            keeps(&laws(LayerSpec::layer_norm(), x()));
        }
        for (center, scale) in [(true, true), (false, true), (true, false), (false, false)] {
            let layer = LayerSpec::BatchNorm {
                momentum: 0.9,
                epsilon: 1e-3,
                center,
                scale,
            };
            keeps(&laws(layer, x()).mixing_in_training());
        }
    }
    let moments = Moments::new([1.0, -2.0, 0.25], [2.0, 0.5, 1.5]).unwrap();
    let normalize = LayerSpec::Normalization {
        moments: moments.clone(),
    };
    keeps(&laws(normalize, [RowType::f32([3])]));
    keeps(&laws(
        LayerSpec::Denormalization { moments },
        [RowType::f32([3])],
    ));
}

#[test]
fn noise_and_shapes() {
    keeps(&laws(
        LayerSpec::Dropout { rate: 0.4 },
        [RowType::f32([2, 5])],
    ));
    keeps(&laws(
        LayerSpec::GaussianNoise { deviation: 0.3 },
        [RowType::f32([5])],
    ));
    keeps(&laws(LayerSpec::Flatten, [RowType::f32([2, 5])]));
    keeps(&laws(
        LayerSpec::Reshape { shape: vec![5, 2] },
        [RowType::f32([10])],
    ));
}

#[test]
fn joins() {
    for count in 1..4 {
        let same = vec![RowType::f32([2, 3]); count];
        keeps(&laws(LayerSpec::Add, same.clone()));
        keeps(&laws(LayerSpec::Multiply, same.clone()));
        keeps(&laws(LayerSpec::Concatenate, same));
    }
    let widths = [
        RowType::f32([2, 3]),
        RowType::f32([2, 1]),
        RowType::f32([2, 8]),
    ];
    keeps(&laws(LayerSpec::Concatenate, widths));
}

/// What a layer does wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    None,
    Config,
    Refuses,
    Gradient,
    RowAlone,
    Neighbours,
    Split,
    NothingBehind,
    NoRows,
    Compute,
    Nan,
    ForwardPanics,
}

/// y = 2x, with a fault.
#[derive(Debug)]
struct Faulty(Fault);

impl Layer for Faulty {
    fn kind(&self) -> &str {
        Self::KIND
    }

    fn config(&self) -> Value {
        match self.0 {
            Fault::Config => 3.into(),
            _ => Value::Null,
        }
    }

    fn plan(&self, inputs: &[RowType]) -> Result<LayerPlan, Error> {
        let x = if self.0 == Fault::Refuses {
            &inputs[0]
        } else {
            let [x] = RowType::exactly(inputs)?;
            x.expect_f32()?;
            x
        };
        Ok(LayerPlan::new(x.shape.clone())
            .state(StateSpec::running("mean", [1], Initial::Fill(0.0)))
            .saved(SavedSpec {
                f32: 1,
                ..SavedSpec::default()
            }))
    }

    fn forward(&self, pass: &mut Forward<'_>) -> Result<(), Error> {
        let (x, rows, mode) = (pass.inputs.f32(0)?, pass.rows, pass.mode);
        assert!(self.0 != Fault::ForwardPanics, "no way forward");
        let portable = maas_nn::Kernels::portable();
        let extra = match self.0 {
            Fault::RowAlone if rows == 1 => 1.0,
            Fault::Neighbours => x.iter().sum::<f32>() * 0.0,
            Fault::Split if mode != Mode::Infer => rows as f32,
            Fault::Compute if pass.compute.kernels != portable => 1e-6,
            _ => 0.0,
        };
        let skipped = usize::from(self.0 == Fault::NothingBehind);
        for (x, y) in x.iter().zip(&mut *pass.output).skip(skipped) {
            *y = match self.0 {
                Fault::Nan if x.is_nan() => 0.0,
                _ => 2.0 * x + extra,
            };
        }
        Ok(())
    }

    fn backward(&self, pass: &mut Backward<'_>) -> Result<(), Error> {
        assert!(
            self.0 != Fault::NoRows || pass.rows > 0,
            "a mean of nothing"
        );
        let factor = if self.0 == Fault::Gradient { 2.01 } else { 2.0 };
        if let Some(dx) = pass.input_gradients.get(0) {
            for (dx, dy) in dx.iter_mut().zip(&*pass.output_gradient) {
                *dx = factor * dy;
            }
        }
        Ok(())
    }
}

impl FromConfig for Faulty {
    const KIND: &'static str = "faulty";

    fn from_config(_: &Value) -> Result<Self, Error> {
        Ok(Self(Fault::None))
    }
}

#[test]
fn each_law_is_seen_to_be_broken() {
    let check = |fault| LayerLaws::of(Faulty(fault), [RowType::f32([3])]).check();
    check(Fault::None).unwrap();
    for (fault, expected) in [
        (Fault::Config, Law::Config),
        (Fault::Refuses, Law::PlanRefuses),
        (Fault::Gradient, Law::Gradient),
        (Fault::RowAlone, Law::RowAlone),
        (Fault::Neighbours, Law::Neighbours),
        (Fault::Split, Law::Split),
        (Fault::NoRows, Law::NoRows),
        (Fault::Compute, Law::Compute),
        (Fault::Nan, Law::Nan),
    ] {
        match check(fault) {
            Err(Error::Law { law, .. }) => assert_eq!(law, expected, "{fault:?}"),
            other => panic!("{fault:?}: {other:?}"),
        }
    }
    // An element that is never written shows as a gradient that is wrong, before anything else.
    let unwritten = check(Fault::NothingBehind).unwrap_err();
    assert!(matches!(
        unwritten,
        Error::Law {
            law: Law::Gradient | Law::NothingBehind | Law::RowAlone,
            ..
        }
    ));
    let error = check(Fault::ForwardPanics).unwrap_err();
    let Error::Law { law, breach } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(*law, Law::PlanRefuses);
    assert!(
        matches!(&**breach, Breach::Accepted { message, .. } if message.contains("no way forward"))
    );
    assert!(error.to_string().contains("refuses"), "{error}");
}
