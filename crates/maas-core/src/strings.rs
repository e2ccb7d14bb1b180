use crate::Error;

const PREFIX: usize = size_of::<u32>();

/// The byte strings of a [`DType::Bytes`](crate::DType::Bytes) tensor, in order.
///
/// ```
/// use maas_core::Tensor;
///
/// let tensor = Tensor::strings([2], &["red", "white"])?;
/// let strings: Vec<&[u8]> = tensor.view().as_strings()?.collect();
/// assert_eq!(strings, [b"red".as_slice(), b"white"]);
/// # Ok::<(), maas_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Strings<'a> {
    rest: &'a [u8],
}

impl<'a> Strings<'a> {
    /// `bytes` has been through [`count`].
    pub(crate) fn of_counted(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }
}

impl<'a> Iterator for Strings<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (string, rest) = split(self.rest)?;
        self.rest = rest;
        Some(string)
    }
}

fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (prefix, rest) = bytes.split_first_chunk::<PREFIX>()?;
    rest.split_at_checked(usize::try_from(u32::from_le_bytes(*prefix)).ok()?)
}

/// How many bytes the first strings of `bytes` take, which has been through [`count`] and has as many.
pub(crate) fn skip(bytes: &[u8], strings: usize) -> usize {
    let mut rest = Strings::of_counted(bytes);
    rest.by_ref().take(strings).for_each(drop);
    bytes.len() - rest.rest.len()
}

/// How many byte strings `bytes` holds, each after its length as a little-endian `u32`.
///
/// # Errors
/// [`Error::StringCutOff`] when the bytes end inside one.
pub(crate) fn count(bytes: &[u8]) -> Result<usize, Error> {
    let mut rest = bytes;
    let mut element = 0;
    while !rest.is_empty() {
        let Some((_, after)) = split(rest) else {
            let offset = bytes.len() - rest.len();
            return Err(match rest.split_first_chunk::<PREFIX>() {
                None => Error::StringCutOff {
                    element,
                    offset,
                    expected: PREFIX,
                    found: rest.len(),
                },
                Some((prefix, string)) => Error::StringCutOff {
                    element,
                    offset: offset + PREFIX,
                    expected: usize::try_from(u32::from_le_bytes(*prefix)).unwrap_or(usize::MAX),
                    found: string.len(),
                },
            });
        };
        rest = after;
        element += 1;
    }
    Ok(element)
}

/// How many bytes the strings take with their lengths in front.
pub(crate) fn framed_length<S: AsRef<[u8]>>(strings: &[S]) -> Result<usize, Error> {
    strings
        .iter()
        .enumerate()
        .try_fold(0_usize, |total, (element, string)| {
            let found = string.as_ref().len();
            if u32::try_from(found).is_err() {
                return Err(Error::StringTooLong { element, found });
            }
            total
                .checked_add(PREFIX + found)
                .ok_or(Error::OutOfMemory { bytes: usize::MAX })
        })
}

/// Writes the strings with their lengths in front into exactly [`framed_length`] bytes.
pub(crate) fn frame<S: AsRef<[u8]>>(strings: &[S], mut into: &mut [u8]) {
    for string in strings {
        let string = string.as_ref();
        let length = u32::try_from(string.len()).expect("framed_length refuses longer strings");
        let (prefix, rest) = into.split_at_mut(PREFIX);
        prefix.copy_from_slice(&length.to_le_bytes());
        let (content, rest) = rest.split_at_mut(string.len());
        content.copy_from_slice(string);
        into = rest;
    }
}
