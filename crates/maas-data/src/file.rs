use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use crate::Error;

/// A file's bytes, unpacked if it is gzipped; and how many there are, unless unpacking has yet to tell.
pub(crate) fn open(path: &Path) -> Result<(Box<dyn Read + Send>, Option<u64>), Error> {
    let fail = |source| Error::Open {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(fail)?;
    let about = file.metadata().map_err(fail)?;
    let bytes = about.is_file().then_some(about.len());
    match unpacked(file).map_err(|error| error.in_file(path))? {
        (reader, Packed::No) => Ok((reader, bytes)),
        (reader, Packed::Gzip) => Ok((reader, None)),
    }
}

pub(crate) enum Packed {
    No,
    Gzip,
}

/// The bytes of a reader, unpacked if they are gzipped.
pub(crate) fn unpacked(
    reader: impl Read + Send + 'static,
) -> Result<(Box<dyn Read + Send>, Packed), Error> {
    let mut reader = BufReader::with_capacity(BUFFER, reader);
    if reader.fill_buf().map_err(Error::Read)?.starts_with(GZIP) {
        Ok((gunzip(reader)?, Packed::Gzip))
    } else {
        Ok((Box::new(reader), Packed::No))
    }
}

#[cfg(feature = "gzip")]
#[expect(clippy::unnecessary_wraps, reason = "without the feature it fails")]
fn gunzip(reader: impl BufRead + Send + 'static) -> Result<Box<dyn Read + Send>, Error> {
    Ok(Box::new(flate2::bufread::MultiGzDecoder::new(reader)))
}

#[cfg(not(feature = "gzip"))]
fn gunzip(_: impl BufRead + Send + 'static) -> Result<Box<dyn Read + Send>, Error> {
    Err(Error::Gzipped)
}

const GZIP: &[u8] = &[0x1f, 0x8b];
const BUFFER: usize = 128 * 1024;
