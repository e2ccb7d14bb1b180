use std::ops::Range;

use maas_core::{DType, Shape, TensorSpec, Values};

use crate::Error;

/// One input of a network: a name, the shape of a row, and the values of all rows in row-major order.
///
/// ```
/// use maas_data::Input;
///
/// let images = Input::new("image", &[2, 2], vec![0.0_f32; 12])?;
/// assert_eq!((images.rows(), images.row_elements()), (3, 4));
/// let ids = Input::new("token", &[5], vec![0_i32; 15])?;
/// assert_eq!(ids.rows(), 3);
/// # Ok::<(), maas_data::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    name: String,
    row_shape: Vec<usize>,
    values: OwnedValues,
}

impl Input {
    /// An input of these values. `row_shape` is the shape of one row: `&[11]` for eleven numbers, `&[28, 28]` for an
    /// image, `&[]` for a single value.
    ///
    /// # Errors
    /// [`Error::EmptyRow`] when a row would have no values; [`Error::RaggedValues`] when the values are not whole
    /// rows; [`Error::NotFinite`] for NaN or an infinity; [`Error::Specification`] for an empty name.
    ///
    /// ```
    /// use maas_data::{Error, Input};
    /// let error = Input::new("x", &[2], vec![1.0_f32, f32::NAN]).unwrap_err();
    /// assert_eq!(error.to_string(), "row 0, column 1 of `x`: a finite number expected, found NaN");
    /// ```
    pub fn new(
        name: impl Into<String>,
        row_shape: &[usize],
        values: impl Into<OwnedValues>,
    ) -> Result<Self, Error> {
        let (name, values, row_shape) = (name.into(), values.into(), row_shape.to_vec());
        if name.is_empty() {
            return Err(maas_core::Error::Unnamed.into());
        }
        let width = match Shape::from(row_shape.as_slice()).elements() {
            Some(width) if width > 0 => width,
            _ => return Err(Error::EmptyRow { name, row_shape }),
        };
        if values.len() % width != 0 {
            return Err(Error::RaggedValues {
                name,
                row_shape,
                found: values.len(),
            });
        }
        if let OwnedValues::F32(values) = &values {
            check_finite(&name, width, values)?;
        }
        Ok(Self {
            name,
            row_shape,
            values,
        })
    }

    /// The name.
    ///
    /// ```
    /// assert_eq!(maas_data::Input::new("x", &[1], vec![1.0_f32])?.name(), "x");
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The shape of one row.
    ///
    /// ```
    /// assert_eq!(maas_data::Input::new("x", &[1], vec![1.0_f32])?.row_shape(), [1]);
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn row_shape(&self) -> &[usize] {
        &self.row_shape
    }

    /// How many values a row has, at least one.
    ///
    /// ```
    /// assert_eq!(maas_data::Input::new("x", &[2, 3], vec![1.0_f32; 6])?.row_elements(), 6);
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn row_elements(&self) -> usize {
        self.row_shape.iter().product()
    }

    /// How many rows there are.
    ///
    /// ```
    /// assert_eq!(maas_data::Input::new("x", &[2], vec![1.0_f32; 6])?.rows(), 3);
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn rows(&self) -> usize {
        self.values.len() / self.row_elements()
    }

    /// The values of all rows, row-major.
    ///
    /// ```
    /// let input = maas_data::Input::new("x", &[1], vec![1.0_f32])?;
    /// assert_eq!(input.values().as_f32(), Some(&[1.0][..]));
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn values(&self) -> Values<'_> {
        self.values.as_values()
    }

    /// What a network that takes this input says about it.
    ///
    /// ```
    /// let input = maas_data::Input::new("x", &[2], vec![1_i32, 2])?;
    /// assert_eq!(input.spec().dtype(), maas_core::DType::Int32);
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn spec(&self) -> TensorSpec {
        TensorSpec::rows(self.name.as_str(), self.values.dtype(), &self.row_shape)
    }

    /// The rows from one number to another, which is not above [`Input::rows`].
    pub(crate) fn range(&self, rows: Range<usize>) -> Self {
        let width = self.row_elements();
        let elements = rows.start * width..rows.end * width;
        Self {
            name: self.name.clone(),
            row_shape: self.row_shape.clone(),
            values: match &self.values {
                OwnedValues::F32(values) => OwnedValues::F32(values[elements].to_vec()),
                OwnedValues::I32(values) => OwnedValues::I32(values[elements].to_vec()),
            },
        }
    }

    /// The rows of these numbers, which are below [`Input::rows`], in this order.
    pub(crate) fn select(&self, rows: &[usize]) -> Self {
        let values = match &self.values {
            OwnedValues::F32(values) => OwnedValues::F32(gather(values, self.row_elements(), rows)),
            OwnedValues::I32(values) => OwnedValues::I32(gather(values, self.row_elements(), rows)),
        };
        Self {
            name: self.name.clone(),
            row_shape: self.row_shape.clone(),
            values,
        }
    }
}

/// The values of an [`Input`].
///
/// ```
/// use maas_data::OwnedValues;
/// assert_eq!(OwnedValues::from(vec![1_i32, 2]).len(), 2);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum OwnedValues {
    /// Single-precision numbers.
    F32(Vec<f32>),
    /// Integers, such as the ids that an embedding looks up.
    I32(Vec<i32>),
}

