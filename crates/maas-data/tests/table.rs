//! Missing values and categories: learnt from some rows, the same for all others, in memory and on disk.
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use std::fs;
use std::path::PathBuf;

use maas_data::{Csv, Dataset, Encoding, Error, Missing, Prefetch, Source, Table, Target};
use ndarray::array;
use proptest::prelude::*;

fn table(text: &str) -> Table {
    Dataset::from_csv_reader(text.as_bytes()).unwrap()
}

fn message(result: Result<impl std::fmt::Debug, Error>) -> String {
    result.unwrap_err().to_string()
}

fn penguins() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/penguins.csv")
}

fn file(name: &str, text: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, text).unwrap();
    path
}

#[test]
fn penguins_are_read_in_a_few_lines() {
    let table = Dataset::from_csv(penguins()).unwrap();
    assert_eq!(table.rows(), 344);
    let error = message(
        table
            .clone()
            .without(&["island", "sex"])
            .unwrap()
            .classes("species"),
    );
    assert_eq!(
        error,
        "line 5, column `bill_length_mm`: a value expected, found `NA`, which stands for none"
    );
    let error = message(
        table
            .clone()
            .without(&["island"])
            .unwrap()
            .missing(Missing::Median)
            .classes("species"),
    );
    assert_eq!(
        error,
        "line 2, column `sex`: a number expected, found `male`"
    );

    let data = table
        .one_hot(&["island", "sex"])
        .unwrap()
        .missing(Missing::Drop)
        .classes("species")
        .unwrap();
    assert_eq!(data.rows(), 333);
    assert_eq!(
        data.class_labels().unwrap(),
        ["Adelie", "Chinstrap", "Gentoo"]
    );
    assert_eq!(
        data.feature_names(),
        [
            "island=Biscoe",
            "island=Dream",
            "island=Torgersen",
            "bill_length_mm",
            "bill_depth_mm",
            "flipper_length_mm",
            "body_mass_g",
            "sex=female",
            "sex=male",
            "year"
        ]
    );
    let first = [0.0, 0.0, 1.0, 39.1, 18.7, 181.0, 3750.0, 0.0, 1.0, 2007.0];
    assert_eq!(data.x().row(0).to_vec(), first);

    let filled = Dataset::from_csv(penguins())
        .unwrap()
        .columns(&["species", "bill_length_mm", "sex"])
        .unwrap()
        .one_hot(&["sex"])
        .unwrap()
        .missing(Missing::Mean)
        .missing_in(&["sex"], Missing::MostFrequent)
        .unwrap()
        .classes("species")
        .unwrap();
    assert_eq!(filled.rows(), 344);
    // The mean that palmerpenguins' authors print; 168 males, 165 females.
    assert!((filled.x()[[3, 0]] - 43.92193).abs() < 1e-4);
    assert_eq!(filled.x().row(3).to_vec()[1..], [0.0, 1.0]);
}

#[test]
fn each_rule_fills_its_value() {
    let a = |rule| {
        table("a,b\n5,1\n1,1\nNA,1\n1,1\n9,1\n,1\n")
            .missing(rule)
            .target("b")
            .map(|data| data.x()[[2, 0]])
    };
    assert_eq!(a(Missing::Mean).unwrap(), 4.0);
    assert_eq!(a(Missing::Median).unwrap(), 3.0);
    assert_eq!(a(Missing::MostFrequent).unwrap(), 1.0);
    assert_eq!(a(Missing::constant(-2.5)).unwrap(), -2.5);
    assert!(matches!(
        a(Missing::Refuse),
        Err(Error::MissingValue { line: 4, .. })
    ));
    assert_eq!(
        message(a(Missing::constant("x"))),
        "column `a`: `x` cannot stand for missing values here"
    );
    let empty = table("a,b\nNA,1\n").missing(Missing::Mean).target("b");
    assert_eq!(
        message(empty),
        "column `a`: at least one value expected to learn from, found none"
    );
    let odd = table("a,b\n3,1\n,1\n-7,1\n5,1\n")
        .missing(Missing::Median)
        .target("b")
        .unwrap();
    assert_eq!(odd.x()[[1, 0]], 3.0);
    let tie = table("a,b\n3,1\n,1\n-7,1\n-0,1\n0,1\n-7,1\n")
        .missing(Missing::MostFrequent)
        .target("b")
        .unwrap();
    assert_eq!(tie.x()[[1, 0]], -7.0);
}

