//! Any bytes are an array or an error, and never more memory than they are worth.
#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use maas_data::Idx;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(idx) = Idx::from_reader(Cursor::new(bytes.to_vec())) {
        let elements: usize = idx.shape().iter().product();
        if let Ok(numbers) = idx.numbers() {
            assert_eq!(numbers.len(), elements);
        }
    }
    if let Ok(idx) = Idx::from_reader(Cursor::new(bytes.to_vec())) {
        let _ = idx.integers();
    }
});
