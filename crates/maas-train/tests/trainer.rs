//! What `fit` and `evaluate` do.

mod common;

use std::sync::Mutex;

use common::{classification, classifier, regression, regressor};
use maas_core::{DType, Seed, TensorSpec};
use maas_data::{Dataset, Input, RowOrder, Targets};
use maas_nn::{Block, CategoricalCrossEntropy, MeanSquaredError, Sequential, Step, Transform};
use maas_train::{
    AbsoluteError, Accuracy, Adam, Chain, Error, Figure, Goal, GradientDescent, LearningRate,
    Plateau, Progress, R2, RootMeanSquaredError, Sgd, Trainer,
};
use ndarray::array;

fn adam<'a>() -> Trainer<'a> {
    Trainer::new(Adam::new(1e-2), MeanSquaredError)
        .epochs(30)
        .progress(Progress::Quiet)
        .seed(Seed(5))
}

#[test]
fn a_regression_is_learnt_in_standardised_units_and_judged_in_raw_ones() {
    let data = regression(400).split([0.7, 0.2, 0.1], Seed(1)).unwrap();
    let mut network = regressor(&data.train);
    let trainer = adam()
        .validation(&data.validation)
        .metric(RootMeanSquaredError)
        .metric(AbsoluteError)
        .metric(R2);
    let before = trainer.evaluate(&network, &data.train).unwrap();
    let history = trainer.fit(&mut network, &data.train).unwrap();
    let after = trainer.evaluate(&network, &data.train).unwrap();
    assert_eq!(history.epochs.len(), 30);
    assert!(
        before.loss > 0.5 && after.loss < 0.02,
        "{before:?} {after:?}"
    );
    let deviation = f64::from(data.train.statistics().targets.unwrap().deviation()[0]);
    let rmse = after.metrics["root_mean_squared_error"];
    assert!(
        (rmse - deviation * f64::from(after.loss).sqrt()).abs() < 1e-3 * rmse,
        "{rmse} {deviation} {after:?}"
    );
    assert!((after.metrics["r2"] - (1.0 - f64::from(after.loss))).abs() < 1e-3);
    assert!(after.metrics["mean_absolute_error"] < rmse);
    let last = history.last().unwrap();
    assert!(
        last.validation_loss.unwrap() < 0.05 && last.validation_metrics["r2"] > 0.95,
        "{last}"
    );
    assert!(last.metrics["r2"] > 0.95 && last.seconds > 0.0);
    let predictions = network.predict(data.train.x()).unwrap();
    let errors = (&predictions - &data.train.y()).mapv(f64::from);
    assert!(((&errors * &errors).mean().unwrap().sqrt() - rmse).abs() < 1e-3 * rmse);
}

#[test]
fn classes_are_learnt_from_logits_and_answered_as_probabilities() {
    let data = classification(300);
    let mut network = classifier(&data);
    let trainer = Trainer::new(Adam::new(1e-2), CategoricalCrossEntropy)
        .epochs(30)
        .metric(Accuracy)
        .progress(Progress::Quiet);
    let before = trainer.evaluate(&network, &data).unwrap();
    let history = trainer.fit(&mut network, &data).unwrap();
    let after = trainer.evaluate(&network, &data).unwrap();
    assert!(
        after.metrics["accuracy"] > 0.93 && after.loss < 0.5 * before.loss,
        "{before:?} {after:?}"
    );
    assert!(history.last().unwrap().metrics["accuracy"] > 0.9);
    let probabilities = network.predict(data.x()).unwrap();
    assert!(
        probabilities
            .rows()
            .into_iter()
            .all(|row| (row.sum() - 1.0).abs() < 1e-5)
    );
}

#[test]
fn the_loss_of_an_epoch_weighs_batches_by_their_rows() {
    let data = Dataset::new(
        array![[1.0], [1.0], [1.0]].view(),
        array![[0.0], [0.0], [3.0]].view(),
    )
    .unwrap();
    let mut network = Sequential::new(data.features())
        .dense(1)
        .build(Seed(0))
        .unwrap();
    network.parameters_mut().fill(0.0);
    let trainer = Trainer::new(GradientDescent::new(0.0), MeanSquaredError)
        .batch_size(2)
        .in_order();
    let history = trainer
        .progress(Progress::Quiet)
        .fit(&mut network, &data)
        .unwrap();
    assert_eq!(history.epochs[0].loss, 3.0);
}

