//! Any text is a history, an encoding, a specification or a learning rate, or an error; what is read can be written, used
//! and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use maas_data::{Csv, Encoding};
use maas_nn::NetworkSpec;
use maas_train::{History, Horizon, LearningRate};

fuzz_target!(|text: &str| {
    if let Ok(history) = History::from_json(text) {
        let json = history.to_json();
        assert_eq!(History::from_json(&json).unwrap().to_json(), json);
        let _ = (history.to_csv(), history.to_svg(), history.best().is_some());
    }
    if let Ok(encoding) = serde_json::from_str::<Encoding>(text) {
        let json = serde_json::to_string(&encoding).unwrap();
        serde_json::from_str::<Encoding>(&json).unwrap();
        let table = Csv::new().read_from("a,b,c\n1,x,2\n3,y,4\n".as_bytes());
        let _ = encoding.apply(&table.unwrap());
    }
    if let Ok(rate) = serde_json::from_str::<LearningRate>(text) {
        for step in [1, 2, 1000, u64::MAX] {
            for horizon in [Horizon::unknown(), Horizon::new(10, 100)] {
                if let Ok(rate) = rate.at(step, horizon) {
                    assert!(rate >= 0.0 && rate.is_finite());
                }
            }
        }
    }
    if let Ok(spec) = serde_json::from_str::<NetworkSpec>(text) {
        serde_json::to_string(&spec).unwrap();
    }
});