#[test]
fn targets_are_never_made_up() {
    for rule in [
        Missing::Mean,
        Missing::Median,
        Missing::MostFrequent,
        Missing::constant(1),
    ] {
        let error = table("a,b\n1,2\n3,NA\n")
            .missing(rule.clone())
            .target("b")
            .unwrap_err();
        assert!(
            matches!(error, Error::MissingValue { line: 3, .. }),
            "{error}"
        );
        let error = table("a,b\n1,x\n3,NA\n")
            .missing(rule)
            .classes("b")
            .unwrap_err();
        assert!(
            matches!(error, Error::MissingValue { line: 3, .. }),
            "{error}"
        );
    }
    assert_eq!(
        table("a,b\n1,2\n3,NA\n")
            .missing(Missing::Drop)
            .target("b")
            .unwrap()
            .rows(),
        1
    );
}

#[test]
fn marks_are_what_the_user_says() {
    let data = table("a,b\nNone,2\n-1,2\n4,2\n")
        .marks(&["None", "-1"])
        .missing(Missing::Mean)
        .target("b")
        .unwrap();
    assert_eq!(data.x(), array![[4.0], [4.0], [4.0]]);
    let error = message(table("a,b\n-1,2\n").marks(&["-1"]).target("b"));
    assert_eq!(
        error,
        "line 2, column `a`: a value expected, found `-1`, which stands for none"
    );
    let error = message(table("a,b\nNA,2\n").marks(&[]).target("b"));
    assert_eq!(error, "line 2, column `a`: a number expected, found `NA`");
}

#[test]
fn categories_have_no_mean_and_no_strangers() {
    let size = || table("size,b\nM,1\nNA,1\nS,1\nM,1\n");
    let error = message(
        size()
            .ordinal(&["size"])
            .unwrap()
            .missing_in(&["size"], Missing::Median)
            .unwrap()
            .target("b"),
    );
    assert_eq!(
        error,
        "column `size`: categories have no median; take the most frequent, a constant, or drop the row"
    );
    let error = message(
        size()
            .ordinal(&["size"])
            .unwrap()
            .missing(Missing::Median)
            .target("b"),
    );
    assert_eq!(
        error,
        "line 3, column `size`: a value expected, found `NA`, which stands for none"
    );
    let filled = size().ordinal_among("size", &["S", "M", "L"]).unwrap();
    let data = filled
        .clone()
        .missing(Missing::MostFrequent)
        .target("b")
        .unwrap();
    assert_eq!(data.x(), array![[1.0], [1.0], [0.0], [1.0]]);
    assert_eq!(data.feature_names(), ["size"]);
    let error = message(filled.clone().missing(Missing::constant("XL")).target("b"));
    assert_eq!(
        error,
        "column `size`: `XL` cannot stand for missing values here"
    );
    let error = message(size().one_hot_among("size", &["S"]).unwrap().target("b"));
    assert_eq!(error, "line 2, column `size`: one of S expected, found `M`");
    assert!(matches!(
        size().ids_among("size", &["S", "S"]),
        Err(Error::DuplicateClass { .. })
    ));
    let numbered = table("grade,b\n10,1\n9,1\n10,1\n")
        .one_hot(&["grade"])
        .unwrap()
        .target("b")
        .unwrap();
    assert_eq!(numbered.feature_names(), ["grade=9", "grade=10"]);
}

#[test]
fn dates_say_what_to_do() {
    assert_eq!(
        message(table("when,b\n2024-01-31,1\n").target("b")),
        "line 2, column `when`: a number expected, found the date or time `2024-01-31`; leave the column out, or write \
         it as numbers first, such as days since a day"
    );
}