#[test]
fn a_batch_may_be_larger_than_the_data() {
    let data = regression(10);
    let fit = |batch_size| {
        let mut network = regressor(&data);
        adam()
            .batch_size(batch_size)
            .fit(&mut network, &data)
            .unwrap();
        network.fingerprint()
    };
    assert_eq!(fit(10), fit(usize::MAX));
    assert_ne!(fit(10), fit(9));
}

#[test]
fn one_step_in_order_is_the_formula() {
    // J = mean (w x + b − y)²; ∂J/∂w = 2 mean (w x + b − y) x.
    let data = Dataset::new(array![[1.0], [2.0]].view(), array![[3.0], [5.0]].view()).unwrap();
    let mut network = Sequential::new(data.features())
        .dense(1)
        .build(Seed(0))
        .unwrap();
    network.parameters_mut().fill(0.0);
    let trainer = Trainer::new(Sgd::new(0.1), MeanSquaredError)
        .in_order()
        .progress(Progress::Quiet);
    trainer.fit(&mut network, &data).unwrap();
    let weight = network.segment("dense.kernel").unwrap().sum();
    let bias = network.segment("dense.bias").unwrap().sum();
    assert!(
        (weight - 0.1 * 13.0).abs() < 1e-6 && (bias - 0.1 * 8.0).abs() < 1e-6,
        "{weight} {bias}"
    );
}

#[test]
fn callbacks_see_every_epoch() {
    let data = regression(40);
    let seen = Mutex::new(Vec::new());
    let trainer = adam()
        .epochs(3)
        .on_epoch(|record| seen.lock().unwrap().push(record.clone()));
    let history = trainer.fit(&mut regressor(&data), &data).unwrap();
    assert_eq!(*seen.lock().unwrap(), history.epochs);
}

#[test]
fn bad_settings_are_refused_before_anything_changes() {
    let data = regression(40);
    let network = regressor(&data);
    let refused = |trainer: Trainer<'_>| {
        let mut copy = network.clone();
        let error = trainer
            .progress(Progress::Quiet)
            .fit(&mut copy, &data)
            .unwrap_err();
        assert_eq!(copy.fingerprint(), network.fingerprint());
        error
    };
    assert!(matches!(refused(adam().batch_size(0)), Error::BatchSize));
    assert!(matches!(refused(adam().epochs(0)), Error::Epochs));
    for rate in [-1e-3, f32::NAN, f32::INFINITY] {
        assert!(matches!(
            refused(Trainer::new(Adam::new(rate), MeanSquaredError)),
            Error::LearningRate { step: 1, .. }
        ));
    }
    let coefficient = |trainer| match refused(trainer) {
        Error::Coefficient { name, .. } => name,
        error => panic!("{error}"),
    };
    assert_eq!(
        coefficient(Trainer::new(Sgd::new(0.1).momentum(1.0), MeanSquaredError)),
        "momentum"
    );
    assert_eq!(
        coefficient(Trainer::new(
            Sgd::new(0.1).momentum(f32::NAN),
            MeanSquaredError
        )),
        "momentum"
    );
    assert_eq!(
        coefficient(Trainer::new(Adam::new(0.1).beta_1(-0.1), MeanSquaredError)),
        "beta_1"
    );
    assert_eq!(
        coefficient(Trainer::new(Adam::new(0.1).beta_2(1.0), MeanSquaredError)),
        "beta_2"
    );
    assert_eq!(
        coefficient(Trainer::new(Adam::new(0.1).epsilon(0.0), MeanSquaredError)),
        "epsilon"
    );
}

