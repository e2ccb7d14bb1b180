use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Body;

use super::ALIGNMENT;

/// As much is taken for a body at once, whatever its length is said to be.
const ROOM: usize = 1 << 20;

/// What comes of reading a body.
#[derive(Debug)]
pub(crate) enum Gathered<E> {
    Whole(Bytes),
    /// It has more bytes than are taken.
    TooLarge,
    /// It broke off.
    Broken(E),
}

/// Reads a body of at most `limit` bytes. One that comes in pieces is put together so that what follows its first
/// `text` bytes lies where numbers may.
pub(crate) async fn gather<B>(mut body: B, limit: usize, text: usize) -> Gathered<B::Error>
where
    B: Body<Data = Bytes> + Unpin,
{
    if body.size_hint().lower() > limit as u64 {
        return Gathered::TooLarge;
    }
    let padding = text.wrapping_neg() % ALIGNMENT;
    let mut first = Bytes::new();
    let mut whole = Vec::new();
    while let Some(frame) = body.frame().await {
        let data = match frame.map(hyper::body::Frame::into_data) {
            Ok(Ok(data)) => data,
            Ok(Err(_)) => continue,
            Err(error) => return Gathered::Broken(error),
        };
        let length = first.len() + whole.len().saturating_sub(padding);
        if data.len() > limit - length {
            return Gathered::TooLarge;
        }
        if length == 0 {
            first = data;
            continue;
        }
        if whole.is_empty() {
            let expected = usize::try_from(body.size_hint().lower()).unwrap_or(ROOM);
            whole.reserve(padding + first.len() + data.len() + expected.min(ROOM));
            whole.resize(padding, 0);
            whole.extend_from_slice(&std::mem::take(&mut first));
        }
        whole.extend_from_slice(&data);
    }
    if whole.is_empty() {
        Gathered::Whole(first)
    } else {
        Gathered::Whole(Bytes::from(whole).slice(padding..))
    }
}