#[test]
fn an_encoding_learns_from_what_it_is_given() {
    let all = table("a,c,w,y\n1,x,1,no\n,z,2,yes\n3,x,0,no\n,x,1,yes\n100,z,1,no\n");
    let (train, test) = all.hold_out(&[4, 3]).unwrap();
    let train = train
        .one_hot(&["c"])
        .unwrap()
        .missing(Missing::Mean)
        .weighted_by("w")
        .unwrap();
    let encoding = train.encoding(Target::classes("y")).unwrap();
    let text = serde_json::to_string(&encoding).unwrap();
    let encoding: Encoding = serde_json::from_str(&text).unwrap();
    let data = encoding.apply(&test).unwrap();
    assert_eq!(data.x(), array![[100.0, 0.0, 1.0], [2.0, 1.0, 0.0]]);
    assert_eq!(data.labels(), Some(&[0, 1][..]));
    assert_eq!(data.weights(), Some(&[1.0, 1.0][..]));
    let data = encoding
        .without_target()
        .apply(&table("c,a\nz,5\n"))
        .unwrap();
    assert_eq!(data.x(), array![[5.0, 0.0, 1.0]]);
    assert_eq!(
        message(encoding.apply(&table("a,c,w,y\n1,x,1,no\n1,q,1,no\n"))),
        "line 3, column `c`: one of x, z expected, found `q`"
    );
    assert_eq!(
        message(encoding.apply(&table("a,c,w,y\n1,x,1,maybe\n"))),
        "line 2, column `y`: one of no, yes expected, found `maybe`"
    );
    assert!(matches!(
        encoding.apply(&table("a,c,w,y\n1,x,0,no\n")),
        Err(Error::NoWeight)
    ));
    assert!(matches!(
        encoding.apply(&table("a,c,w,y\n1,x,-1,no\n")),
        Err(Error::BadWeight { .. })
    ));
}

#[test]
fn tables_without_names() {
    let data = Csv::new()
        .unnamed()
        .read_from("1,2\n3,4\n".as_bytes())
        .unwrap()
        .target("c1")
        .unwrap();
    assert_eq!(
        (data.x(), data.y()),
        (array![[1.0], [3.0]].view(), array![[2.0], [4.0]].view())
    );
}

#[test]
fn more_categories_than_memory_is_an_error() {
    let names: Vec<String> = (0..3).map(|category| format!("c{category}")).collect();
    let text = serde_json::json!({
        "marks": [], "weights": null, "drop_targets": false, "target": "unknown",
        "columns": [{"name": "a", "kind": {"one_hot": names}, "missing": "refuse"}],
    });
    let encoding: Encoding = serde_json::from_value(text).unwrap();
    assert_eq!(
        encoding.apply(&table("a\nc1\n")).unwrap().x(),
        array![[0.0, 1.0, 0.0]]
    );
}

#[derive(Clone, Debug)]
struct Rows(Vec<(Option<i8>, Option<u8>, Option<bool>)>);

fn rows() -> impl Strategy<Value = Rows> {
    let row = (
        prop::option::weighted(0.8, any::<i8>()),
        prop::option::weighted(0.8, 0_u8..4),
        prop::option::weighted(0.95, any::<bool>()),
    );
    prop::collection::vec(row, 1..40).prop_map(Rows)
}

fn rule() -> impl Strategy<Value = Missing> {
    prop_oneof![
        Just(Missing::Refuse),
        Just(Missing::Drop),
        Just(Missing::Mean),
        Just(Missing::Median),
        Just(Missing::MostFrequent),
        Just(Missing::constant(7))
    ]
}

impl Rows {
    fn csv(&self) -> String {
        let text = |value: Option<String>| value.unwrap_or_else(|| "NA".to_owned());
        self.0.iter().fold("a,c,y\n".to_owned(), |csv, &(a, c, y)| {
            let a = a.map(|a| a.to_string());
            let c = c.map(|c| format!("kind {c}"));
            let y = y.map(|y| y.to_string());
            format!("{csv}{},{},{}\n", text(a), text(c), text(y))
        })
    }
}

