//! IDX files: what the header says is there, or an error says what is not.
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use std::fs;
use std::io::Cursor;
use std::path::PathBuf;

use maas_data::{Dataset, Error, Idx, IdxKind, IdxSource, Prefetch, Source};
use ndarray::array;
use proptest::prelude::*;

fn file(name: &str, bytes: &[u8]) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, bytes).unwrap();
    path
}

fn header(code: u8, shape: &[u32]) -> Vec<u8> {
    let mut bytes = vec![0, 0, code, shape.len() as u8];
    for length in shape {
        bytes.extend(length.to_be_bytes());
    }
    bytes
}

fn idx(code: u8, shape: &[u32], values: impl AsRef<[u8]>) -> Vec<u8> {
    let mut bytes = header(code, shape);
    bytes.extend(values.as_ref());
    bytes
}

fn numbers(bytes: Vec<u8>) -> Result<Vec<f32>, Error> {
    Idx::from_reader(Cursor::new(bytes))?.numbers()
}

/// The error's own words and those of what caused it.
fn chain(error: &Error) -> String {
    let cause = std::error::Error::source(error).map(ToString::to_string);
    format!("{error}: {}", cause.unwrap_or_default())
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_an_array_or_an_error(start in prop_oneof![Just(vec![]), (8_u8..16, 0_u8..4).prop_map(|(code, dimensions)| vec![0, 0, code, dimensions])],
        lengths in prop::collection::vec(prop_oneof![0_u32..4, any::<u32>()], 0..4), rest in prop::collection::vec(any::<u8>(), 0..64), cut in 0_usize..90) {
        let mut bytes = start;
        bytes.extend(lengths.iter().flat_map(|length| length.to_be_bytes()));
        bytes.extend(rest);
        bytes.truncate(cut);
        if let Ok(numbers) = numbers(bytes.clone()) {
            prop_assert!(numbers.len() <= bytes.len());
        }
        if let Ok(idx) = Idx::from_reader(Cursor::new(bytes)) {
            let _ = idx.integers();
        }
    }

    #[test]
    fn whatever_is_written_is_read(values in prop::collection::vec(any::<i16>(), 1..50)) {
        let rows = values.len() as u32;
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_be_bytes()).collect();
        let found = numbers(idx(0x0b, &[rows, 1], bytes)).unwrap();
        prop_assert_eq!(found, values.iter().map(|&value| f32::from(value)).collect::<Vec<_>>());
    }

    #[test]
    fn streaming_equals_in_memory(rows in 1_u32..40, chunk_rows in 0_usize..50) {
        let pixels: Vec<u8> = (0..rows * 6).map(|pixel| (pixel * 7 % 256) as u8).collect();
        let labels: Vec<u8> = (0..rows).map(|row| (row % 4) as u8).collect();
        let images = file(&format!("images-{rows}"), &idx(8, &[rows, 2, 3], pixels));
        let labels = file(&format!("labels-{rows}"), &idx(8, &[rows], labels));
        let whole = Dataset::from_idx(&images, &labels).unwrap();
        let source = Prefetch::new(IdxSource::open(&images, &labels).unwrap().chunk_rows(chunk_rows));
        prop_assert_eq!(source.schema(), &whole.schema());
        for epoch in 0..2 {
            let mut start = 0;
            for chunk in source.open(epoch).unwrap() {
                let chunk = chunk.unwrap();
                let expected: Vec<usize> = (start..start + chunk.rows()).collect();
                start += chunk.rows();
                prop_assert_eq!(chunk, whole.select(&expected).unwrap());
            }
            prop_assert_eq!(start, rows as usize);
        }
    }
}

