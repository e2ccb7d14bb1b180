mod read;
mod weights;

pub(crate) use weights::{check_any_weight, check_weights};

use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use maas_core::Values;
use ndarray::ArrayView2;

use crate::input::{TARGET, gather};
use crate::{Classes, Csv, Error, Input, OnDisk, Table, Targets};

/// Rows of inputs and of a target to be learnt from them.
///
/// A data set is checked when it is made: it has at least one row and one input, inputs and target have the same number
/// of rows, every number is finite, and every label is below the number of classes.
///
/// ```
/// use maas_data::Dataset;
/// use ndarray::array;
///
/// let features = array![[0.0_f32, 1.0], [1.0, 0.0], [1.0, 1.0]];
/// let data = Dataset::new(features.view(), array![[1.0_f32], [1.0], [2.0]].view())?;
/// assert_eq!(data.rows(), 3);
/// assert_eq!(data.y()[[2, 0]], 2.0);
/// # Ok::<(), maas_data::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    inputs: Vec<Input>,
    targets: Targets,
    weights: Option<Vec<f32>>,
    names: Arc<Names>,
}

/// What columns and classes are called; shared by all parts of a data set.
#[derive(Debug, PartialEq)]
struct Names {
    features: Vec<String>,
    targets: Vec<String>,
    labels: Option<Vec<String>>,
}

impl Dataset {
    /// A regression: rows × features, and rows × target numbers. Any strides will do; the numbers are copied.
    ///
    /// # Errors
    /// [`Error::NoRows`], [`Error::RowCount`] when there are not as many rows of targets, [`Error::NotFinite`] with the
    /// row and column of NaN or an infinity, [`Error::EmptyRow`] for no columns.
    ///
    /// ```
    /// use maas_data::{Dataset, Error};
    /// use ndarray::array;
    /// let error = Dataset::new(array![[1.0_f32], [f32::NAN]].view(), array![[1.0_f32], [2.0]].view()).unwrap_err();
    /// assert!(matches!(error, Error::NotFinite { row: 1, column: 0, .. }));
    /// ```
    #[expect(clippy::needless_pass_by_value, reason = "a view is a reference")]
    pub fn new(features: ArrayView2<'_, f32>, targets: ArrayView2<'_, f32>) -> Result<Self, Error> {
        check_rows(TARGET, features.nrows(), targets.nrows())?;
        let targets = Targets::Values {
            width: targets.ncols(),
            data: targets.into_iter().copied().collect(),
        };
        Self::from_inputs(vec![features_of(features)?], targets)
    }

    /// A regression from plain slices, row-major: `width` numbers a row to learn from, `target_width` to be learnt.
    ///
    /// # Errors
    /// Those of [`Dataset::new`]; [`Error::RaggedValues`] when a slice does not hold whole rows.
    ///
    /// ```
    /// use maas_data::Dataset;
    /// let data = Dataset::from_slices(&[1.0, 2.0, 3.0, 4.0], 2, &[5.0, 6.0], 1)?;
    /// assert_eq!((data.rows(), data.x()[[1, 0]]), (2, 3.0));
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn from_slices(
        features: &[f32],
        width: usize,
        targets: &[f32],
        target_width: usize,
    ) -> Result<Self, Error> {
        let targets = Targets::Values {
            width: target_width,
            data: targets.to_vec(),
        };
        Self::from_inputs(vec![Input::new("x", &[width], features.to_vec())?], targets)
    }

    /// Rows to be predicted, of which no target is known.
    ///
    /// # Errors
    /// Those of [`Dataset::new`].
    ///
    /// ```
    /// use maas_data::{Dataset, TargetKind};
    /// let data = Dataset::unlabelled(ndarray::array![[1.0_f32], [2.0]].view())?;
    /// assert_eq!((data.rows(), data.targets().kind()), (2, TargetKind::Unknown));
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    #[expect(clippy::needless_pass_by_value, reason = "a view is a reference")]
    pub fn unlabelled(features: ArrayView2<'_, f32>) -> Result<Self, Error> {
        let rows = features.nrows();
        Self::from_inputs(vec![features_of(features)?], Targets::Unknown { rows })
    }