proptest! {
    #[test]
    fn streaming_equals_in_memory(rows in rows(), numbers in rule(), categories in rule(), how in 0..3, chunk_rows in 1_usize..50) {
        let path = file("stream.csv", &rows.csv());
        macro_rules! choose {
            ($table:expr) => {{
                let table = $table;
                let table = match how {
                    0 => table.one_hot(&["c"]),
                    1 => table.ordinal(&["c"]),
                    _ => table.ids(&["c"]),
                };
                table.unwrap().missing(numbers.clone()).missing_in(&["c"], categories.clone()).unwrap()
            }};
        }
        let whole = choose!(Dataset::from_csv(&path).unwrap()).classes("y");
        let source = choose!(Dataset::stream_csv(&path).unwrap()).classes("y").map(|source| Prefetch::new(source.chunk_rows(chunk_rows)));
        let (whole, source) = match (whole, source) {
            (Ok(whole), Ok(source)) => (whole, source),
            (Err(_), Err(_)) => return Ok(()),
            // What only shows in rows that nothing is learnt of.
            (Err(_), Ok(source)) => {
                prop_assert!(source.open(0).unwrap().any(|chunk| chunk.is_err()));
                return Ok(());
            }
            (Ok(_), Err(error)) => return Err(TestCaseError::fail(error.to_string())),
        };
        prop_assert_eq!(source.schema(), &whole.schema());
        prop_assert_eq!(source.rows(), Some(whole.rows() as u64));
        let mut start = 0;
        for chunk in source.open(0).unwrap() {
            let chunk = chunk.unwrap();
            let expected: Vec<usize> = (start..start + chunk.rows()).collect();
            start += chunk.rows();
            prop_assert_eq!(chunk, whole.select(&expected).unwrap());
        }
        prop_assert_eq!(start, whole.rows());
    }

    #[test]
    fn arbitrary_text_never_panics(text in "[a-c0-9,.\"'\r\n;/: NA-]{0,80}", bytes in prop::collection::vec(any::<u8>(), 0..80), rule in rule()) {
        for bytes in [text.as_bytes(), bytes.as_slice()] {
            for csv in [Csv::new(), Csv::new().unnamed(), Csv::new().delimiter(b';')] {
                let Ok(table) = csv.read_from(bytes) else { continue };
                let names: Vec<String> = table.names().into_iter().map(str::to_owned).collect();
                for name in &names {
                    let others: Vec<&str> = names.iter().filter(|other| *other != name).map(String::as_str).collect();
                    let _ = table.target(name);
                    for made in [table.clone().one_hot(&others), table.clone().ordinal(&others), table.clone().ids(&others)] {
                        if let Ok(encoding) = made.unwrap().missing(rule.clone()).encoding(Target::classes(name.as_str())) {
                            let _ = encoding.apply(&table);
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn files_that_change_between_passes_are_noticed() {
    let path = file("changing.csv", "a,b\n1,2\n3,4\n5,6\n");
    let source = Prefetch::new(
        Dataset::stream_csv(&path)
            .unwrap()
            .target("b")
            .unwrap()
            .chunk_rows(2),
    );
    assert_eq!(source.open(0).unwrap().filter_map(Result::ok).count(), 2);
    file("changing.csv", "a,b\n1,2\n3,4\n");
    let error = source.open(1).unwrap().find_map(Result::err).unwrap();
    assert_eq!(
        error.to_string(),
        "the stream ended after chunk 0: 3 rows expected, found 2"
    );
    file("changing.csv", "a,b\n1,2\n3,4\n5\n");
    let error = source.open(2).unwrap().find_map(Result::err).unwrap();
    assert_eq!(error.to_string(), "cannot read chunk 1");
    file("changing.csv", "a,c\n1,2\n");
    let error = source.open(3).unwrap().find_map(Result::err).unwrap();
    let cause = std::error::Error::source(&error).unwrap();
    assert_eq!(
        cause.to_string(),
        "no column is called `b`; there are: a, c"
    );
}
