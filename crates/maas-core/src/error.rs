use std::ops::Range;

use crate::{DType, Dimension, Shape};

/// What can go wrong with tensors, signatures and models.
///
/// ```
/// use maas_core::{Error, Tensor};
///
/// let error = Tensor::from_slice([2, 2], &[1.0_f32, 2.0, 3.0]).unwrap_err();
/// assert!(matches!(error, Error::ElementCount { expected: 4, found: 3, .. }));
/// assert_eq!(error.to_string(), "shape [2, 2] has 4 elements, found 3");
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The lengths of a shape multiply to more than a machine can hold.
    #[error("shape {shape} has more elements than memory could hold")]
    TooManyElements {
        /// The shape asked for.
        shape: Shape,
    },
    /// There is not enough memory.
    #[error("no memory for {bytes} bytes")]
    OutOfMemory {
        /// How many bytes were asked for.
        bytes: usize,
    },
    /// The number of values does not fit the shape.
    #[error("shape {shape} has {expected} elements, found {found}")]
    ElementCount {
        /// The tensor's shape.
        shape: Shape,
        /// How many elements it has.
        expected: usize,
        /// How many values there were.
        found: usize,
    },
    /// The number of bytes does not fit the type and the shape.
    #[error("{dtype} of shape {shape} takes {expected} bytes, found {found}")]
    ByteCount {
        /// The tensor's type.
        dtype: DType,
        /// The tensor's shape.
        shape: Shape,
        /// How many bytes it takes.
        expected: usize,
        /// How many there were.
        found: usize,
    },
    /// The tensor holds another type than the one asked for.
    #[error("expected elements of type {expected}, found {found}")]
    ElementType {
        /// The type asked for.
        expected: DType,
        /// The tensor's type.
        found: DType,
    },
    /// Borrowed bytes do not start where elements of their type may; a copy into a `Tensor` does.
    #[error("the bytes are not aligned for elements of type {dtype}")]
    Misaligned {
        /// The tensor's type.
        dtype: DType,
    },
    /// The length in front of a byte string is cut off, or says more bytes than follow.
    #[error(
        "byte string {element} at byte {offset} is cut off: {expected} bytes expected, {found} left"
    )]
    StringCutOff {
        /// Which byte string, from 0.
        element: usize,
        /// Where the missing bytes should start.
        offset: usize,
        /// How many bytes were expected there.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// A byte string is longer than its length field can say.
    #[error("byte string {element} has {found} bytes, more than 4294967295")]
    StringTooLong {
        /// Which byte string, from 0.
        element: usize,
        /// How many bytes it has.
        found: usize,
    },
    /// A boolean is neither 0 nor 1.
    #[error("boolean {element} is {found}, neither 0 nor 1")]
    NotBoolean {
        /// Which element, from 0.
        element: usize,
        /// The byte found.
        found: u8,
    },
    /// There is no type of this name.
    #[error("no element type is called `{found}`")]
    UnknownDType {
        /// The name.
        found: String,
    },
    /// A type does not fit a constructor: half precision, for instance, from a type that is not.
    #[error("{found} cannot be made here: {expected} expected")]
    UnfitDType {
        /// Which types fit.
        expected: &'static str,
        /// The type asked for.
        found: DType,
    },
    /// Two dimensions expected, or any other number.
    #[error("expected {expected} dimensions, found shape {found}")]
    Rank {
        /// How many dimensions were expected.
        expected: usize,
        /// The tensor's shape.
        found: Shape,
    },
    /// A specification has no name.
    #[error("a tensor of the signature has an empty name")]
    Unnamed,
    /// Two inputs, or two outputs, have the same name.
    #[error("two tensors of the signature are called `{name}`")]
    DuplicateName {
        /// The name.
        name: String,
    },
    /// The first dimension of a specification is the batch and must be free.
    #[error(
        "`{name}` has shape {}, whose first dimension is not free",
        dimensions(found)
    )]
    BatchDimension {
        /// The tensor's name.
        name: String,
        /// Its dimensions.
        found: Vec<Dimension>,
    },
    /// The class labels do not fit the last dimension.
    #[error(
        "`{name}` has shape {}, which {labels} class labels do not fit",
        dimensions(shape)
    )]
    Labels {
        /// The tensor's name.
        name: String,
        /// Its dimensions.
        shape: Vec<Dimension>,
        /// How many labels there were.
        labels: usize,
    },
    /// A model got more or fewer tensors than its signature says.
    #[error("expected {expected} tensors, found {found}")]
    TensorCount {
        /// How many the signature has.
        expected: usize,
        /// How many there were.
        found: usize,
    },
    /// A tensor has another type than the signature says.
    #[error("tensor `{name}` must be of type {expected}, found {found}")]
    TensorType {
        /// The tensor's name.
        name: String,
        /// The signature's type.
        expected: DType,
        /// The tensor's type.
        found: DType,
    },
    /// A tensor has another shape than the signature says.
    #[error(
        "tensor `{name}` must be of shape {}, found {found}",
        dimensions(expected)
    )]
    TensorShape {
        /// The tensor's name.
        name: String,
        /// The signature's dimensions.
        expected: Vec<Dimension>,
        /// The tensor's shape.
        found: Shape,
    },
    /// The tensors of one call have different numbers of rows.
    #[error("tensor `{name}` must have {expected} rows as the first one has, found {found}")]
    TensorRows {
        /// The tensor's name.
        name: String,
        /// Rows of the first tensor.
        expected: usize,
        /// Rows of this one.
        found: usize,
    },
    /// A tensor has not as many rows.
    #[error("rows {} to {} of a tensor that has {rows}", found.start, found.end)]
    NoSuchRows {
        /// How many it has.
        rows: usize,
        /// The rows asked for, without the last.
        found: Range<usize>,
    },
    /// Rows that are put together have different shapes.
    #[error("rows must be of shape {expected} as the first one is, found {found}")]
    RowShape {
        /// The shape of the first row.
        expected: Shape,
        /// The shape of this one.
        found: Shape,
    },
    /// More rows than the scratch was made for.
    #[error("the scratch was made for at most {limit} rows, found {found}")]
    TooManyRows {
        /// The `max_rows` given to `Model::scratch`.
        limit: usize,
        /// Rows of the call.
        found: usize,
    },
    /// The scratch belongs to another model.
    #[error("the scratch must hold a {expected}: it was made by another model")]
    ForeignScratch {
        /// The type's name.
        expected: &'static str,
    },
    /// A model did not write this output.
    #[error("output {index} was not written, {outputs} were")]
    NoOutput {
        /// Which output, from 0.
        index: usize,
        /// How many there are.
        outputs: usize,
    },
    /// The caller's buffer for an output is too small.
    #[error("the buffer of output {index} must hold {expected} elements, it holds {found}")]
    BufferTooSmall {
        /// Which output, from 0.
        index: usize,
        /// How many elements the model writes.
        expected: usize,
        /// How many fit.
        found: usize,
    },
    /// Means and deviations differ in number.
    #[error("{means} means and {deviations} deviations: one of each per column expected")]
    MomentsCount {
        /// How many means there were.
        means: usize,
        /// How many deviations there were.
        deviations: usize,
    },
    /// A mean is not finite, or a deviation is negative or not finite.
    #[error(
        "column {column} has mean {mean} and deviation {deviation}: finite and not negative expected"
    )]
    BadMoments {
        /// Which column, from 0.
        column: usize,
        /// Its mean.
        mean: f32,
        /// Its deviation.
        deviation: f32,
    },
    /// A model of another kind failed; its own error is the source.
    #[error("the model failed")]
    Model(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// Wraps the error of a foreign engine as the source of [`Error::Model`]; an [`Error`] stays what it is.
    ///
    /// ```
    /// use maas_core::Error;
    /// use std::error::Error as _;
    ///
    /// let error = Error::model(std::io::Error::other("device lost"));
    /// assert_eq!(error.source().unwrap().to_string(), "device lost");
    /// assert!(matches!(Error::model(Error::Unnamed), Error::Unnamed));
    /// ```
    pub fn model(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        match error.into().downcast::<Self>() {
            Ok(own) => *own,
            Err(foreign) => Self::Model(foreign),
        }
    }

    /// Whether the caller's input is at fault (its number, type, shape or bytes), not the model.
    ///
    /// A server answers such an error with "bad request" and any other with "internal error".
    ///
    /// ```
    /// use maas_core::Error;
    /// assert!(Error::TensorCount { expected: 1, found: 2 }.is_bad_input());
    /// assert!(!Error::model("device lost").is_bad_input());
    /// ```
    pub fn is_bad_input(&self) -> bool {
        matches!(
            self,
            Self::TooManyElements { .. }
                | Self::ElementCount { .. }
                | Self::ByteCount { .. }
                | Self::StringCutOff { .. }
                | Self::StringTooLong { .. }
                | Self::NotBoolean { .. }
                | Self::UnknownDType { .. }
                | Self::TensorCount { .. }
                | Self::TensorType { .. }
                | Self::TensorShape { .. }
                | Self::TensorRows { .. }
        )
    }
}

fn dimensions(dimensions: &[Dimension]) -> String {
    let lengths: Vec<String> = dimensions.iter().map(ToString::to_string).collect();
    format!("[{}]", lengths.join(", "))
}
