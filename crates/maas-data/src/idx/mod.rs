mod kind;
mod rows;
mod source;

use std::io::{self, Read};
use std::path::Path;

pub use kind::IdxKind;
pub use source::IdxSource;

use crate::{Classes, Dataset, Error, file};

/// An IDX file: the format of MNIST and its successors, an array of numbers of one type and any shape.
///
/// Its first dimension are the rows. The header is checked when the file is opened: a file of other than the size that
/// the header says is refused before anything is allocated. A gzipped file is unpacked while it is read, with the
/// feature `gzip`. The format is described at the end of <http://yann.lecun.com/exdb/mnist/>.
///
/// ```
/// use maas_data::{Idx, IdxKind};
///
/// // Two rows of three bytes each.
/// let file = [0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6];
/// let idx = Idx::from_reader(std::io::Cursor::new(file))?;
/// assert_eq!((idx.kind(), idx.shape()), (IdxKind::UnsignedByte, [2, 3].as_slice()));
/// assert_eq!(idx.numbers()?, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
/// # Ok::<(), maas_data::Error>(())
/// ```
#[must_use]
pub struct Idx {
    kind: IdxKind,
    shape: Vec<usize>,
    elements: usize,
    /// How many elements have been read.
    taken: usize,
    /// Whether the reader is known to hold as many bytes as the header says.
    measured: bool,
    reader: Box<dyn Read + Send>,
}

impl Idx {
    /// Opens a file and reads its header.
    ///
    /// # Errors
    /// [`Error::Open`]; [`Error::InFile`] with [`Error::NotIdx`], [`Error::IdxKind`], [`Error::IdxShape`],
    /// [`Error::FileSize`] when the file is shorter or longer than its header says, [`Error::Read`], or
    /// [`Error::Gzipped`] without the feature `gzip`.
    ///
    /// ```
    /// use maas_data::{Error, Idx};
    /// assert!(matches!(Idx::open("no-such-idx3-ubyte"), Err(Error::Open { .. })));
    /// ```
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let (reader, bytes) = file::open(path)?;
        Self::read_header(reader, bytes).map_err(|error| error.in_file(path))
    }

    /// Reads a header from a reader, whose size is known only when it ends.
    ///
    /// # Errors
    /// Those of [`Idx::open`], not wrapped in [`Error::InFile`].
    ///
    /// ```
    /// use maas_data::{Error, Idx};
    /// let error = Idx::from_reader(&b"PNG\0"[..]).unwrap_err();
    /// assert_eq!(error.to_string(), "an IDX file expected, which begins with two bytes 0, found 80 78");
    /// ```
    pub fn from_reader(reader: impl Read + Send + 'static) -> Result<Self, Error> {
        let (reader, _) = file::unpacked(reader)?;
        Self::read_header(reader, None)
    }

    fn read_header(mut reader: Box<dyn Read + Send>, bytes: Option<u64>) -> Result<Self, Error> {
        let mut magic = [0; 4];
        let short = |found| Error::FileSize {
            expected: 4,
            found: bytes.unwrap_or(found),
        };
        fill(&mut *reader, &mut magic, short)?;
        let [first, second, kind, dimensions] = magic;
        if (first, second) != (0, 0) {
            return Err(Error::NotIdx {
                found: [first, second],
            });
        }
        let kind = IdxKind::from_code(kind).ok_or(Error::IdxKind { found: kind })?;
        let header = 4 + 4 * u64::from(dimensions);
        let mut shape = Vec::with_capacity(usize::from(dimensions));
        for dimension in 0..u64::from(dimensions) {
            let mut length = [0; 4];
            let short = |found| Error::FileSize {
                expected: header,
                found: bytes.unwrap_or(4 + 4 * dimension + found),
            };
            fill(&mut *reader, &mut length, short)?;
            shape.push(u32::from_be_bytes(length));
        }
        let shape: Vec<usize> = shape.into_iter().map(|length| length as usize).collect();
        let Some(elements) = elements(&shape, kind) else {
            return Err(Error::IdxShape {
                expected: "rows of at least one value",
                found: shape,
            });
        };
        let expected = header + (elements * kind.bytes()) as u64;
        match bytes {
            Some(found) if found != expected => Err(Error::FileSize { expected, found }),
            _ => Ok(Self {
                kind,
                shape,
                elements,
                taken: 0,
                measured: bytes.is_some(),
                reader,
            }),
        }
    }

    /// The type of its numbers.
    ///
    /// ```
    /// # use maas_data::{Idx, IdxKind};
    /// let idx = Idx::from_reader(&[0, 0, 0x0d, 1, 0, 0, 0, 1, 0, 0, 0, 0][..])?;
    /// assert_eq!(idx.kind(), IdxKind::Float);
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn kind(&self) -> IdxKind {
        self.kind
    }

    /// Its shape; the first length is that of the rows.
    ///
    /// ```
    /// let idx = maas_data::Idx::from_reader(&[0, 0, 8, 1, 0, 0, 0, 1, 7][..])?;
    /// assert_eq!(idx.shape(), [1]);
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// How many rows it has, at least one.
    ///
    /// ```
    /// assert_eq!(maas_data::Idx::from_reader(&[0, 0, 8, 1, 0, 0, 0, 1, 7][..])?.rows(), 1);
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn rows(&self) -> usize {
        self.shape[0]
    }

    fn width(&self) -> usize {
        self.elements / self.rows()
    }
}

