//! Files that no writer would make.
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use maas_core::Seed;
use maas_nn::{Layers, Sequential};

use super::coder::{Coder, Encoder};
use super::text::text;
use super::write::assemble;
use super::{EXPANSION, FileFault, PREFIX, read};
use crate::Error;

/// A file with this specification, what is coded behind it, and zeros up to some length.
fn file(spec: &str, length: usize, rest: impl FnOnce(&mut Encoder)) -> Vec<u8> {
    let mut encoder = Encoder::new();
    text(&mut encoder, spec, spec.len());
    rest(&mut encoder);
    let mut stream = encoder.finish();
    stream.resize(stream.len().max(length.saturating_sub(PREFIX)), 0);
    assemble(&stream)
}

fn fault(bytes: &[u8]) -> FileFault {
    match read(bytes, &Layers::standard()) {
        Err(Error::File(FileFault::Segment { source, .. })) => *source,
        Err(Error::File(fault)) => fault,
        other => panic!("expected a fault of the file, found {other:?}"),
    }
}

/// A kernel of 4 × 9 weights.
fn spec() -> String {
    let network = Sequential::rows(4).dense(9).build(Seed(7)).unwrap();
    serde_json::to_string(network.spec()).unwrap()
}

#[test]
fn specifications_are_read_within_bounds() {
    assert!(matches!(fault(&file("", 0, |_| ())), FileFault::Header(_)));
    assert!(matches!(
        fault(&file("{}", 0, |_| ())),
        FileFault::Expansion { .. } | FileFault::Header(_)
    ));
    let nested = "[".repeat(10_000);
    assert!(matches!(
        fault(&file(&nested, 10_000, |_| ())),
        FileFault::Header(_)
    ));
    let long = " ".repeat(100_000);
    let file_of_it = file(&long, 0, |_| ());
    assert!(file_of_it.len() < 1_000);
    assert!(matches!(fault(&file_of_it), FileFault::Expansion { .. }));
}

#[test]
fn huge_layers_are_refused_before_memory_is_taken() {
    for units in ["4000000000", "18446744073709551615", "1000000000000"] {
        let spec = spec().replace("\"units\":9", &format!("\"units\":{units}"));
        let error = read(&file(&spec, 1000, |_| ()), &Layers::standard()).unwrap_err();
        assert!(
            matches!(
                error,
                Error::File(FileFault::Expansion { .. }) | Error::Network(_)
            ),
            "{error}"
        );
    }
    let moments = Sequential::rows(2)
        .normalize(maas_core::Moments::identity(2))
        .dense(1);
    let spec = serde_json::to_string(moments.build(Seed(7)).unwrap().spec()).unwrap();
    let huge = file(&spec, 1000, |encoder| {
        encoder.length(u32::MAX);
    });
    assert!(matches!(
        fault(&huge),
        FileFault::Expansion { file: 1000, limit, found } if limit == 1000 * EXPANSION && found > limit
    ));
}

/// No mask, a form, and no zeros among the numbers.
fn start(encoder: &mut Encoder, form: u32) {
    encoder.even(1, 0);
    encoder.even(2, form);
    encoder.even(1, 0);
}

#[test]
fn palettes_have_no_more_numbers_than_they_stand_for() {
    for size in [0, 37, u32::MAX] {
        let bytes = file(&spec(), 1000, |encoder| {
            start(encoder, 2);
            encoder.length(size);
        });
        let found = fault(&bytes);
        assert!(
            matches!(found, FileFault::Palette { expected: 36, found } if found == size as usize),
            "{found}"
        );
    }
}

#[test]
fn places_are_in_the_palette() {
    let bytes = file(&spec(), 1000, |encoder| {
        start(encoder, 2);
        encoder.length(3);
        encoder.even(1, 0);
        encoder.even(2, 0);
        (0..3).for_each(|number| {
            encoder.number(32, number);
        });
        // Two bits for the place of the first weight.
        encoder.bit(1 << 15, true);
        encoder.bit(1 << 15, true);
    });
    let found = fault(&bytes);
    assert!(
        matches!(
            found,
            FileFault::Place {
                expected: 3,
                found: 3
            }
        ),
        "{found}"
    );
}

#[test]
fn codes_are_of_a_grid_that_there_may_be() {
    let bytes = file(&spec(), 1000, |encoder| {
        start(encoder, 3);
        encoder.length(32_768);
    });
    let found = fault(&bytes);
    assert!(
        matches!(
            found,
            FileFault::Levels {
                expected: 32_767,
                found: 32_768
            }
        ),
        "{found}"
    );
}

#[test]
fn lists_do_not_lie_in_lists_for_ever() {
    let bytes = file(&spec(), 1000, |encoder| {
        for size in [5, 4, 3, 2] {
            start(encoder, 2);
            encoder.length(size);
        }
    });
    let found = fault(&bytes);
    assert!(matches!(found, FileFault::Depth { expected: 2 }), "{found}");
}

#[test]
fn content_does_not_go_on_behind_the_end() {
    let spec = Sequential::rows(40).dense(50).build(Seed(7)).unwrap();
    let spec = serde_json::to_string(spec.spec()).unwrap();
    let found = fault(&file(&spec, 60, |encoder| {
        encoder.even(1, 0);
        encoder.even(2, 0);
    }));
    assert!(matches!(found, FileFault::Exhausted { .. }), "{found}");
}
