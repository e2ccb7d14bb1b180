//! Containers of one's own.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::FileFault;
use super::container::{Container, TensorBytes};
use crate::canonical::canonical_json;
use maas_core::Fnv;

const CHECKSUM: &str = "checksum";

/// The elements of a tensor to be written.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum TensorData<'a> {
    /// Single precision.
    F32(&'a [f32]),
    /// Double precision.
    F64(&'a [f64]),
    /// Bytes.
    U8(&'a [u8]),
}

impl<'a> TensorData<'a> {
    fn bytes(self) -> &'a [u8] {
        match self {
            Self::F32(elements) => bytemuck::cast_slice(elements),
            Self::F64(elements) => bytemuck::cast_slice(elements),
            Self::U8(elements) => elements,
        }
    }

    fn dtype(self) -> &'static str {
        match self {
            Self::F32(_) => "F32",
            Self::F64(_) => "F64",
            Self::U8(_) => "U8",
        }
    }

    fn len(self) -> usize {
        match self {
            Self::F32(elements) => elements.len(),
            Self::F64(elements) => elements.len(),
            Self::U8(elements) => elements.len(),
        }
    }
}

/// Writes texts and tensors of one dimension as a safetensors file, with a checksum over both among the texts. The
/// same content gives the same bytes; no tensor is copied.
///
/// # Errors
/// What the writer reports.
///
/// ```
/// use std::collections::BTreeMap;
/// use maas_nn::{Container, TensorData, write_container};
///
/// let mut bytes = Vec::new();
/// let texts = BTreeMap::from([("format".to_owned(), "mine".to_owned())]);
/// write_container(&mut bytes, &texts, &[("x".to_owned(), TensorData::F32(&[1.5, 2.5]))])?;
///
/// let container = Container::parse(&bytes)?;
/// container.verify()?;
/// assert_eq!(container.metadata["format"], "mine");
/// assert_eq!(container.tensors["x"].numbers(), Some(vec![1.5, 2.5]));
///
/// let last = bytes.len() - 1;
/// bytes[last] ^= 1;
/// assert!(Container::parse(&bytes)?.verify().is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn write_container(
    file: &mut impl Write,
    metadata: &BTreeMap<String, String>,
    tensors: &[(String, TensorData<'_>)],
) -> io::Result<()> {
    let by_name: BTreeMap<&str, &[u8]> = (tensors.iter())
        .map(|(name, data)| (name.as_str(), data.bytes()))
        .collect();
    let mut texts = metadata.clone();
    texts.insert(CHECKSUM.to_owned(), checksum(metadata, &by_name));
    let mut header = format!("{{\"__metadata__\":{}", canonical_json(&texts));
    let mut begin = 0;
    for (name, data) in tensors {
        let end = begin + data.bytes().len();
        let entry = serde_json::json!({
            "dtype": data.dtype(), "shape": [data.len()], "data_offsets": [begin, end],
        });
        let name = serde_json::Value::from(name.as_str());
        header.push_str(&format!(",{name}:{}", canonical_json(&entry)));
        begin = end;
    }
    header.push('}');
    let mut header = header.into_bytes();
    header.resize(header.len().next_multiple_of(8), b' ');
    file.write_all(&(header.len() as u64).to_le_bytes())?;
    file.write_all(&header)?;
    for (_, data) in tensors {
        file.write_all(data.bytes())?;
    }
    Ok(())
}

impl Container<'_> {
    /// Compares the content with the checksum that [`write_container`] wrote.
    ///
    /// # Errors
    /// [`FileFault::Checksum`] when they differ, or there is none.
    ///
    /// `write_container` shows it.
    pub fn verify(&self) -> Result<(), FileFault> {
        let mut metadata = self.metadata.clone();
        let expected = metadata.remove(CHECKSUM).unwrap_or_default();
        let by_name = (self.tensors.iter())
            .map(|(name, tensor)| (name.as_str(), tensor.bytes))
            .collect();
        let found = checksum(&metadata, &by_name);
        if expected == found {
            Ok(())
        } else {
            Err(FileFault::Checksum { expected, found })
        }
    }
}

impl TensorBytes<'_> {
    /// The elements, where they are `F32`.
    ///
    /// `write_container` shows it.
    #[must_use]
    pub fn numbers(&self) -> Option<Vec<f32>> {
        let (elements, _) = self.bytes.as_chunks::<4>();
        (self.dtype == "F32").then(|| elements.iter().copied().map(f32::from_le_bytes).collect())
    }

    /// The elements, where they are `F64`.
    ///
    /// ```
    /// # use std::collections::BTreeMap;
    /// # use maas_nn::{Container, TensorData, write_container};
    /// let mut bytes = Vec::new();
    /// write_container(&mut bytes, &BTreeMap::new(), &[("x".to_owned(), TensorData::F64(&[0.1]))])?;
    /// assert_eq!(Container::parse(&bytes)?.tensors["x"].doubles(), Some(vec![0.1]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn doubles(&self) -> Option<Vec<f64>> {
        let (elements, _) = self.bytes.as_chunks::<8>();
        (self.dtype == "F64").then(|| elements.iter().copied().map(f64::from_le_bytes).collect())
    }
}

/// Over texts, names and bytes.
fn checksum(metadata: &BTreeMap<String, String>, tensors: &BTreeMap<&str, &[u8]>) -> String {
    let mut checksum = Fnv::new();
    checksum.update(canonical_json(metadata).as_bytes());
    for (name, bytes) in tensors {
        checksum.update(name.as_bytes());
        checksum.update(&(bytes.len() as u64).to_le_bytes());
        checksum.update(bytes);
    }
    checksum.to_string()
}