#[test]
fn data_that_do_not_fit_are_refused_by_name() {
    let data = regression(40);
    let network = regressor(&data);
    let refused =
        |trainer: Trainer<'_>, data: &Dataset| trainer.fit(&mut network.clone(), data).unwrap_err();
    let narrow = Dataset::new(array![[1.0, 2.0]].view(), array![[3.0]].view()).unwrap();
    let error = refused(adam(), &narrow);
    assert_eq!(
        error.to_string(),
        "input `x` of the network takes rows of shape [5], the training data have [2]"
    );
    assert!(matches!(
        refused(adam().validation(&narrow), &data),
        Error::InputShape {
            data: "validation",
            ..
        }
    ));
    let ids = Dataset::from_inputs(
        vec![Input::new("x", &[5], vec![1_i32; 5]).unwrap()],
        Targets::Values {
            width: 1,
            data: vec![1.0],
        },
    );
    let expected = (DType::Fp32, DType::Int32);
    assert!(
        matches!(refused(adam(), &ids.unwrap()), Error::InputKind { expected: e, found: f, .. } if (e, f) == expected)
    );
    let two = Dataset::from_inputs(
        vec![
            Input::new("x", &[5], vec![1.0; 5]).unwrap(),
            Input::new("z", &[1], vec![1.0]).unwrap(),
        ],
        Targets::Values {
            width: 1,
            data: vec![1.0],
        },
    );
    assert!(matches!(
        refused(adam(), &two.unwrap()),
        Error::Inputs {
            expected: 1,
            found: 2,
            ..
        }
    ));
    let wide = Dataset::new(data.x(), ndarray::Array2::ones((40, 2)).view()).unwrap();
    assert!(matches!(
        refused(adam(), &wide),
        Error::TargetWidth {
            expected: 1,
            found: 2,
            ..
        }
    ));
    assert!(matches!(
        adam().evaluate(&network, &wide),
        Err(Error::TargetWidth {
            data: "evaluation",
            ..
        })
    ));
}

#[test]
fn targets_of_the_wrong_kind_are_refused() {
    let data = classification(30);
    let error = adam().fit(&mut classifier(&data), &data).unwrap_err();
    assert!(
        matches!(
            &error,
            Error::TargetKind {
                found: "labels",
                ..
            }
        ),
        "{error}"
    );
    let trainer =
        Trainer::new(Adam::new(1e-3), CategoricalCrossEntropy).metric(RootMeanSquaredError);
    let error = trainer.fit(&mut classifier(&data), &data).unwrap_err();
    assert_eq!(
        error.to_string(),
        "root_mean_squared_error cannot be computed from the targets of the training data, which are labels"
    );
    let five = Dataset::classification(data.x(), &[4; 30], 5).unwrap();
    let trainer = Trainer::new(Adam::new(1e-3), CategoricalCrossEntropy);
    let error = trainer.fit(&mut classifier(&data), &five).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the network's output is 3 wide, the targets of the training data 5"
    );
}

#[test]
fn a_loss_that_is_not_finite_stops_before_its_step() {
    let data = regression(40);
    let mut network = regressor(&data);
    let trainer = Trainer::new(GradientDescent::new(1e18), MeanSquaredError)
        .batch_size(10)
        .progress(Progress::Quiet);
    let error = trainer.fit(&mut network, &data).unwrap_err();
    let (Error::NonFiniteLoss { epoch, step, .. } | Error::NonFiniteGradient { epoch, step, .. }) =
        error
    else {
        panic!("{error}");
    };
    assert_eq!(epoch, 1);
    assert!((2..=4).contains(&step), "{step}");
    assert!(network.parameters().iter().all(|theta| theta.is_finite()));
    // The same steps without the failing one leave the same weights.
    let rows: Vec<usize> = {
        let mut order = vec![0; 40];
        maas_data::Shuffle::new(Seed(0)).fill(1, &mut order);
        order
            .iter()
            .take((step - 1) * 10)
            .map(|&row| row as usize)
            .collect()
    };
    let mut again = regressor(&data);
    trainer
        .in_order()
        .fit(&mut again, &data.select(&rows).unwrap())
        .unwrap();
    assert_eq!(again.parameters(), network.parameters());
}

#[test]
fn a_link_that_breaks_the_weights_is_told_at_the_end_of_the_epoch() {
    let data = regression(40);
    #[derive(Debug)]
    struct Broken;
    impl Transform for Broken {
        fn apply(&self, _step: &Step, block: &mut Block<'_>) {
            block.update.fill(f32::NAN);
        }
    }
    let broken = Chain::new(0.1).then(Broken);
    let trainer = Trainer::new(broken, MeanSquaredError)
        .batch_size(40)
        .progress(Progress::Quiet);
    let error = trainer.fit(&mut regressor(&data), &data).unwrap_err();
    assert!(
        matches!(error, Error::NonFiniteWeights { epoch: 1 }),
        "{error}"
    );
}

