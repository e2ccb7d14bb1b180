use std::io::Write;
use std::path::Path;

use maas_core::write_atomically;

use crate::Error;

/// Writes a file, whole or not at all.
pub(crate) fn save(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    write_atomically(path, |file| file.write_all(bytes)).map_err(|source| Error::Io {
        path: path.to_owned(),
        source,
    })
}
