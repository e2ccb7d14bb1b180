//! Laws of data sets: parts are exact, rows stay together, statistics standardise, bad arrays are refused.
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use maas_core::{DType, Seed, Statistics};
use maas_data::{Dataset, Error, Input, Shuffle, Targets};
use ndarray::{Array2, Axis, array};
use proptest::prelude::*;

/// Every row holds its own number, in features and target alike.
fn numbered(rows: usize) -> Dataset {
    let features = Array2::from_shape_fn((rows, 3), |(row, column)| (row * 10 + column) as f32);
    let targets = Array2::from_shape_fn((rows, 1), |(row, _)| row as f32);
    Dataset::new(features.view(), targets.view()).unwrap()
}

fn numbers(data: &Dataset) -> Vec<usize> {
    for (features, target) in data.x().axis_iter(Axis(0)).zip(data.y()) {
        assert_eq!(features[1], target * 10.0 + 1.0, "a row came apart");
    }
    data.y().iter().map(|&row| row as usize).collect()
}

proptest! {
    #[test]
    fn a_split_is_a_partition(rows in 3_usize..200, validation in 0.05_f64..0.45, test in 0.05_f64..0.45, seed: u64) {
        let fractions = [1.0 - validation - test, validation, test];
        let data = numbered(rows);
        match data.split(fractions, Seed(seed)) {
            Ok(split) => {
                let parts = [&split.train, &split.validation, &split.test];
                let mut all: Vec<usize> = parts.iter().flat_map(|part| numbers(part)).collect();
                all.sort_unstable();
                prop_assert_eq!(all, (0..rows).collect::<Vec<_>>());
                for (part, fraction) in parts.iter().zip(fractions) {
                    prop_assert!((part.rows() as f64 - fraction * rows as f64).abs() <= 1.0);
                }
                prop_assert_eq!(data.split(fractions, Seed(seed)).unwrap(), split);
            }
            Err(Error::EmptyPart { .. }) => prop_assert!(rows < 20),
            Err(error) => prop_assert!(false, "{}", error),
        }
    }

    #[test]
    fn bad_fractions_are_refused(fractions in prop::array::uniform3(prop_oneof![Just(0.0), Just(-0.5), Just(1.0), Just(f64::NAN), Just(f64::INFINITY), 0.0..2.0])) {
        let total: f64 = fractions.iter().sum();
        let good = fractions.iter().all(|&fraction| fraction > 0.0) && (total - 1.0).abs() < 1e-6;
        let refused = matches!(numbered(100).split(fractions, Seed(1)), Err(Error::Fractions { .. }));
        prop_assert_eq!(refused, !good);
    }

    #[test]
    fn holding_out_is_a_partition(rows in 2_usize..60, mask: u64) {
        let chosen: Vec<usize> = (0..rows).filter(|row| mask >> (row % 64) & 1 == 1).collect();
        match numbered(rows).hold_out(&chosen) {
            Ok((rest, held_out)) => {
                prop_assert_eq!(numbers(&held_out), chosen.clone());
                prop_assert_eq!(numbers(&rest), (0..rows).filter(|row| !chosen.contains(row)).collect::<Vec<_>>());
            }
            Err(Error::NoRows) => prop_assert!(chosen.is_empty() || chosen.len() == rows),
            Err(error) => prop_assert!(false, "{}", error),
        }
    }

    #[test]
    fn an_order_is_a_permutation(seed: u64, epoch: u64, rows in 0_usize..300) {
        let mut order = vec![7; rows];
        Shuffle::new(Seed(seed)).fill(epoch, &mut order);
        order.sort_unstable();
        prop_assert!(order.iter().enumerate().all(|(row, &found)| row == found as usize));
    }

    #[test]
    fn csv_keeps_every_number(values in prop::collection::vec((prop::num::f32::ANY, prop::num::f32::ANY), 1..4)) {
        let text: String = values.iter().fold("a,b\n".to_owned(), |text, (a, b)| format!("{text}{a},{b:e}\n"));
        let data = Dataset::from_csv_reader(text.as_bytes()).unwrap().target("b");
        if values.iter().all(|(a, b)| a.is_finite() && b.is_finite()) {
            let data = data.unwrap();
            prop_assert!(values.iter().zip(data.x()).all(|(value, found)| value.0.to_bits() == found.to_bits()));
            prop_assert!(values.iter().zip(data.y()).all(|(value, found)| value.1.to_bits() == found.to_bits()));
        } else {
            let refused = matches!(data, Err(Error::CellNotFinite { .. } | Error::MissingValue { .. }));
            prop_assert!(refused);
        }
    }

    #[test]
    fn random_bytes_are_no_table_or_one(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(table) = Dataset::from_csv_reader(bytes.as_slice()) {
            for name in table.names() {
                let _ = table.target(name);
                let _ = table.classes(name);
            }
        }
    }
}

