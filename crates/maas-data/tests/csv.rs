//! Tables as people have them: whatever is wrong is named with its line and column.
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use std::io;
use std::path::PathBuf;

use maas_data::{Csv, Dataset, Error, Missing, Table};
use ndarray::array;

fn table(text: &str) -> Result<Table, Error> {
    Dataset::from_csv_reader(text.as_bytes())
}

fn message(result: Result<impl std::fmt::Debug, Error>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn the_wine_file_of_the_fixture_is_read() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/wine.csv");
    let data = Dataset::from_csv(path).unwrap().target("quality").unwrap();
    assert_eq!(data.rows(), 8);
    assert_eq!(data.feature_names().len(), 11);
    assert_eq!(data.feature_names()[0], "fixed acidity");
    assert_eq!(data.target_names(), ["quality"]);
    assert_eq!(data.x()[[0, 7]], 0.9978);
    assert_eq!(data.y()[[3, 0]], 6.0);
    assert_eq!(data.features()[0].row_elements(), Some(11));
}

#[test]
fn cells_may_be_quoted_spaced_and_end_in_either_way() {
    let data = table("\u{feff}\"a, b\" , c\r\n 1 ,\" 2\"\r\n\r\n3,4")
        .unwrap()
        .target("c")
        .unwrap();
    assert_eq!(data.feature_names(), ["a, b"]);
    assert_eq!(data.x(), array![[1.0], [3.0]]);
    assert_eq!(data.y(), array![[2.0], [4.0]]);
}

#[test]
fn nothing_is_said_to_be_nothing() {
    assert!(matches!(table(""), Err(Error::NoHeader)));
    assert!(matches!(table("\n\n"), Err(Error::NoHeader)));
    assert!(matches!(table("a,b\n"), Err(Error::NoRows)));
    assert!(matches!(
        table("a\n1\n").unwrap().target("a"),
        Err(Error::NoInputs)
    ));
    assert!(matches!(
        table("a,b\nNA,1\n")
            .unwrap()
            .missing(Missing::Drop)
            .target("b"),
        Err(Error::NoRows)
    ));
}

#[test]
fn rows_of_the_wrong_width_are_named() {
    assert_eq!(
        message(table("a,b\n1,2\n1,2,3\n")),
        "line 3: 2 cells expected, found 3"
    );
    assert_eq!(
        message(table("a,b\n\n\n1\n")),
        "line 4: 2 cells expected, found 1"
    );
    assert_eq!(
        message(table("a,b\n\"1\n2\",3\n4\n")),
        "line 4: 2 cells expected, found 1"
    );
}

#[test]
fn cells_that_are_no_numbers_are_named() {
    let target = |text| message(table(text).unwrap().target("b"));
    assert_eq!(
        target("a,b\n1,2\nhigh,3\n"),
        "line 3, column `a`: a number expected, found `high`"
    );
    assert_eq!(
        target("a,b\r\n1,2\r\n1,two\r\n"),
        "line 3, column `b`: a number expected, found `two`"
    );
    assert_eq!(
        target("a,b\nNaN,2\n"),
        "line 2, column `a`: a value expected, found `NaN`, which stands for none"
    );
    assert_eq!(
        target("a,b\n-inf,2\n"),
        "line 2, column `a`: a finite number expected, found `-inf`"
    );
    assert_eq!(
        target("a,b\n1e40,2\n"),
        "line 2, column `a`: a finite number expected, found `1e40`"
    );
    assert_eq!(
        target("a,b\n,2\n"),
        "line 2, column `a`: a value expected, found an empty cell"
    );
    assert_eq!(
        target("a,b\nNA,2\n"),
        "line 2, column `a`: a value expected, found `NA`, which stands for none"
    );
    assert_eq!(
        target("a,b\n\"1,5\",2\n"),
        "line 2, column `a`: a number with a decimal point and without thousands separators expected, found `1,5`"
    );
}

