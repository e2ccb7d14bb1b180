//! Any bytes are a table or an error; any table makes data or an error, whatever is asked of it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use maas_data::{Csv, Missing, Target};

fuzz_target!(|bytes: &[u8]| {
    let Some((&choice, text)) = bytes.split_first() else {
        return;
    };
    let csv = match choice % 3 {
        0 => Csv::new(),
        1 => Csv::new().unnamed(),
        _ => Csv::new().delimiter(b';'),
    };
    let Ok(table) = csv.read_from(text) else {
        return;
    };
    let names: Vec<String> = table.names().into_iter().map(str::to_owned).collect();
    let Some((target, others)) = names.split_last() else {
        return;
    };
    let others: Vec<&str> = others.iter().map(String::as_str).take(8).collect();
    let rule = match choice / 3 % 6 {
        0 => Missing::Refuse,
        1 => Missing::Drop,
        2 => Missing::Mean,
        3 => Missing::Median,
        4 => Missing::MostFrequent,
        _ => Missing::constant(0),
    };
    let table = table.missing(rule);
    let table = match choice / 18 % 4 {
        0 => Ok(table),
        1 => table.one_hot(&others),
        2 => table.ordinal(&others),
        _ => table.ids(&others),
    };
    let Ok(table) = table else { return };
    let _ = table.target(target);
    if let Ok(encoding) = table.encoding(Target::classes(target.as_str())) {
        if let Ok(data) = encoding.apply(&table) {
            assert!(data.rows() <= table.rows());
            assert_eq!(data.x().ncols(), if data.x().is_empty() { 0 } else { data.feature_names().len() });
        }
    }
});