#[test]
fn parts_keep_names_and_classes() {
    let data = Dataset::classification(
        array![[1.0], [2.0], [3.0], [4.0]].view(),
        &[0, 1, 1, 0],
        ["no", "yes"],
    )
    .unwrap();
    let data = data.named(["dose"], ["cured"]).unwrap();
    let split = data.split([0.5, 0.25, 0.25], Seed(1)).unwrap();
    for part in [&split.train, &split.validation, &split.test] {
        assert_eq!(part.feature_names(), ["dose"]);
        assert_eq!(part.target_names(), ["cured"]);
        assert_eq!(part.class_labels().unwrap(), ["no", "yes"]);
        assert_eq!(part.y().dim(), (part.rows(), 0));
    }
    assert!(matches!(
        data.named(["a", "b"], ["c"]),
        Err(Error::NameCount {
            expected: 1,
            found: 2
        })
    ));
}

#[test]
fn strides_do_not_matter() {
    let features = array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]];
    let targets = array![[1.0], [2.0], [3.0]];
    let data = Dataset::new(features.t(), targets.view()).unwrap();
    assert_eq!(data.x(), features.t());
}

#[test]
fn bad_arrays_say_where() {
    let empty = Array2::<f32>::zeros((0, 3));
    assert!(matches!(
        Dataset::new(empty.view(), Array2::zeros((0, 1)).view()),
        Err(Error::NoRows)
    ));
    let none = Array2::<f32>::zeros((3, 0));
    assert!(matches!(
        Dataset::new(none.view(), Array2::zeros((3, 1)).view()),
        Err(Error::EmptyRow { .. })
    ));
    let x = Array2::<f32>::zeros((3, 2));
    assert!(matches!(
        Dataset::new(x.view(), none.view()),
        Err(Error::EmptyRow { .. })
    ));
    let error = Dataset::new(x.view(), Array2::zeros((2, 1)).view()).unwrap_err();
    assert_eq!(error.to_string(), "`target`: 3 rows expected, found 2");
    let mut holed = x.clone();
    holed[[2, 1]] = f32::NAN;
    let error = Dataset::new(holed.view(), Array2::zeros((3, 1)).view()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "row 2, column 1 of `x`: a finite number expected, found NaN"
    );
    let error = Dataset::new(x.view(), array![[0.0], [f32::INFINITY], [0.0]].view()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "row 1, column 0 of `target`: a finite number expected, found inf"
    );
    let error = Dataset::classification(x.view(), &[0, 3, 1], 3).unwrap_err();
    assert_eq!(
        error.to_string(),
        "row 1: a label below 3 expected, found 3"
    );
    assert!(matches!(
        Dataset::classification(x.view(), &[0, 0, 0], 0),
        Err(Error::NoClasses)
    ));
    assert!(matches!(
        Dataset::classification(x.view(), &[0, 0], 1),
        Err(Error::RowCount { .. })
    ));
    assert!(matches!(
        Dataset::classification(x.view(), &[0, 0, 1], ["a", "a"]),
        Err(Error::DuplicateClass { .. })
    ));
}

