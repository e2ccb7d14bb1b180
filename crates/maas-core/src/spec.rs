use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{DType, Error, Shape, TensorView};

/// One length of a [`TensorSpec`]'s shape; in JSON a number, and -1 for a free one as in the Open Inference Protocol.
///
/// ```
/// use maas_core::Dimension;
/// assert!(Dimension::Free.admits(7));
/// assert!(!Dimension::Fixed(3).admits(7));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dimension {
    /// Any length: the number of rows, most of all.
    Free,
    /// This length alone.
    Fixed(usize),
}

impl Dimension {
    /// Whether a tensor may have this length here.
    ///
    /// ```
    /// assert!(maas_core::Dimension::Fixed(3).admits(3));
    /// ```
    pub fn admits(self, length: usize) -> bool {
        match self {
            Self::Free => true,
            Self::Fixed(fixed) => fixed == length,
        }
    }
}

impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Free => f.write_str("any"),
            Self::Fixed(length) => length.fmt(f),
        }
    }
}

impl From<usize> for Dimension {
    fn from(length: usize) -> Self {
        Self::Fixed(length)
    }
}

impl Serialize for Dimension {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self {
            Self::Free => serializer.serialize_i64(-1),
            Self::Fixed(length) => serializer.serialize_u64(length as u64),
        }
    }
}

impl<'de> Deserialize<'de> for Dimension {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match i64::deserialize(deserializer)? {
            -1 => Ok(Self::Free),
            length => usize::try_from(length).map(Self::Fixed).map_err(|_| {
                serde::de::Error::invalid_value(
                    serde::de::Unexpected::Signed(length),
                    &"a length, or -1 for any",
                )
            }),
        }
    }
}

/// What one input or output of a model must be: its name, type and shape, and the names of its classes.
///
/// The first dimension is the batch: it is free.
///
/// ```
/// use maas_core::{DType, Tensor, TensorSpec};
///
/// let spec = TensorSpec::rows("x", DType::Fp32, &[2]);
/// let wide = Tensor::from_slice([1, 3], &[1.0_f32, 2.0, 3.0])?;
/// let error = spec.check(&wide.view()).unwrap_err();
/// assert_eq!(error.to_string(), "tensor `x` must be of shape [any, 2], found [1, 3]");
/// # Ok::<(), maas_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct TensorSpec {
    name: String,
    dtype: DType,
    shape: Vec<Dimension>,
    #[serde(skip_serializing_if = "Option::is_none")]
    labels: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unchecked {
    name: String,
    dtype: DType,
    shape: Vec<Dimension>,
    #[serde(default)]
    labels: Option<Vec<String>>,
}

impl TryFrom<Unchecked> for TensorSpec {
    type Error = Error;

    fn try_from(unchecked: Unchecked) -> Result<Self, Error> {
        let spec = Self::new(unchecked.name, unchecked.dtype, unchecked.shape)?;
        match unchecked.labels {
            Some(labels) => spec.with_labels(labels),
            None => Ok(spec),
        }
    }
}

impl TensorSpec {
    /// A specification with any dimensions, the first of which must be free.
    ///
    /// # Errors
    /// [`Error::Unnamed`] for an empty name, [`Error::BatchDimension`] when the first dimension is fixed or absent.
    ///
    /// ```
    /// use maas_core::{DType, Dimension, TensorSpec};
    /// let tokens = TensorSpec::new("tokens", DType::Int32, [Dimension::Free, Dimension::Free])?;
    /// assert_eq!(tokens.row_elements(), None);
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    pub fn new(
        name: impl Into<String>,
        dtype: DType,
        shape: impl Into<Vec<Dimension>>,
    ) -> Result<Self, Error> {
        let (name, shape) = (name.into(), shape.into());
        if name.is_empty() {
            return Err(Error::Unnamed);
        }
        if shape.first() != Some(&Dimension::Free) {
            return Err(Error::BatchDimension { name, found: shape });
        }
        Ok(Self {
            name,
            dtype,
            shape,
            labels: None,
        })
    }

    /// A specification of rows of one shape: `rows("x", DType::Fp32, &[11])` is a batch of 11 numbers each.
    ///
    /// # Panics
    /// When the name is empty.
    ///
    /// ```
    /// use maas_core::{DType, TensorSpec};
    /// let image = TensorSpec::rows("image", DType::Fp32, &[28, 28]);
    /// assert_eq!(image.row_elements(), Some(784));
    /// ```
    pub fn rows(name: impl Into<String>, dtype: DType, row_shape: &[usize]) -> Self {
        let shape: Vec<Dimension> = std::iter::once(Dimension::Free)
            .chain(row_shape.iter().map(|&length| Dimension::Fixed(length)))
            .collect();
        Self::new(name, dtype, shape)
            .expect("the first dimension is free and the caller gives a name")
    }

