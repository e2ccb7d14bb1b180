//! Messages that are compressed on their way.

use std::io::{self, Read, Write};

use bytes::Bytes;
use flate2::Compression;
use flate2::bufread::{MultiGzDecoder, ZlibDecoder};
use flate2::write::{GzEncoder, ZlibEncoder};

use super::ALIGNMENT;

/// How HTTP says that a body is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Coding {
    Gzip,
    /// In zlib's framing.
    Deflate,
}

/// Why a body cannot be unpacked.
#[derive(Debug)]
pub(crate) enum Packed {
    TooLarge,
    Damaged(io::Error),
}

impl Coding {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
        }
    }

    /// What a header calls by this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let is = |other: &str| name.eq_ignore_ascii_case(other);
        if is("gzip") || is("x-gzip") {
            Some(Self::Gzip)
        } else if is("deflate") {
            Some(Self::Deflate)
        } else {
            None
        }
    }

    /// The coding that a client likes best, by its `Accept-Encoding`; `None` where it likes a plain body as much.
    pub(crate) fn accepted(header: &str) -> Option<Self> {
        let mut best = None;
        for item in header.split(',') {
            let (name, weight) = item.split_once(';').unwrap_or((item, ""));
            let weight = match weight.trim().strip_prefix("q=") {
                Some(weight) => weight.trim().parse::<f32>().unwrap_or(0.0),
                None => 1.0,
            };
            let coding = match name.trim() {
                "*" => [Self::Gzip, Self::Deflate]
                    .into_iter()
                    .find(|&coding| !is_named(header, coding)),
                name => Self::named(name),
            };
            if let Some(coding) = coding
                && weight > 0.0
                && best.is_none_or(|(least, _)| weight > least)
            {
                best = Some((weight, coding));
            }
        }
        best.map(|(_, coding)| coding)
    }

    /// What was packed, which may be at most `limit` bytes. What follows its first `text` bytes lies where numbers may.
    pub(crate) fn unpack(self, packed: &[u8], limit: usize, text: usize) -> Result<Bytes, Packed> {
        let padding = text.wrapping_neg() % ALIGNMENT;
        let mut whole = vec![0; padding];
        let most = (limit as u64).saturating_add(1);
        let (read, rest) = match self {
            Self::Gzip => {
                let mut decoder = MultiGzDecoder::new(packed).take(most);
                (decoder.read_to_end(&mut whole), &[][..])
            }
            Self::Deflate => {
                let mut decoder = ZlibDecoder::new(packed).take(most);
                let read = decoder.read_to_end(&mut whole);
                (read, decoder.into_inner().into_inner())
            }
        };
        if read.map_err(Packed::Damaged)? > limit {
            return Err(Packed::TooLarge);
        }
        if !rest.is_empty() {
            let error = io::Error::other("more bytes follow");
            return Err(Packed::Damaged(error));
        }
        Ok(Bytes::from(whole).slice(padding..))
    }

    /// Packs pieces that follow one another.
    pub(crate) fn pack(self, parts: &[Bytes]) -> Vec<u8> {
        let packed = match self {
            Self::Gzip => {
                let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
                parts
                    .iter()
                    .try_for_each(|part| encoder.write_all(part))
                    .and_then(|()| encoder.finish())
            }
            Self::Deflate => {
                let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
                parts
                    .iter()
                    .try_for_each(|part| encoder.write_all(part))
                    .and_then(|()| encoder.finish())
            }
        };
        packed.expect("a vector takes all that is written")
    }
}

/// Whether a list of codings names this one, however little it is liked.
fn is_named(header: &str, coding: Coding) -> bool {
    let mut names = header.split([',', ';']).map(str::trim);
    names.any(|name| Coding::named(name) == Some(coding))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_client_says_what_it_likes() {
        for (header, coding) in [
            ("", None),
            ("identity", None),
            ("br", None),
            ("gzip", Some(Coding::Gzip)),
            ("deflate", Some(Coding::Deflate)),
            ("deflate, gzip", Some(Coding::Deflate)),
            ("gzip;q=0.5, deflate;q=0.7, br", Some(Coding::Deflate)),
            ("gzip;q=0, *;q=0.1", Some(Coding::Deflate)),
            ("*, deflate;q=0, gzip;q=0", None),
            ("*, gzip;q=0.5", Some(Coding::Deflate)),
            ("GZIP; q=1.0", Some(Coding::Gzip)),
            ("gzip;q=0", None),
            ("*", Some(Coding::Gzip)),
        ] {
            assert_eq!(Coding::accepted(header), coding, "{header}");
        }
    }

    fn coding() -> impl Strategy<Value = Coding> {
        prop_oneof![Just(Coding::Gzip), Just(Coding::Deflate)]
    }

    proptest! {
        #[test]
        fn what_is_packed_comes_back(coding in coding(), bytes: Vec<u8>, text in 0..20_usize, cut: usize) {
            let cut = cut % (bytes.len() + 1);
            let parts = [Bytes::copy_from_slice(&bytes[..cut]), Bytes::copy_from_slice(&bytes[cut..])];
            let packed = coding.pack(&parts);
            let unpacked = coding.unpack(&packed, bytes.len(), text).unwrap();
            prop_assert_eq!(&unpacked, &bytes);
            prop_assert!(bytes.is_empty() || unpacked.as_ptr().addr().wrapping_add(text).is_multiple_of(ALIGNMENT));
            if let Some(less) = bytes.len().checked_sub(1) {
                prop_assert!(matches!(coding.unpack(&packed, less, text), Err(Packed::TooLarge)));
            }
            prop_assert!(coding.unpack(&packed[..packed.len() - 1], bytes.len(), text).is_err());
            prop_assert!(coding.unpack(&[&packed[..], b"more"].concat(), bytes.len(), text).is_err());
        }

        #[test]
        fn any_bytes_are_unpacked_or_refused(coding in coding(), bytes: Vec<u8>) {
            let _ = coding.unpack(&bytes, 1000, 0);
        }
    }
}