#[test]
fn several_inputs_and_rows_of_any_shape_train() {
    let inputs = vec![
        Input::new(
            "image",
            &[2, 3],
            (0..60).map(|i| common::noise(1, i)).collect::<Vec<f32>>(),
        )
        .unwrap(),
    ];
    let targets = Targets::Values {
        width: 2,
        data: (0..20).map(|i| common::noise(2, i)).collect(),
    };
    let data = Dataset::from_inputs(inputs, targets).unwrap();
    let mut network = Sequential::new([TensorSpec::rows("image", DType::Fp32, &[2, 3])])
        .flatten()
        .dense(2)
        .build(Seed(1))
        .unwrap();
    let history = adam().batch_size(3).fit(&mut network, &data).unwrap();
    assert!(history.last().unwrap().loss < history.epochs[0].loss);
}

#[test]
fn rows_come_in_the_order_that_is_asked_for() {
    #[derive(Debug)]
    struct Only(u32);

    impl RowOrder for Only {
        fn fill(&self, _: u64, order: &mut [u32]) {
            order.fill(self.0);
        }
    }

    let x = array![[1.0], [2.0], [3.0]];
    let data = Dataset::new(x.view(), x.view()).unwrap();
    let network = || {
        let network = Sequential::rows(1).dense(1).build(Seed(1));
        let mut network = network.unwrap();
        network.parameters_mut().fill(0.0);
        network
    };
    let trainer = |row| {
        Trainer::new(GradientDescent::new(0.0), MeanSquaredError)
            .order(Only(row))
            .progress(Progress::Quiet)
    };
    let history = trainer(2).fit(&mut network(), &data).unwrap();
    assert_eq!(history.epochs[0].loss, 9.0);
    let error = trainer(3).fit(&mut network(), &data).unwrap_err();
    assert!(
        matches!(error, Error::RowOrder { row: 3, rows: 3 }),
        "{error}"
    );
}

#[test]
fn folds_are_what_single_runs_are() {
    let data = classification(90);
    let trainer = Trainer::new(Adam::new(1e-2), CategoricalCrossEntropy)
        .epochs(3)
        .metric(Accuracy)
        .seed(Seed(4))
        .on_epoch(|_| Err::<(), _>("callbacks are left out"))
        .progress(Progress::Quiet);
    let folds = || data.stratified_folds(3, Seed(2)).unwrap();
    let found = trainer
        .cross_validate(folds(), |train| Ok::<_, Error>(classifier(train)))
        .unwrap();
    for ((train, validation), fold) in folds().zip(&found.folds) {
        let mut network = classifier(&train);
        let alone = Trainer::new(Adam::new(1e-2), CategoricalCrossEntropy)
            .epochs(3)
            .metric(Accuracy)
            .seed(Seed(4))
            .progress(Progress::Quiet);
        alone.fit(&mut network, &train).unwrap();
        assert_eq!(
            alone.evaluate(&network, &validation).unwrap(),
            fold.evaluation
        );
        assert_eq!(
            fold.history.epochs[2].validation_loss,
            Some(fold.evaluation.loss)
        );
    }
    assert_eq!(found.metric("accuracy").unwrap().values().len(), 3);
    assert_eq!(found.metric("f1"), None);
    assert!(found.to_string().ends_with("over 3 folds"), "{found}");

    let wrong = |_: &Dataset| Sequential::rows(9).dense(3).build(Seed(1));
    let error = trainer.cross_validate(folds(), wrong).unwrap_err();
    assert!(matches!(error, Error::InputShape { .. }), "{error}");
}

#[test]
fn a_rate_falls_when_the_figure_it_goes_by_stands_still() {
    let data = classification(60);
    let run = |plateau: Plateau| {
        let rate = LearningRate::constant(1e-4).on_plateau(plateau.patience(1).factor(0.5));
        Trainer::new(GradientDescent::new(rate), CategoricalCrossEntropy)
            .epochs(3)
            .metric(Accuracy)
            .validation(&data)
            .progress(Progress::Quiet)
            .fit(&mut classifier(&data), &data)
    };
    // The loss still falls, the accuracy does not move.
    let rates = |plateau| {
        let history = run(plateau).unwrap();
        let rates: Vec<f32> = history
            .epochs
            .iter()
            .map(|e| e.learning_rate.unwrap())
            .collect();
        rates[2] / rates[0]
    };
    let plateau = || Plateau::default().min_delta(0.0);
    assert!(rates(plateau()) > 0.9);
    assert!(rates(plateau().monitor(Figure::validation("accuracy"))) < 0.6);
    assert!(rates(plateau().monitor(Figure::Loss).goal(Goal::Maximize)) < 0.6);
    let error = run(plateau().monitor(Figure::metric("r2"))).unwrap_err();
    assert!(matches!(error, Error::Figure { .. }), "{error}");
}