    /// Names the classes, one for each value of the last dimension; two may name the classes of a single probability.
    ///
    /// # Errors
    /// [`Error::Labels`] when their number fits neither.
    ///
    /// ```
    /// use maas_core::{DType, TensorSpec};
    /// let species = TensorSpec::rows("species", DType::Fp32, &[3]).with_labels(["Adelie", "Chinstrap", "Gentoo"])?;
    /// assert_eq!(species.labels().unwrap()[2], "Gentoo");
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    pub fn with_labels<S: Into<String>>(
        mut self,
        labels: impl IntoIterator<Item = S>,
    ) -> Result<Self, Error> {
        let labels: Vec<String> = labels.into_iter().map(Into::into).collect();
        let fit = match self.row_shape().last() {
            Some(Dimension::Fixed(1)) => labels.len() <= 2,
            Some(&Dimension::Fixed(classes)) => labels.len() == classes,
            Some(Dimension::Free) | None => true,
        };
        if !fit || labels.is_empty() {
            return Err(Error::Labels {
                name: self.name,
                shape: self.shape,
                labels: labels.len(),
            });
        }
        self.labels = Some(labels);
        Ok(self)
    }

    /// The same specification under another name.
    ///
    /// # Errors
    /// [`Error::Unnamed`] when it is empty.
    ///
    /// ```
    /// use maas_core::{DType, TensorSpec};
    /// assert_eq!(TensorSpec::rows("x", DType::Fp32, &[1]).renamed("y")?.name(), "y");
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    pub fn renamed(self, name: impl Into<String>) -> Result<Self, Error> {
        let name = name.into();
        if name.is_empty() {
            Err(Error::Unnamed)
        } else {
            Ok(Self { name, ..self })
        }
    }

    /// The name, which is never empty.
    ///
    /// ```
    /// use maas_core::{DType, TensorSpec};
    /// assert_eq!(TensorSpec::rows("x", DType::Fp32, &[1]).name(), "x");
    /// ```
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The type of the elements.
    ///
    /// ```
    /// use maas_core::{DType, TensorSpec};
    /// assert_eq!(TensorSpec::rows("x", DType::Fp32, &[1]).dtype(), DType::Fp32);
    /// ```
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// All dimensions, the free batch dimension first.
    ///
    /// ```
    /// use maas_core::{DType, Dimension, TensorSpec};
    /// assert_eq!(TensorSpec::rows("x", DType::Fp32, &[4]).shape(), [Dimension::Free, Dimension::Fixed(4)]);
    /// ```
    pub fn shape(&self) -> &[Dimension] {
        &self.shape
    }

    /// The dimensions of one row: all but the first.
    ///
    /// ```
    /// use maas_core::{DType, Dimension, TensorSpec};
    /// assert_eq!(TensorSpec::rows("x", DType::Fp32, &[4]).row_shape(), [Dimension::Fixed(4)]);
    /// ```
    pub fn row_shape(&self) -> &[Dimension] {
        &self.shape[1..]
    }

    /// The lengths of one row, if none of them is free.
    ///
    /// ```
    /// use maas_core::{DType, TensorSpec};
    /// assert_eq!(TensorSpec::rows("x", DType::Fp32, &[8, 8]).fixed_row_shape(), Some(vec![8, 8]));
    /// ```
    pub fn fixed_row_shape(&self) -> Option<Vec<usize>> {
        self.row_shape()
            .iter()
            .map(|&dimension| match dimension {
                Dimension::Fixed(length) => Some(length),
                Dimension::Free => None,
            })
            .collect()
    }

    /// How many elements one row has, if no length of it is free and the number can be counted.
    ///
    /// ```
    /// use maas_core::{DType, TensorSpec};
    /// assert_eq!(TensorSpec::rows("x", DType::Fp32, &[8, 8]).row_elements(), Some(64));
    /// assert_eq!(TensorSpec::rows("x", DType::Fp32, &[usize::MAX, 8]).row_elements(), None);
    /// ```
    pub fn row_elements(&self) -> Option<usize> {
        Shape::from(self.fixed_row_shape()?).elements()
    }

    /// The names of the classes, if it has any.
    ///
    /// ```
    /// use maas_core::{DType, TensorSpec};
    /// assert_eq!(TensorSpec::rows("x", DType::Fp32, &[1]).labels(), None);
    /// ```
    pub fn labels(&self) -> Option<&[String]> {
        self.labels.as_deref()
    }

    /// Whether a tensor is what this says.
    ///
    /// # Errors
    /// [`Error::TensorType`] and [`Error::TensorShape`], with the name, what was expected and what was found.
    ///
    /// ```
    /// use maas_core::{DType, Tensor, TensorSpec};
    /// let row = Tensor::from_slice([1, 2], &[1.0_f32, 2.0])?;
    /// TensorSpec::rows("x", DType::Fp32, &[2]).check(&row.view())?;
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    pub fn check(&self, tensor: &TensorView<'_>) -> Result<(), Error> {
        if tensor.dtype() != self.dtype {
            return Err(Error::TensorType {
                name: self.name.clone(),
                expected: self.dtype,
                found: tensor.dtype(),
            });
        }
        let fits = tensor.shape().len() == self.shape.len()
            && tensor
                .shape()
                .iter()
                .zip(&self.shape)
                .all(|(&length, dimension)| dimension.admits(length));
        if !fits {
            return Err(Error::TensorShape {
                name: self.name.clone(),
                expected: self.shape.clone(),
                found: tensor.shape().into(),
            });
        }
        Ok(())
    }
}

impl From<TensorSpec> for Vec<TensorSpec> {
    fn from(spec: TensorSpec) -> Self {
        vec![spec]
    }
}