#[test]
fn every_type_is_read() {
    let read = |code, values: &[u8]| numbers(idx(code, &[1], values)).unwrap()[0];
    assert_eq!(read(0x08, &[200]), 200.0);
    assert_eq!(read(0x09, &[200]), -56.0);
    assert_eq!(read(0x0b, &(-300_i16).to_be_bytes()), -300.0);
    assert_eq!(read(0x0c, &(-70_000_i32).to_be_bytes()), -70_000.0);
    assert_eq!(read(0x0d, &1.5_f32.to_be_bytes()), 1.5);
    assert_eq!(read(0x0e, &(-2.5_f64).to_be_bytes()), -2.5);
    let kinds = [
        IdxKind::UnsignedByte,
        IdxKind::Short,
        IdxKind::Float,
        IdxKind::Double,
    ];
    assert_eq!(kinds.map(IdxKind::bytes), [1, 2, 4, 8]);
    assert!(matches!(
        numbers(idx(0x0a, &[1], [0])),
        Err(Error::IdxKind { found: 10 })
    ));
}

#[test]
fn sizes_are_checked_before_anything_is_allocated() {
    // As much as the address space, in a file of a few bytes.
    for shape in [
        &[u32::MAX; 2][..],
        &[1 << 31, 1 << 31, 1 << 31],
        &[u32::MAX, 28, 28],
    ] {
        let path = file("huge", &idx(0x0e, shape, [0; 16]));
        let error = Idx::open(&path).unwrap_err();
        assert!(chain(&error).contains("expected"), "{}", chain(&error));
        assert!(numbers(idx(0x0e, shape, [0; 16])).is_err());
    }
    let path = file("short", &idx(8, &[3, 2], [1, 2, 3, 4, 5]));
    let error = Idx::open(&path).unwrap_err();
    assert!(
        chain(&error).ends_with(": 18 bytes expected by the header, found 17"),
        "{}",
        chain(&error)
    );
    let path = file("long", &idx(8, &[3], [1, 2, 3, 4, 5]));
    assert!(
        chain(&Idx::open(&path).unwrap_err())
            .ends_with("11 bytes expected by the header, found 13")
    );
    for (bytes, expected) in [
        (
            idx(8, &[3, 2], [1, 2, 3, 4, 5]),
            "18 bytes expected by the header, found 17",
        ),
        (
            idx(8, &[3], [1, 2, 3, 4, 5]),
            "11 bytes expected by the header, found 12",
        ),
        (vec![0, 0], "4 bytes expected by the header, found 2"),
        (
            vec![0, 0, 8, 2, 0, 0, 0, 1, 0],
            "12 bytes expected by the header, found 9",
        ),
        (
            idx(8, &[], [1]),
            "rows of at least one value expected, found shape []",
        ),
        (
            idx(8, &[2, 0], []),
            "rows of at least one value expected, found shape [2, 0]",
        ),
    ] {
        assert_eq!(numbers(bytes).unwrap_err().to_string(), expected);
    }
}

#[test]
fn images_and_labels_have_to_fit() {
    let images = file("fit-images", &idx(8, &[2, 1, 2], [0, 255, 51, 0]));
    let labels = file("fit-labels", &idx(8, &[2], [1, 0]));
    let data = Dataset::from_idx(&images, &labels).unwrap();
    assert_eq!(data.x(), array![[0.0, 1.0], [0.2, 0.0]]);
    let data = Dataset::from_idx_among(&images, &labels, ["shoe", "shirt"]).unwrap();
    assert_eq!(data.class_labels().unwrap(), ["shoe", "shirt"]);
    assert!(matches!(
        Dataset::from_idx_among(&images, &labels, 1),
        Err(Error::LabelOutOfRange {
            row: 0,
            classes: 1,
            found: 1
        })
    ));

    let three = file("fit-three", &idx(8, &[3], [1, 0, 2]));
    let message = "`labels`: 2 rows expected, found 3";
    assert_eq!(
        Dataset::from_idx(&images, &three).unwrap_err().to_string(),
        message
    );
    assert_eq!(
        IdxSource::open(&images, &three).unwrap_err().to_string(),
        message
    );
    // Labels and images swapped.
    let error = Dataset::from_idx(&labels, &images).unwrap_err();
    assert!(chain(&error).ends_with("labels of one dimension expected, found shape [2, 1, 2]"));
    let negative = file("fit-negative", &idx(9, &[2], [1, 255]));
    let error = Dataset::from_idx(&images, &negative).unwrap_err();
    assert!(
        chain(&error).ends_with("row 1: a label from 0 to 2147483647 expected, found -1"),
        "{}",
        chain(&error)
    );
    let floats = file("fit-floats", &idx(0x0d, &[2], [0; 8]));
    assert!(
        chain(&Dataset::from_idx(&images, &floats).unwrap_err())
            .ends_with("integers expected, found shape [2]")
    );
    let nan = file(
        "fit-nan",
        &idx(0x0d, &[2], [[0; 4], f32::NAN.to_be_bytes()].concat()),
    );
    assert!(
        chain(&Dataset::from_idx(&nan, &labels).unwrap_err()).contains("row 1, column 0 of `x`")
    );
    // One number a row, and none of shape.
    assert_eq!(
        Dataset::from_idx(&labels, &labels).unwrap().inputs()[0].row_shape(),
        [0_usize; 0]
    );
}