#[test]
fn inputs_of_other_shapes_and_types() {
    let image = Input::new("image", &[2, 2], vec![0.5_f32; 12]).unwrap();
    let id = Input::new("id", &[], vec![7_i32, 8, 9]).unwrap();
    let targets = Targets::Values {
        width: 2,
        data: vec![0.0; 6],
    };
    let data = Dataset::from_inputs(vec![id.clone(), image.clone()], targets.clone()).unwrap();
    let features = data.features();
    assert_eq!(
        (features[0].dtype(), features[1].dtype()),
        (DType::Int32, DType::Fp32)
    );
    assert_eq!(features[1].fixed_row_shape(), Some(vec![2, 2]));
    assert_eq!(data.x().dim(), (3, 4));
    assert_eq!(data.target_names(), ["y0", "y1"]);
    assert_eq!(
        data.select(&[2]).unwrap().inputs()[0].values().as_i32(),
        Some(&[9][..])
    );

    let only_ids = Dataset::from_inputs(vec![id.clone()], targets.clone()).unwrap();
    assert_eq!(only_ids.x().dim(), (3, 0));
    assert_eq!(Statistics::from(&only_ids).features.columns(), 0);

    assert!(matches!(
        Dataset::from_inputs(vec![], targets.clone()),
        Err(Error::NoInputs)
    ));
    assert!(matches!(
        Dataset::from_inputs(vec![id.clone(), id], targets.clone()),
        Err(Error::DuplicateColumn { .. })
    ));
    let short = Input::new("short", &[1], vec![0.0_f32; 2]).unwrap();
    assert!(matches!(
        Dataset::from_inputs(vec![image, short], targets),
        Err(Error::RowCount { .. })
    ));
    assert!(matches!(
        Input::new("x", &[5], vec![0.0_f32; 7]),
        Err(Error::RaggedValues { found: 7, .. })
    ));
    assert!(matches!(
        Input::new("x", &[usize::MAX, 2], vec![0.0_f32]),
        Err(Error::EmptyRow { .. })
    ));
    assert!(matches!(
        Input::new("", &[1], vec![0.0_f32]),
        Err(Error::Specification(_))
    ));
}

#[test]
fn rows_that_are_not_there_are_named() {
    let data = numbered(3);
    assert!(matches!(
        data.select(&[0, 3]),
        Err(Error::NoSuchRow { rows: 3, found: 3 })
    ));
    assert!(matches!(data.select(&[]), Err(Error::NoRows)));
    assert!(matches!(
        data.hold_out(&[5]),
        Err(Error::NoSuchRow { rows: 3, found: 5 })
    ));
    assert!(matches!(
        data.hold_out(&[1, 1]),
        Err(Error::RepeatedRow { row: 1 })
    ));
    assert!(matches!(
        data.split_off(1.5, Seed(1)),
        Err(Error::Fractions { .. })
    ));
    assert!(matches!(
        data.split_off(f64::NAN, Seed(1)),
        Err(Error::Fractions { .. })
    ));
}

#[test]
fn statistics_are_those_of_the_columns() {
    let data = Dataset::new(
        array![[1.0, 7.0], [3.0, 7.0]].view(),
        array![[10.0], [30.0]].view(),
    )
    .unwrap();
    let statistics = Statistics::from(&data);
    assert_eq!(statistics.features.mean(), [2.0, 7.0]);
    assert_eq!(statistics.features.deviation(), [1.0, 1.0]);
    assert_eq!(statistics.targets.unwrap().deviation(), [10.0]);
    let classes = Dataset::classification(array![[1.0]].view(), &[0], 1).unwrap();
    assert!(classes.statistics().targets.is_none());
}
