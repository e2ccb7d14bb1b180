//! Laws of tensors: bytes are kept, hostile shapes are refused before memory is asked for, byte strings are framed.
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use std::sync::Arc;

use maas_core::{DType, Element, Error, Shape, Tensor, TensorView};
use proptest::prelude::*;

fn dtype() -> impl Strategy<Value = DType> {
    prop::sample::select(DType::ALL.to_vec())
}

/// A shape of few elements, zeros included.
fn small_shape() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(0_usize..5, 0..4)
}

/// Lengths from the whole range, the ends favoured.
fn hostile_shape() -> impl Strategy<Value = Vec<usize>> {
    let length = prop_oneof![
        Just(0),
        Just(1),
        Just(usize::MAX),
        Just(1 << 32),
        Just(usize::MAX / 2 + 1),
        any::<usize>(),
    ];
    prop::collection::vec(length, 0..5)
}

fn well_formed_bytes(dtype: DType, elements: usize, noise: &[u8]) -> Vec<u8> {
    let mut noise = noise.iter().copied().cycle();
    let mut next = || noise.next().unwrap_or(0);
    match dtype {
        DType::Bytes => (0..elements)
            .flat_map(|_| {
                let length = next() % 7;
                let mut string = vec![length, 0, 0, 0];
                string.extend((0..length).map(|_| next()));
                string
            })
            .collect(),
        DType::Bool => (0..elements).map(|_| next() % 2).collect(),
        _ => (0..elements * dtype.size().unwrap())
            .map(|_| next())
            .collect(),
    }
}

fn round_trips<T: Element + PartialEq + std::fmt::Debug>(
    values: &[T],
) -> Result<(), TestCaseError> {
    let tensor = Tensor::from_slice([values.len()], values).unwrap();
    prop_assert_eq!(tensor.dtype(), T::DTYPE);
    prop_assert_eq!(tensor.as_slice::<T>().unwrap(), values);
    let again = Tensor::from_bytes(T::DTYPE, [values.len()], tensor.bytes()).unwrap();
    prop_assert_eq!(&again, &tensor);
    prop_assert_eq!(again.as_slice::<T>().unwrap(), values);
    Ok(())
}

proptest! {
    #[test]
    fn numbers_round_trip(
        floats in prop::collection::vec(-1e30_f32..1e30, 0..20),
        doubles in prop::collection::vec(-1e300_f64..1e300, 0..20),
        bytes in prop::collection::vec(any::<u8>(), 0..20),
        shorts in prop::collection::vec(any::<i16>(), 0..20),
        longs in prop::collection::vec(any::<i64>(), 0..20),
    ) {
        round_trips(&floats)?;
        round_trips(&doubles)?;
        round_trips(&bytes)?;
        round_trips(&shorts)?;
        round_trips(&longs)?;
    }

    #[test]
    fn bytes_round_trip_in_every_type(dtype in dtype(), shape in small_shape(), noise in prop::collection::vec(any::<u8>(), 1..50)) {
        let elements = shape.iter().product();
        let bytes = well_formed_bytes(dtype, elements, &noise);
        let tensor = Tensor::from_bytes(dtype, shape.clone(), &bytes).unwrap();
        prop_assert_eq!(tensor.bytes(), &bytes[..]);
        prop_assert_eq!(tensor.elements(), elements);
        prop_assert_eq!(tensor.bytes().as_ptr().align_offset(8), 0);
        prop_assert_eq!(tensor.view().to_tensor().unwrap(), tensor);
        let mut longer = bytes;
        longer.push(0);
        prop_assert!(Tensor::from_bytes(dtype, shape, &longer).is_err());
    }

    #[test]
    fn hostile_shapes_never_allocate(dtype in dtype(), shape in hostile_shape(), bytes in prop::collection::vec(0_u8..2, 0..64)) {
        // The exact count, in numbers that cannot overflow here.
        let product = shape.iter().filter(|&&length| length != 0).try_fold(1_u128, |product, &length| {
            product.checked_mul(length as u128)
        });
        let counted = Shape::from(shape.clone()).elements();
        match product {
            Some(product) if product <= isize::MAX as u128 => {
                prop_assert_eq!(counted, Some(if shape.contains(&0) { 0 } else { product as usize }));
            }
            _ => prop_assert_eq!(counted, None),
        }
        // However large, a shape that the bytes do not fill is refused; memory is asked for only after that.
        if let Ok(tensor) = Tensor::from_bytes(dtype, shape.clone(), &bytes) {
            prop_assert!(tensor.elements() <= bytes.len());
        }
        prop_assert!(Tensor::from_slice(shape.clone(), &bytes).is_err() || counted == Some(bytes.len()));
        let numbers: Vec<f32> = bytes.iter().map(|&byte| f32::from(byte)).collect();
        prop_assert!(TensorView::from_slice(&shape, &numbers).is_err() || counted == Some(bytes.len()));
        if counted.is_none_or(|elements| elements > 1 << 62) {
            prop_assert!(Tensor::zeros(dtype, shape).is_err());
        }
    }

    #[test]
    fn strings_round_trip(strings in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 0..10)) {
        let tensor = Tensor::strings([strings.len()], &strings).unwrap();
        let again = Tensor::from_bytes(DType::Bytes, [strings.len()], tensor.bytes()).unwrap();
        let found: Vec<Vec<u8>> = again.view().as_strings().unwrap().map(<[u8]>::to_vec).collect();
        prop_assert_eq!(&found, &strings);
        prop_assert!(Tensor::from_bytes(DType::Bytes, [strings.len() + 1], tensor.bytes()).is_err());
        // Cut anywhere, the bytes are fewer strings, or no strings.
        for cut in 0..tensor.bytes().len() {
            prop_assert!(Tensor::from_bytes(DType::Bytes, [strings.len()], &tensor.bytes()[..cut]).is_err());
        }
    }

    #[test]
    fn random_bytes_never_panic(dtype in dtype(), shape in hostile_shape(), bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        if let Ok(view) = TensorView::new(dtype, &shape, &bytes) {
            let _ = view.as_slice::<f64>();
            let _ = view.as_half_bits();
            prop_assert!(view.as_bools().map_or(0, Iterator::count) <= bytes.len());
            prop_assert!(view.as_strings().map_or(0, Iterator::count) <= bytes.len());
        }
    }
}