impl std::fmt::Debug for Idx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Idx")
            .field("kind", &self.kind)
            .field("shape", &self.shape)
            .finish_non_exhaustive()
    }
}

/// IDX files.
impl Dataset {
    /// Images and their labels from two IDX files, as MNIST, Fashion-MNIST and EMNIST come; gzipped too with the
    /// feature `gzip`. The classes are 0 to the highest label.
    ///
    /// Each image is a row of the shape that the file gives it. Bytes become numbers from 0 to 1: they are divided by
    /// 255. Numbers of other types are taken as they are.
    ///
    /// # Errors
    /// Those of [`Idx::open`]; [`Error::InFile`] with [`Error::IdxShape`] unless labels are integers of one dimension,
    /// [`Error::LabelOutOfRange`] for a negative one, and [`Error::FileSize`] for a gzipped file that is cut off;
    /// [`Error::RowCount`] when there are not as many labels as images; [`Error::NotFinite`].
    ///
    /// ```
    /// # let folder = std::env::temp_dir();
    /// # let (images, labels) = (folder.join("maas-doc-images"), folder.join("maas-doc-labels"));
    /// # std::fs::write(&images, [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 0, 51, 255, 0]).unwrap();
    /// # std::fs::write(&labels, [0, 0, 8, 1, 0, 0, 0, 2, 9, 3]).unwrap();
    /// use maas_data::Dataset;
    /// let data = Dataset::from_idx(images, labels)?;
    /// assert_eq!(data.inputs()[0].row_shape(), [1, 2]);
    /// assert_eq!(data.x(), ndarray::array![[0.0, 0.2], [1.0, 0.0]]);
    /// assert_eq!(data.labels(), Some(&[9, 3][..]));
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn from_idx(images: impl AsRef<Path>, labels: impl AsRef<Path>) -> Result<Self, Error> {
        let labels = rows::all_labels(labels.as_ref())?;
        let classes = labels.iter().max().map_or(0, |&label| label as usize + 1);
        rows::dataset(images.as_ref(), labels, classes.into())
    }

    /// Images and their labels from two IDX files, as [`Dataset::from_idx`], whose classes are known: their number, or
    /// their names.
    ///
    /// # Errors
    /// Those of [`Dataset::from_idx`]; [`Error::LabelOutOfRange`] with the row of a label that is none of the classes;
    /// [`Error::NoClasses`] and [`Error::DuplicateClass`].
    ///
    /// ```
    /// use maas_data::{Dataset, Error};
    /// let error = Dataset::from_idx_among("no-such-images", "no-such-labels", 10).unwrap_err();
    /// assert_eq!(error.to_string(), "cannot open no-such-labels");
    /// ```
    pub fn from_idx_among(
        images: impl AsRef<Path>,
        labels: impl AsRef<Path>,
        classes: impl Into<Classes>,
    ) -> Result<Self, Error> {
        let labels = rows::all_labels(labels.as_ref())?;
        rows::dataset(images.as_ref(), labels, classes.into())
    }
}

/// How many elements there are, if all their bytes can be counted and there is at least one.
fn elements(shape: &[usize], kind: IdxKind) -> Option<usize> {
    let elements = shape
        .iter()
        .try_fold(1_usize, |product, &length| product.checked_mul(length))?;
    let bytes = elements.checked_mul(kind.bytes())?.checked_add(1 << 12)?;
    (bytes <= isize::MAX as usize && elements > 0 && !shape.is_empty()).then_some(elements)
}

/// Fills all of a buffer; `short` says what is wrong when so many bytes came before the end.
fn fill(
    reader: &mut dyn Read,
    buffer: &mut [u8],
    short: impl Fn(u64) -> Error,
) -> Result<(), Error> {
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..]) {
            Ok(0) => return Err(short(filled as u64)),
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // How a gzipped file says that it is cut off.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                return Err(short(filled as u64));
            }
            Err(error) => return Err(Error::Read(error)),
        }
    }
    Ok(())
}