impl OwnedValues {
    /// How many values there are.
    ///
    /// ```
    /// assert_eq!(maas_data::OwnedValues::F32(vec![1.0]).len(), 1);
    /// ```
    pub fn len(&self) -> usize {
        self.as_values().len()
    }

    /// Whether there are none.
    ///
    /// ```
    /// assert!(maas_data::OwnedValues::F32(vec![]).is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The values, borrowed.
    ///
    /// ```
    /// assert_eq!(maas_data::OwnedValues::F32(vec![1.0]).as_values().as_f32(), Some(&[1.0][..]));
    /// ```
    pub fn as_values(&self) -> Values<'_> {
        match self {
            Self::F32(values) => Values::F32(values),
            Self::I32(values) => Values::I32(values),
        }
    }

    fn dtype(&self) -> DType {
        match self {
            Self::F32(_) => DType::Fp32,
            Self::I32(_) => DType::Int32,
        }
    }
}

impl From<Vec<f32>> for OwnedValues {
    fn from(values: Vec<f32>) -> Self {
        Self::F32(values)
    }
}

impl From<Vec<i32>> for OwnedValues {
    fn from(values: Vec<i32>) -> Self {
        Self::I32(values)
    }
}

/// What is to be learnt: one entry a row.
///
/// ```
/// use maas_data::Targets;
/// let targets = Targets::Values { width: 1, data: vec![5.0, 6.0] };
/// assert_eq!(targets.rows(), 2);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Targets {
    /// Numbers, for a regression.
    Values {
        /// How many numbers a row has.
        width: usize,
        /// The numbers of all rows, row-major.
        data: Vec<f32>,
    },
    /// The number of a class, for a classification.
    Labels {
        /// How many classes there are.
        classes: usize,
        /// The class of each row, below `classes`.
        data: Vec<u32>,
    },
    /// Nothing is known: rows to be predicted.
    Unknown {
        /// How many rows there are.
        rows: usize,
    },
}

impl Targets {
    /// How many rows there are.
    ///
    /// ```
    /// assert_eq!(maas_data::Targets::Labels { classes: 2, data: vec![0, 1, 1] }.rows(), 3);
    /// ```
    pub fn rows(&self) -> usize {
        match self {
            Self::Values { width, data } => data.len().checked_div(*width).unwrap_or(0),
            Self::Labels { data, .. } => data.len(),
            Self::Unknown { rows } => *rows,
        }
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        match self {
            Self::Values { width, data } => {
                if *width == 0 {
                    return Err(Error::EmptyRow {
                        name: TARGET.to_owned(),
                        row_shape: vec![0],
                    });
                }
                if data.len() % width != 0 {
                    let (name, row_shape) = (TARGET.to_owned(), vec![*width]);
                    return Err(Error::RaggedValues {
                        name,
                        row_shape,
                        found: data.len(),
                    });
                }
                check_finite(TARGET, *width, data)
            }
            Self::Unknown { .. } => Ok(()),
            Self::Labels { classes: 0, .. } => Err(Error::NoClasses),
            Self::Labels { classes, data } => {
                match data
                    .iter()
                    .enumerate()
                    .find(|&(_, &label)| !below(label, *classes))
                {
                    Some((row, &found)) => Err(Error::LabelOutOfRange {
                        row,
                        classes: *classes,
                        found,
                    }),
                    None => Ok(()),
                }
            }
        }
    }

    pub(crate) fn range(&self, rows: Range<usize>) -> Self {
        match self {
            Self::Values { width, data } => Self::Values {
                width: *width,
                data: data[rows.start * width..rows.end * width].to_vec(),
            },
            Self::Labels { classes, data } => Self::Labels {
                classes: *classes,
                data: data[rows].to_vec(),
            },
            Self::Unknown { .. } => Self::Unknown { rows: rows.len() },
        }
    }

    pub(crate) fn select(&self, rows: &[usize]) -> Self {
        match self {
            Self::Values { width, data } => Self::Values {
                width: *width,
                data: gather(data, *width, rows),
            },
            Self::Labels { classes, data } => Self::Labels {
                classes: *classes,
                data: gather(data, 1, rows),
            },
            Self::Unknown { .. } => Self::Unknown { rows: rows.len() },
        }
    }
}

const BLOCK: usize = 1024;

/// How errors call the target.
pub(crate) const TARGET: &str = "target";

fn below(label: u32, classes: usize) -> bool {
    usize::try_from(label).is_ok_and(|label| label < classes)
}

fn check_finite(name: &str, width: usize, values: &[f32]) -> Result<(), Error> {
    // Whole blocks are looked at without a branch for each number.
    let finite = |block: &[f32]| {
        block
            .iter()
            .fold(true, |all, value| all & value.is_finite())
    };
    let block = values.chunks(BLOCK).position(|block| !finite(block));
    let found = block.and_then(|block| {
        let after = &values[block * BLOCK..];
        let within = after.iter().position(|value| !value.is_finite());
        within.map(|within| block * BLOCK + within)
    });
    match found {
        Some(at) => Err(Error::NotFinite {
            name: name.to_owned(),
            row: at / width,
            column: at % width,
            found: values[at],
        }),
        None => Ok(()),
    }
}

pub(crate) fn gather<T: Copy>(values: &[T], width: usize, rows: &[usize]) -> Vec<T> {
    let mut gathered = Vec::with_capacity(rows.len() * width);
    for &row in rows {
        gathered.extend_from_slice(&values[row * width..(row + 1) * width]);
    }
    gathered
}
