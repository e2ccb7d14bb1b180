//! Laws of rows: what is cut and put together again is what it was.
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use maas_core::{DType, Error, Outputs, Tensor, TensorView};
use proptest::prelude::*;

/// A tensor of some type, its strings of any length.
fn tensor() -> impl Strategy<Value = Tensor> {
    (1_usize..7, 0_usize..4, any::<[u8; 32]>(), any::<bool>()).prop_map(
        |(rows, columns, noise, strings)| {
            let count = rows * columns;
            if strings {
                let words = |element: usize| &noise[..usize::from(noise[element % 32] % 9)];
                let words: Vec<&[u8]> = (0..count).map(words).collect();
                Tensor::strings([rows, columns], &words).unwrap()
            } else {
                let values: Vec<u16> = (0..count)
                    .map(|element| u16::from(noise[element % 32]))
                    .collect();
                Tensor::from_slice([rows, columns], &values).unwrap()
            }
        },
    )
}

proptest! {
    #[test]
    fn cuts_put_together_are_the_whole(tensor in tensor(), cuts in prop::collection::vec(0_usize..7, 0..4)) {
        let rows = tensor.rows();
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(rows)).collect();
        cuts.extend([0, rows]);
        cuts.sort_unstable();
        let ranges = || cuts.windows(2).map(|cut| cut[0]..cut[1]);

        let mut outputs = Outputs::new();
        outputs.gather(0, ranges().map(|range| (tensor.view(), range))).unwrap();
        prop_assert_eq!(&outputs.take(0).unwrap(), &tensor);

        let parts: Vec<Tensor> = ranges().map(|range| tensor.view().copy_rows(range).unwrap()).collect();
        outputs.gather(0, parts.iter().map(|part| (part.view(), 0..part.rows()))).unwrap();
        prop_assert_eq!(&outputs.take(0).unwrap(), &tensor);
    }
}

#[test]
fn what_does_not_fit_together_is_told() {
    let (a, b) = ([1_u8, 2], [1_i8, 2]);
    let (row, column) = (
        TensorView::from_slice(&[1, 2], &a).unwrap(),
        TensorView::from_slice(&[2, 1], &a).unwrap(),
    );
    let other = TensorView::from_slice(&[1, 2], &b).unwrap();
    let gather = |pieces: &[(TensorView<'_>, std::ops::Range<usize>)]| {
        Outputs::new()
            .gather(0, pieces.iter().cloned())
            .unwrap_err()
    };
    assert!(matches!(
        gather(&[(row, 0..1), (other, 0..1)]),
        Error::ElementType {
            expected: DType::UInt8,
            found: DType::Int8
        }
    ));
    assert_eq!(
        gather(&[(row, 0..1), (column, 0..1)]).to_string(),
        "rows must be of shape [2] as the first one is, found [1]"
    );
    assert_eq!(
        gather(&[(column, 1..3)]).to_string(),
        "rows 1 to 3 of a tensor that has 2"
    );
    assert!(matches!(gather(&[]), Error::TensorCount { .. }));
}

#[test]
fn a_scalar_is_one_row() {
    let scalar = Tensor::from_slice([], &[7_i32]).unwrap();
    assert_eq!(scalar.view().copy_rows(0..1).unwrap().shape().dims(), [1]);
    assert_eq!(scalar.view().copy_rows(1..1).unwrap().shape().dims(), [0]);
}