#[test]
fn a_huge_shape_is_refused_or_out_of_memory_but_never_aborts() {
    assert!(matches!(
        Tensor::zeros(DType::Int8, [1 << 31, 1 << 31]),
        Err(Error::OutOfMemory { .. })
    ));
    assert!(matches!(
        Tensor::zeros(DType::Fp64, [1 << 31, 1 << 31]),
        Err(Error::TooManyElements { .. })
    ));
    assert!(matches!(
        Tensor::zeros(DType::Int8, [usize::MAX, usize::MAX, 0]),
        Err(Error::TooManyElements { .. })
    ));
}

#[test]
fn a_frame_that_promises_more_than_follows_says_where() {
    let bytes = b"\x01\0\0\0a\xff\xff\xff\xffb";
    let error = Tensor::from_bytes(DType::Bytes, [2], bytes).unwrap_err();
    assert!(
        matches!(
            error,
            Error::StringCutOff {
                element: 1,
                offset: 9,
                expected: 0xffff_ffff,
                found: 1
            }
        ),
        "{error}"
    );
    let error = Tensor::from_bytes(DType::Bytes, [2], &bytes[..7]).unwrap_err();
    assert!(
        matches!(
            error,
            Error::StringCutOff {
                element: 1,
                offset: 5,
                expected: 4,
                found: 2
            }
        ),
        "{error}"
    );
}

#[test]
fn borrowed_bytes_may_be_misaligned_and_copies_are_not() {
    let bytes = [0_u64; 3];
    let bytes: Vec<u8> = bytes.iter().flat_map(|word| word.to_le_bytes()).collect();
    let mut misaligned = 0;
    for offset in 0..8 {
        let view = TensorView::new(DType::Fp64, &[2], &bytes[offset..offset + 16]).unwrap();
        match view.as_slice::<f64>() {
            Ok(values) => assert_eq!(values, [0.0, 0.0]),
            Err(error) => {
                assert!(matches!(error, Error::Misaligned { dtype: DType::Fp64 }));
                misaligned += 1;
            }
        }
        assert_eq!(
            view.to_tensor().unwrap().as_slice::<f64>().unwrap(),
            [0.0, 0.0]
        );
        let empty = TensorView::new(DType::Fp64, &[0, 2], &bytes[offset..offset]).unwrap();
        assert!(empty.as_slice::<f64>().unwrap().is_empty());
    }
    assert_eq!(misaligned, 7);
}

#[test]
fn booleans_are_zero_or_one() {
    let error = Tensor::from_bytes(DType::Bool, [3], &[0, 1, 2]).unwrap_err();
    assert!(matches!(
        error,
        Error::NotBoolean {
            element: 2,
            found: 2
        }
    ));
}

#[test]
fn every_name_reads_back() {
    for dtype in DType::ALL {
        assert_eq!(dtype.name().parse::<DType>().unwrap(), dtype);
        let json = serde_json::to_string(&dtype).unwrap();
        assert_eq!(json, format!("\"{}\"", dtype.name()));
        assert_eq!(serde_json::from_str::<DType>(&json).unwrap(), dtype);
    }
    assert!(matches!(
        "fp32".parse::<DType>(),
        Err(Error::UnknownDType { .. })
    ));
}

#[test]
fn shared_bytes_are_copied_only_where_they_must_be() {
    let message: Arc<[u8]> = (0..64).collect();
    for dtype in DType::ALL {
        let size = dtype.size().unwrap_or(1);
        for offset in 0..8 {
            struct Part(Arc<[u8]>, usize, usize);
            impl AsRef<[u8]> for Part {
                fn as_ref(&self) -> &[u8] {
                    &self.0[self.1..self.1 + self.2]
                }
            }
            let (shape, length) = match dtype {
                DType::Bytes => continue,
                DType::Bool => ([0], 0),
                _ => ([2], 2 * size),
            };
            let bytes = &message[offset..offset + length];
            let mut tensor =
                Tensor::from_shared(dtype, shape, Part(message.clone(), offset, length)).unwrap();
            assert_eq!(tensor, Tensor::from_bytes(dtype, shape, bytes).unwrap());
            let lies_well = bytes.as_ptr().addr().is_multiple_of(size);
            assert_eq!(tensor.bytes().as_ptr() == bytes.as_ptr(), lies_well);
            let copy = tensor.clone();
            if dtype == DType::Fp64 {
                tensor.as_mut_slice::<f64>().unwrap()[0] = 0.5;
                assert_ne!(tensor, copy);
                assert_eq!(copy.bytes(), bytes);
            }
        }
    }
    let short = Tensor::from_shared(DType::Fp32, [1 << 40], message);
    assert!(matches!(short, Err(Error::ByteCount { found: 64, .. })));
}