#[test]
fn files_that_change_between_passes_are_noticed() {
    let images = file("change-images", &idx(8, &[4, 1], [1, 2, 3, 4]));
    let labels = file("change-labels", &idx(8, &[4], [0, 1, 0, 1]));
    let source = Prefetch::new(IdxSource::open(&images, &labels).unwrap().chunk_rows(2));
    assert_eq!(source.open(0).unwrap().count(), 2);
    file("change-images", &idx(8, &[3, 1], [1, 2, 3]));
    let error = source.open(1).unwrap().find_map(Result::err).unwrap();
    assert!(
        matches!(
            error,
            Error::EarlyEnd {
                expected: 4,
                found: 3,
                ..
            }
        ),
        "{error}"
    );
    file("change-images", &idx(8, &[4, 2], [0; 8]));
    let error = source.open(2).unwrap().find_map(Result::err).unwrap();
    assert!(
        matches!(error, Error::ChunkSchema { chunk: 0, .. }),
        "{error}"
    );
    fs::remove_file(images).unwrap();
    assert!(matches!(source.open(3).err(), Some(Error::Open { .. })));
}

#[cfg(not(feature = "gzip"))]
#[test]
fn gzipped_files_say_what_they_need() {
    let path = file("packed", &[0x1f, 0x8b, 8, 0]);
    assert!(chain(&Idx::open(path).unwrap_err()).contains("the feature `gzip`"));
}

#[cfg(feature = "gzip")]
mod gzipped {
    use std::io::Write;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn files_are_unpacked() {
        let images = file("packed-images", &gzip(&idx(8, &[2, 1, 2], [0, 255, 51, 0])));
        let labels = file("packed-labels", &gzip(&idx(8, &[2], [1, 0])));
        let data = Dataset::from_idx(&images, &labels).unwrap();
        assert_eq!(data.x(), array![[0.0, 1.0], [0.2, 0.0]]);
        let source = IdxSource::open(&images, &labels).unwrap();
        assert_eq!(source.open(0).unwrap().next().unwrap().unwrap(), data);
    }

    #[test]
    fn damaged_files_are_errors() {
        let whole = gzip(&idx(
            8,
            &[100, 10],
            (0..1000)
                .map(|byte| (byte * byte / 7) as u8)
                .collect::<Vec<_>>(),
        ));
        for cut in [0, 3, 12, 40, whole.len() / 2, whole.len() - 9] {
            assert!(numbers(whole[..cut].to_vec()).is_err(), "{cut}");
        }
        assert!(matches!(
            numbers(gzip(&idx(8, &[100, 10], [0; 999]))),
            Err(Error::FileSize {
                expected: 1012,
                found: 1011
            })
        ));
        assert!(matches!(
            numbers(gzip(&idx(8, &[3], [0; 9]))),
            Err(Error::FileSize { .. })
        ));
        let mut flipped = whole.clone();
        let middle = whole.len() / 2;
        flipped[middle] ^= 0x55;
        assert!(numbers(flipped).is_err());
    }
}
