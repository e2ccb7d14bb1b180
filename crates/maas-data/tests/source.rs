//! Sources: chunks are the data, errors name their chunk, threads end.
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use maas_data::{Chunks, Dataset, Error, FnSource, InMemory, Prefetch, Source};
use ndarray::Array2;
use proptest::prelude::*;

fn numbered(start: usize, rows: usize, width: usize) -> Dataset {
    let x = Array2::from_shape_fn((rows, width), |(row, _)| (start + row) as f32);
    let y = Array2::from_shape_fn((rows, 1), |(row, _)| (start + row) as f32);
    Dataset::new(x.view(), y.view()).unwrap()
}

fn targets(pass: Chunks) -> Result<Vec<f32>, Error> {
    let mut targets = Vec::new();
    for chunk in pass {
        targets.extend(chunk?.y());
    }
    Ok(targets)
}

/// Chunks of two rows, with something else instead of chunk 2.
fn broken(
    instead: impl Fn() -> Option<Result<Dataset, Error>> + Clone + Send + Sync + 'static,
) -> impl Source {
    FnSource::new(move |epoch| {
        let instead = instead.clone();
        let chunk = move |chunk| match chunk {
            2 if epoch > 0 => instead(),
            _ => Some(Ok(numbered(2 * chunk, 2, 3))),
        };
        Ok((0..4).map_while(chunk))
    })
    .unwrap()
}

proptest! {
    #[test]
    fn streaming_equals_in_memory(rows in 1_usize..40, chunk_rows in 0_usize..50, ahead in 0_usize..4) {
        let weights: Vec<f32> = (1..=rows).map(|row| row as f32).collect();
        let data = numbered(0, rows, 2).weighted(weights).unwrap();
        let source = Prefetch::new(InMemory::new(data.clone(), chunk_rows)).ahead(ahead);
        prop_assert_eq!(source.rows(), Some(rows as u64));
        for epoch in 0..2 {
            let chunks = source.open(epoch).unwrap().collect::<Result<Vec<_>, _>>().unwrap();
            prop_assert_eq!(chunks.len(), rows.div_ceil(chunk_rows.max(1)));
            let x: Vec<f32> = chunks.iter().flat_map(|chunk| chunk.x().iter().copied().collect::<Vec<_>>()).collect();
            let weights: Vec<f32> = chunks.iter().flat_map(|chunk| chunk.weights().unwrap().to_vec()).collect();
            prop_assert_eq!(x, data.x().iter().copied().collect::<Vec<_>>());
            prop_assert_eq!(weights, data.weights().unwrap());
        }
    }
}

#[test]
fn errors_name_their_chunk() {
    for ahead in [0, 1, 2, 9] {
        let source =
            Prefetch::new(broken(|| Some(Err(Error::source_failed("unplugged"))))).ahead(ahead);
        assert_eq!(targets(source.open(0).unwrap()).unwrap().len(), 8);
        let mut pass = source.open(1).unwrap();
        assert_eq!(pass.by_ref().take(2).filter_map(Result::ok).count(), 2);
        let error = pass.next().unwrap().unwrap_err();
        assert_eq!(error.to_string(), "cannot read chunk 2");
        assert!(pass.next().is_none() && pass.next().is_none());

        let source = Prefetch::new(broken(|| Some(Ok(numbered(4, 2, 5))))).ahead(ahead);
        let error = targets(source.open(1).unwrap()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "chunk 2: rows of x FP32 [3] -> 1 value expected, found x FP32 [5] -> 1 value"
        );
    }
}

#[test]
fn passes_are_of_one_length() {
    let source = Prefetch::new(broken(|| None));
    assert_eq!(source.rows(), None);
    assert_eq!(targets(source.open(0).unwrap()).unwrap().len(), 8);
    assert_eq!(source.rows(), Some(8));
    let error = targets(source.open(1).unwrap()).unwrap_err();
    assert!(matches!(
        error,
        Error::EarlyEnd {
            chunks: 2,
            expected: 8,
            found: 4
        }
    ));
    assert_eq!(
        error.to_string(),
        "the stream ended after chunk 1: 8 rows expected, found 4"
    );

    let source = Prefetch::new(broken(|| Some(Ok(numbered(4, 3, 3)))));
    targets(source.open(0).unwrap()).unwrap();
    let error = targets(source.open(1).unwrap()).unwrap_err();
    assert!(matches!(
        error,
        Error::LateEnd {
            chunk: 3,
            expected: 8,
            found: 9
        }
    ));

    let none = FnSource::with_schema(numbered(0, 1, 1).schema(), |_| {
        Ok(std::iter::empty::<Result<Dataset, Error>>())
    });
    assert!(matches!(
        targets(Prefetch::new(&none).open(0).unwrap()),
        Err(Error::NoRows)
    ));
    let none = none.of_rows(7);
    assert!(matches!(
        targets(Prefetch::new(none).open(0).unwrap()),
        Err(Error::NoRows)
    ));
}

#[test]
fn panics_arrive() {
    for ahead in [1, 2] {
        let source = Prefetch::new(broken(|| panic!("the disk is on fire"))).ahead(ahead);
        let error = targets(source.open(1).unwrap()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "reading chunk 2 panicked: the disk is on fire"
        );
    }
}

#[test]
fn what_waits_is_bounded_and_dropping_ends_the_thread() {
    struct Counted(Arc<AtomicUsize>);
    impl Drop for Counted {
        fn drop(&mut self) {
            self.0.fetch_add(1_000_000, Ordering::SeqCst);
        }
    }
    for ahead in 1..4 {
        let read = Arc::new(AtomicUsize::new(0));
        let source = FnSource::with_schema(numbered(0, 1, 1).schema(), {
            let read = Arc::clone(&read);
            move |_| {
                let guard = Counted(Arc::clone(&read));
                Ok((0..).map(move |_| {
                    guard.0.fetch_add(1, Ordering::SeqCst);
                    Ok(numbered(0, 1, 1))
                }))
            }
        });
        let mut pass = Prefetch::new(source).ahead(ahead).open(0).unwrap();
        for _ in 0..3 {
            pass.next().unwrap().unwrap();
        }
        thread::sleep(Duration::from_millis(20));
        assert!(read.load(Ordering::SeqCst) <= 3 + ahead);
        drop(pass);
        // The iterator that the thread owned is gone when dropping returns.
        assert!(read.load(Ordering::SeqCst) >= 1_000_000);
    }
}

#[test]
fn sources_can_be_shared_and_boxed() {
    let source: Arc<dyn Source> = Arc::new(InMemory::new(numbered(0, 5, 1), 2));
    let pass = Prefetch::new(Arc::clone(&source)).open(0).unwrap();
    let boxed: Box<dyn Source> = Box::new(source);
    assert_eq!(*boxed.schema(), numbered(9, 1, 1).schema());
    drop(boxed);
    assert_eq!(targets(pass).unwrap(), [0.0, 1.0, 2.0, 3.0, 4.0]);
}