#[test]
fn columns_that_are_not_there_are_named_with_those_that_are() {
    let wine = table("pH,alcohol,quality\n3.5,9.4,5\n").unwrap();
    let expected = "no column is called `Quality`; there are: pH, alcohol, quality";
    assert_eq!(message(wine.target("Quality")), expected);
    assert_eq!(message(wine.classes("Quality")), expected);
    assert_eq!(message(wine.clone().columns(&["Quality"])), expected);
    assert_eq!(message(wine.clone().without(&["Quality"])), expected);
    assert_eq!(
        message(wine.columns(&["pH", "quality"]).unwrap().target("alcohol")),
        "no column is called `alcohol`; there are: pH, quality"
    );
    assert_eq!(
        message(table("a,b,a\n1,2,3\n")),
        "two columns are called `a`"
    );
}

#[test]
fn files_that_are_not_there_or_fail_are_named() {
    let error = Dataset::from_csv("no/such/wine.csv").unwrap_err();
    assert_eq!(error.to_string(), "cannot open no/such/wine.csv");
    assert!(std::error::Error::source(&error).is_some());
    let folder = env!("CARGO_MANIFEST_DIR");
    assert!(matches!(
        Dataset::from_csv(folder),
        Err(Error::InFile { .. } | Error::Open { .. })
    ));

    struct Failing;
    impl io::Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("unplugged"))
        }
    }
    assert!(matches!(
        Dataset::from_csv_reader(Failing),
        Err(Error::Read(_))
    ));
    let error = Dataset::from_csv_reader(b"a,b\n1,\xff\n".as_slice()).unwrap_err();
    assert!(
        matches!(error, Error::NotUtf8 { line: 2, cell: 2 }),
        "{error}"
    );
}

#[test]
fn text_columns_need_not_be_numbers_unless_chosen() {
    let penguins = table(
        "species,island,bill,mass,sex\nAdelie,Torgersen,39.1,3750,male\nGentoo,Biscoe,NA,4500,NA\n\
         Chinstrap,Dream,46.5,3500,female\nAdelie,Dream,37.2,3900,NA\n",
    )
    .unwrap();
    let measured = penguins
        .clone()
        .columns(&["bill", "mass", "species"])
        .unwrap()
        .missing(Missing::Drop);
    let data = measured.classes("species").unwrap();
    assert_eq!(data.rows(), 3);
    assert_eq!(data.class_labels().unwrap(), ["Adelie", "Chinstrap"]);
    assert_eq!(data.labels().unwrap(), [0, 1, 0]);
    let data = measured
        .classes_among("species", ["Adelie", "Chinstrap", "Gentoo"])
        .unwrap();
    assert_eq!(data.class_labels().unwrap().len(), 3);
    let complete = penguins.one_hot(&["island", "sex"]).unwrap();
    let complete = complete.missing(Missing::Drop).classes("species").unwrap();
    assert_eq!(complete.rows(), 2);
}

#[test]
fn labels_are_texts_or_numbers_in_order() {
    let data = table("a,quality\n1,10\n2,3\n3,8\n4,3\n")
        .unwrap()
        .classes("quality")
        .unwrap();
    assert_eq!(data.class_labels().unwrap(), ["3", "8", "10"]);
    assert_eq!(data.labels().unwrap(), [2, 0, 1, 0]);
    let digits = table("a,label\n1,0\n2,9\n3,10\n").unwrap();
    assert_eq!(
        message(digits.classes_among("label", 10)),
        "line 4, column `label`: one of 0 to 9 expected, found `10`"
    );
    for count in [11, usize::MAX] {
        let data = digits.classes_among("label", count).unwrap();
        assert_eq!(data.labels().unwrap(), [0, 9, 10]);
    }
    assert!(matches!(
        digits.classes_among("label", 0),
        Err(Error::NoClasses)
    ));
    assert!(matches!(
        digits.classes_among("label", ["0", "9", "9", "10"]),
        Err(Error::DuplicateClass { .. })
    ));
    assert_eq!(
        message(table("a,label\n1,yes\n2,\n").unwrap().classes("label")),
        "line 3, column `label`: a value expected, found an empty cell"
    );
}

#[test]
fn other_delimiters() {
    let data = Csv::new()
        .delimiter(b';')
        .read_from("a;b\n1,5;2\n".as_bytes())
        .unwrap();
    assert_eq!(data.names(), ["a", "b"]);
    assert!(matches!(
        data.target("b"),
        Err(Error::SeparatedNumber { .. })
    ));
}
