//! Where numbers stop being finite is found and named.

#![allow(clippy::unwrap_used)]

use maas_core::{Seed, Values};
use maas_nn::{
    Backward, Error, Forward, Layer, LayerPlan, Mode, Network, NonFinite, Plan, PlanOptions,
    RowType, Sequential,
};

/// y = x, whose derivative is infinite where the gradient is 3.
#[derive(Debug)]
struct Trap;

impl Layer for Trap {
    fn kind(&self) -> &str {
        "trap"
    }

    fn plan(&self, inputs: &[RowType]) -> Result<LayerPlan, Error> {
        let [x] = RowType::exactly(inputs)?;
        Ok(LayerPlan::new(x.shape.clone()))
    }

    fn forward(&self, pass: &mut Forward<'_>) -> Result<(), Error> {
        pass.output.copy_from_slice(pass.inputs.f32(0)?);
        Ok(())
    }

    fn backward(&self, pass: &mut Backward<'_>) -> Result<(), Error> {
        if let Some(dx) = pass.input_gradients.get(0) {
            for (dx, &dy) in dx.iter_mut().zip(&*pass.output_gradient) {
                *dx = if dy == 3.0 { f32::INFINITY } else { dy };
            }
        }
        Ok(())
    }
}

fn network() -> Network {
    let mut network = Sequential::rows(2)
        .dense(2)
        .relu()
        .layer(Trap)
        .dense(2)
        .build(Seed(1))
        .unwrap();
    for name in ["dense.kernel", "dense_1.kernel"] {
        network.segment_mut(name).unwrap().fill(1.0);
    }
    network
}

/// What is found in a step over three rows, with this gradient by the output.
fn found(network: &Network, x: &[f32; 6], gradient: &[f32; 6]) -> Option<NonFinite> {
    let mut plan = Plan::new(network, PlanOptions::train(4)).unwrap();
    plan.set_input(0, 3, Values::F32(x)).unwrap();
    plan.forward_head(3, network, Mode::train(Seed(0), 0))
        .unwrap();
    plan.head_gradient_mut()[..6].copy_from_slice(gradient);
    plan.first_non_finite(3, network).unwrap()
}

const X: [f32; 6] = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];

#[test]
fn every_place_is_told_apart() {
    let network = network();
    assert_eq!(found(&network, &X, &[1.0; 6]), None);

    let x = [1.0, 2.0, 3.0, f32::INFINITY, 5.0, f32::NAN];
    let Some(NonFinite::Input {
        input,
        row: 1,
        value,
    }) = found(&network, &x, &[1.0; 6])
    else {
        panic!("the input is where it began");
    };
    assert_eq!((input.as_str(), value), ("x", f32::INFINITY));

    let mut bad = network.clone();
    bad.segment_mut("dense_1.bias").unwrap()[1] = f32::NAN;
    let at = found(&bad, &X, &[1.0; 6]).unwrap();
    assert!(matches!(&at, NonFinite::Segment { segment, .. } if segment == "dense_1.bias"));
    assert_eq!(at.to_string(), "NaN in `dense_1.bias`");

    let x = [1.0, 2.0, 3.0, 4.0, 3e38, 3e38];
    let at = found(&network, &x, &[1.0; 6]).unwrap();
    assert!(matches!(&at, NonFinite::Output { layer, row: 2, .. } if layer == "dense"));

    let at = found(&network, &X, &[1.0, 1.0, f32::NAN, 1.0, 1.0, 1.0]).unwrap();
    assert!(matches!(at, NonFinite::Loss { row: 1, .. }));
    assert_eq!(at.layer(), None);

    let at = found(&network, &X, &[1.5, 1.5, 1.0, 1.0, 1.0, 1.0]).unwrap();
    assert!(matches!(&at, NonFinite::InputGradient { layer, row: 0, .. } if layer == "trap"));

    let at = found(&network, &X, &[1.0, 1.0, 1.0, 1.0, 3e38, 3e38]).unwrap();
    assert!(
        matches!(&at, NonFinite::Gradient { layer, segment, .. } if layer == "dense_1" && segment == "dense_1.kernel"),
        "{at}"
    );
}

#[test]
fn it_follows_a_forward_pass() {
    let network = network();
    let mut plan = Plan::new(&network, PlanOptions::train(4)).unwrap();
    assert!(matches!(
        plan.first_non_finite(3, &network),
        Err(Error::NoForward { rows: 3 })
    ));
    let mut answers = Plan::new(&network, PlanOptions::infer(4)).unwrap();
    answers.forward(3, &network, Mode::Infer).unwrap();
    assert!(matches!(
        answers.first_non_finite(3, &network),
        Err(Error::Purpose)
    ));
    // Rows of other passes do not count.
    plan.set_input(0, 4, Values::F32(&[f32::NAN; 8])).unwrap();
    plan.forward_head(4, &network, Mode::train(Seed(0), 0))
        .unwrap();
    plan.set_input(0, 1, Values::F32(&[1.0, 2.0])).unwrap();
    plan.forward_head(1, &network, Mode::train(Seed(0), 0))
        .unwrap();
    plan.head_gradient_mut()[..2].fill(1.0);
    assert_eq!(plan.first_non_finite(1, &network).unwrap(), None);
}