    /// A classification: rows × features, and the number of each row's class.
    ///
    /// `classes` is their number, or their names.
    ///
    /// # Errors
    /// Those of [`Dataset::new`]; [`Error::LabelOutOfRange`] with the row, [`Error::NoClasses`] and
    /// [`Error::DuplicateClass`].
    ///
    /// ```
    /// use maas_data::{Dataset, Error};
    /// use ndarray::array;
    /// let features = array![[0.1_f32], [0.9], [0.2]];
    /// let data = Dataset::classification(features.view(), &[0, 1, 0], ["benign", "malignant"])?;
    /// assert_eq!(data.class_labels().unwrap()[1], "malignant");
    /// let error = Dataset::classification(features.view(), &[0, 1, 2], 2).unwrap_err();
    /// assert_eq!(error.to_string(), "row 2: a label below 2 expected, found 2");
    /// # Ok::<(), Error>(())
    /// ```
    #[expect(clippy::needless_pass_by_value, reason = "a view is a reference")]
    pub fn classification(
        features: ArrayView2<'_, f32>,
        labels: &[u32],
        classes: impl Into<Classes>,
    ) -> Result<Self, Error> {
        let classes = classes.into();
        check_rows(TARGET, features.nrows(), labels.len())?;
        let targets = Targets::Labels {
            classes: classes.count(),
            data: labels.to_vec(),
        };
        Self::from_inputs(vec![features_of(features)?], targets)?.with_classes(classes)
    }

    /// Inputs of any number, shape and type: images, sequences, ids.
    ///
    /// # Errors
    /// [`Error::NoInputs`], [`Error::NoRows`], [`Error::TooManyRows`]; [`Error::RowCount`] when inputs or targets differ
    /// in rows; [`Error::DuplicateColumn`] when two inputs have one name; for the targets, as [`Dataset::new`] and
    /// [`Dataset::classification`].
    ///
    /// ```
    /// use maas_data::{Dataset, Input, Targets};
    /// let image = Input::new("image", &[8, 8], vec![0.0_f32; 128])?;
    /// let writer = Input::new("writer", &[1], vec![3_i32, 4])?;
    /// let data = Dataset::from_inputs(vec![image, writer], Targets::Labels { classes: 10, data: vec![9, 0] })?;
    /// assert_eq!(data.features().len(), 2);
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn from_inputs(inputs: Vec<Input>, targets: Targets) -> Result<Self, Error> {
        let rows = inputs.first().ok_or(Error::NoInputs)?.rows();
        for (index, input) in inputs.iter().enumerate() {
            check_rows(input.name(), rows, input.rows())?;
            if inputs[..index]
                .iter()
                .any(|earlier| earlier.name() == input.name())
            {
                return Err(Error::DuplicateColumn {
                    name: input.name().to_owned(),
                });
            }
        }
        targets.check()?;
        check_rows(TARGET, rows, targets.rows())?;
        if rows == 0 {
            return Err(Error::NoRows);
        }
        if u32::try_from(rows).is_err() {
            return Err(Error::TooManyRows { found: rows });
        }
        let width = first_numbers(&inputs).map_or(0, |(_, width)| width);
        let target_width = match targets {
            Targets::Values { width, .. } => width,
            Targets::Labels { .. } => 1,
            Targets::Unknown { .. } => 0,
        };
        let names = Arc::new(Names {
            features: numbered("x", width),
            targets: if target_width == 1 {
                vec!["y".to_owned()]
            } else {
                numbered("y", target_width)
            },
            labels: None,
        });
        Ok(Self {
            inputs,
            targets,
            weights: None,
            names,
        })
    }

    /// The same data with names for the columns of [`Dataset::x`] and for those of the target.
    ///
    /// # Errors
    /// [`Error::NameCount`] when there are more or fewer names than columns.
    ///
    /// ```
    /// # use {maas_data::Dataset, ndarray::array};
    /// let data = Dataset::new(array![[9.4_f32, 3.51]].view(), array![[5.0_f32]].view())?;
    /// let data = data.named(["alcohol", "pH"], ["quality"])?;
    /// assert_eq!(data.feature_names()[1], "pH");
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn named<F: Into<String>, T: Into<String>>(
        self,
        features: impl IntoIterator<Item = F>,
        targets: impl IntoIterator<Item = T>,
    ) -> Result<Self, Error> {
        let names = Names {
            features: features.into_iter().map(Into::into).collect(),
            targets: targets.into_iter().map(Into::into).collect(),
            labels: self.names.labels.clone(),
        };
        for (old, new) in [
            (&self.names.features, &names.features),
            (&self.names.targets, &names.targets),
        ] {
            if old.len() != new.len() {
                return Err(Error::NameCount {
                    expected: old.len(),
                    found: new.len(),
                });
            }
        }
        Ok(Self {
            names: Arc::new(names),
            ..self
        })
    }

