use std::io::{self, Write};
use std::path::Path;

use maas_core::{Fnv, write_atomically};

use crate::canonical::canonical_json;
use crate::{Error, Network};

/// What stands before a segment's name in the name of its mask.
pub(super) const MASK_PREFIX: &str = "masks/";
pub(super) const FORMAT: &str = "maas-network";
pub(super) const VERSION: &str = "1";

/// Saving.
impl Network {
    /// Writes the network as a safetensors file: whole, or not at all.
    ///
    /// The file holds the parameters in their order without padding, then the state, then the masks (one bit a
    /// weight, lowest bit first, as `U8`); the metadata carry the architecture, the signature and a checksum. The
    /// same network gives the same bytes.
    ///
    /// # Errors
    /// [`Error::Io`] when the system cannot write the file.
    ///
    /// ```
    /// use maas_core::Seed;
    /// use maas_nn::{Network, Sequential};
    ///
    /// let path = std::env::temp_dir().join(format!("maas-nn-save-{}.safetensors", std::process::id()));
    /// let network = Sequential::rows(4).dense(3).relu().dense(1).build(Seed(7))?;
    /// network.save(&path)?;
    /// let loaded = Network::load(&path)?;
    /// assert_eq!(loaded.fingerprint(), network.fingerprint());
    /// # std::fs::remove_file(path).ok();
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let path = path.as_ref();
        write_atomically(path, |file| self.write(file)).map_err(|source| Error::Io {
            path: path.to_owned(),
            source,
        })
    }

    /// The bytes that [`save`](Network::save) writes.
    ///
    /// ```
    /// use maas_core::Seed;
    /// use maas_nn::{Network, Sequential};
    ///
    /// let network = Sequential::rows(4).dense(1).build(Seed(7))?;
    /// let again = Network::from_bytes(&network.to_bytes())?;
    /// assert_eq!(again.to_bytes(), network.to_bytes());
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.write(&mut bytes).expect("a vector takes all bytes");
        bytes
    }

    fn write(&self, file: &mut impl Write) -> io::Result<()> {
        let mut header = self.header().into_bytes();
        header.resize(header.len().next_multiple_of(8), b' ');
        file.write_all(&(header.len() as u64).to_le_bytes())?;
        file.write_all(&header)?;
        self.tensors(&mut |bytes| file.write_all(bytes))
    }

    fn header(&self) -> String {
        let (spec, signature) = (
            canonical_json(self.spec()),
            canonical_json(self.signature()),
        );
        let mut checksum = Fnv::new();
        checksum.update(spec.as_bytes());
        checksum.update(signature.as_bytes());
        self.tensors(&mut |bytes| {
            checksum.update(bytes);
            Ok(())
        })
        .expect("hashing does not fail");
        let metadata = serde_json::json!({
            "checksum": checksum.to_string(),
            "format": FORMAT,
            "signature": signature,
            "spec": spec,
            "version": VERSION,
        });

        let mut header = format!("{{\"__metadata__\":{}", canonical_json(&metadata));
        let mut begin = 0;
        let mut entry = |name: &str, dtype: &str, shape: &[usize], length: usize| {
            let end = begin + length;
            let info =
                serde_json::json!({ "dtype": dtype, "shape": shape, "data_offsets": [begin, end] });
            header.push_str(&format!(
                ",{}:{}",
                serde_json::Value::from(name),
                canonical_json(&info)
            ));
            begin = end;
        };
        for segment in self.segments() {
            entry(
                &segment.name,
                "F32",
                &segment.shape,
                segment.range.len() * size_of::<f32>(),
            );
        }
        for segment in self.state_segments() {
            entry(
                &segment.name,
                "F32",
                &segment.shape,
                segment.range.len() * size_of::<f32>(),
            );
        }
        for (segment, mask) in self.segments().iter().zip(self.masks()) {
            if let Some(mask) = mask {
                let length = mask.len().div_ceil(8);
                entry(
                    &format!("{MASK_PREFIX}{}", segment.name),
                    "U8",
                    &[length],
                    length,
                );
            }
        }
        header.push('}');
        header
    }

    /// The bytes of all tensors, in the header's order.
    fn tensors(&self, take: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        for segment in self.segments() {
            take(bytemuck::cast_slice(
                &self.parameters()[segment.range.clone()],
            ))?;
        }
        for segment in self.state_segments() {
            take(bytemuck::cast_slice(&self.state()[segment.range.clone()]))?;
        }
        for mask in self.masks().flatten() {
            take(&mask.to_bytes())?;
        }
        Ok(())
    }
}