    /// Reads a comma-separated file with a line of column names. [`Csv`] reads others.
    ///
    /// # Errors
    /// Those of [`Csv::read`].
    ///
    /// ```
    /// use maas_data::{Dataset, Error};
    /// let error = Dataset::from_csv("no-such-wine.csv").unwrap_err();
    /// assert_eq!(error.to_string(), "cannot open no-such-wine.csv");
    /// ```
    pub fn from_csv(path: impl AsRef<Path>) -> Result<Table, Error> {
        Csv::new().read(path)
    }

    /// Opens a comma-separated file that may be larger than memory: its rows stay there, and what is made of it is a
    /// source of chunks.
    ///
    /// # Errors
    /// Those of [`Csv::stream`].
    ///
    /// ```
    /// use maas_data::{Dataset, Error};
    /// assert!(matches!(Dataset::stream_csv("no-such-wine.csv"), Err(Error::Open { .. })));
    /// ```
    pub fn stream_csv(path: impl AsRef<Path>) -> Result<Table<OnDisk>, Error> {
        Csv::new().stream(path)
    }

    /// Reads comma-separated text with a line of column names.
    ///
    /// # Errors
    /// Those of [`Csv::read_from`].
    ///
    /// ```
    /// let table = maas_data::Dataset::from_csv_reader("a,b\n1,2\n".as_bytes())?;
    /// assert_eq!(table.rows(), 1);
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn from_csv_reader(reader: impl io::Read) -> Result<Table, Error> {
        Csv::new().read_from(reader)
    }

    /// The rows of these numbers, in this order; a row may come more than once.
    ///
    /// # Errors
    /// [`Error::NoSuchRow`]; [`Error::NoRows`] when `rows` is empty.
    ///
    /// ```
    /// # use {maas_data::Dataset, ndarray::array};
    /// let data = Dataset::new(array![[1.0_f32], [2.0]].view(), array![[1.0_f32], [2.0]].view())?;
    /// assert_eq!(data.select(&[1, 1, 0])?.x(), array![[2.0], [2.0], [1.0]]);
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn select(&self, rows: &[usize]) -> Result<Self, Error> {
        if rows.is_empty() {
            return Err(Error::NoRows);
        }
        if u32::try_from(rows.len()).is_err() {
            return Err(Error::TooManyRows { found: rows.len() });
        }
        match rows.iter().find(|&&row| row >= self.rows()) {
            Some(&found) => Err(Error::NoSuchRow {
                rows: self.rows(),
                found,
            }),
            None => Ok(self.gather(rows)),
        }
    }

    /// Gives the classes of a classification their names.
    pub(crate) fn with_classes(self, classes: Classes) -> Result<Self, Error> {
        classes.check()?;
        let names = Names {
            features: self.names.features.clone(),
            targets: self.names.targets.clone(),
            labels: classes.into_labels(),
        };
        Ok(Self {
            names: Arc::new(names),
            ..self
        })
    }

    /// A run of rows, which are below [`Dataset::rows`] and not none.
    pub(crate) fn range(&self, rows: Range<usize>) -> Self {
        Self {
            inputs: self
                .inputs
                .iter()
                .map(|input| input.range(rows.clone()))
                .collect(),
            targets: self.targets.range(rows.clone()),
            weights: self.weights.as_ref().map(|weights| weights[rows].to_vec()),
            names: Arc::clone(&self.names),
        }
    }

    /// The rows of these numbers, which are below [`Dataset::rows`] and not none.
    pub(crate) fn gather(&self, rows: &[usize]) -> Self {
        Self {
            inputs: self.inputs.iter().map(|input| input.select(rows)).collect(),
            targets: self.targets.select(rows),
            weights: self
                .weights
                .as_ref()
                .map(|weights| gather(weights, 1, rows)),
            names: Arc::clone(&self.names),
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "a view is a reference")]
fn features_of(features: ArrayView2<'_, f32>) -> Result<Input, Error> {
    Input::new(
        "x",
        &[features.ncols()],
        match features.as_slice() {
            Some(features) => features.to_vec(),
            None => features.into_iter().copied().collect(),
        },
    )
}

fn first_numbers(inputs: &[Input]) -> Option<(&[f32], usize)> {
    inputs.iter().find_map(|input| match input.values() {
        Values::F32(values) => Some((values, input.row_elements())),
        _ => None,
    })
}

fn numbered(name: &str, count: usize) -> Vec<String> {
    (0..count).map(|number| format!("{name}{number}")).collect()
}

fn check_rows(name: &str, expected: usize, found: usize) -> Result<(), Error> {
    if expected == found {
        Ok(())
    } else {
        Err(Error::RowCount {
            name: name.to_owned(),
            expected,
            found,
        })
    }
}
