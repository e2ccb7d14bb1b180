//! A stream whose bytes are seen by its connection's watch, which speaks where hyper would say no word.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::activity::Activity;
use super::linger::Lingering;
use super::refused::explained;

/// How a connection of HTTP/2 begins.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// The end of a head that no head may have: hyper refuses what it was waiting for.
const BREAK: &[u8] = b"\0\r\n\r\n";

/// Pieces of so many bytes together are written as one: the system takes longer to look at several than they do to copy.
const FEW: usize = 1 << 10;

pub(super) struct Watched<S> {
    stream: S,
    activity: Arc<Activity>,
    /// How much of the preface has come, as long as all that has come is of it.
    preface: Option<usize>,
    /// How much of the break was read.
    broken: usize,
    /// What is written in the place of an answer of hyper's own, and how much of it has been.
    instead: Option<(Vec<u8>, usize)>,
    lingering: Option<Lingering>,
}

impl<S> Watched<S> {
    pub(super) fn new(stream: S, activity: Arc<Activity>) -> Self {
        Self {
            stream,
            activity,
            preface: Some(0),
            broken: 0,
            instead: None,
            lingering: None,
        }
    }

    fn received(&mut self, bytes: &[u8]) {
        if let Some(seen) = self.preface {
            let rest = &PREFACE[seen..];
            let length = rest.len().min(bytes.len());
            self.preface =
                (rest[..length] == bytes[..length] && length < rest.len()).then_some(seen + length);
            if bytes.starts_with(rest) {
                self.activity.speaks_http2();
            }
        }
        self.activity.received();
    }

    fn written<T>(&self, poll: Poll<T>) -> Poll<T> {
        match poll {
            Poll::Pending => self.activity.write_waits(),
            Poll::Ready(_) => self.activity.write_goes_on(),
        }
        poll
    }
}

impl<S: AsyncWrite + Unpin> Watched<S> {
    /// Writes what stands in the place of these bytes, where no request is under way whose answer they could be.
    fn poll_instead(
        &mut self,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Option<Poll<io::Result<usize>>> {
        if self.instead.is_none() {
            let (status, answer) = explained(bytes, self.activity.is_late())?;
            self.activity.refuse(status);
            self.instead = Some((answer, 0));
        }
        let (answer, written) = self.instead.as_mut()?;
        while *written < answer.len() {
            match Pin::new(&mut self.stream).poll_write(context, &answer[*written..]) {
                Poll::Ready(Ok(0)) => {
                    return Some(Poll::Ready(Err(io::ErrorKind::WriteZero.into())));
                }
                Poll::Ready(Ok(more)) => *written += more,
                other => return Some(other),
            }
        }
        self.instead = None;
        Some(Poll::Ready(Ok(bytes.len())))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.activity.is_late() && self.broken < BREAK.len() {
            let rest = &BREAK[self.broken..];
            let length = rest.len().min(buffer.remaining());
            buffer.put_slice(&rest[..length]);
            self.broken += length;
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        let poll = Pin::new(&mut self.stream).poll_read(context, buffer);
        let received = &buffer.filled()[before..];
        if !received.is_empty() {
            self.received(received);
        }
        poll
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if !self.activity.is_answering()
            && let Some(poll) = self.poll_instead(context, bytes)
        {
            return self.written(poll);
        }
        let poll = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.written(poll)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if !self.activity.is_answering()
            && let Some(first) = pieces.first()
            && let Some(poll) = self.poll_instead(context, first)
        {
            return self.written(poll);
        }
        let stream = Pin::new(&mut self.stream);
        let mut room = [0; FEW];
        let poll = match side_by_side(pieces, &mut room) {
            Some(bytes) => stream.poll_write(context, bytes),
            None => stream.poll_write_vectored(context, pieces),
        };
        self.written(poll)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let poll = Pin::new(&mut self.stream).poll_flush(context);
        if poll.is_ready() {
            self.activity.flushed();
        }
        poll
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.lingering.is_none() {
            ready!(Pin::new(&mut this.stream).poll_shutdown(context))?;
            if !this.activity.is_unread() {
                return Poll::Ready(Ok(()));
            }
        }
        let lingering = this.lingering.get_or_insert_with(Lingering::begin);
        lingering.poll(&mut this.stream, context).map(Ok)
    }
}

/// The bytes of all pieces, if there is room for them.
fn side_by_side<'a>(pieces: &[IoSlice<'_>], room: &'a mut [u8]) -> Option<&'a [u8]> {
    let mut length = 0;
    for piece in pieces {
        room.get_mut(length..length + piece.len())?
            .copy_from_slice(piece);
        length += piece.len();
    }
    Some(&room[..length])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_bytes_are_written_side_by_side() {
        let of = |pieces: &[&[u8]]| {
            let pieces: Vec<_> = pieces.iter().map(|piece| IoSlice::new(piece)).collect();
            side_by_side(&pieces, &mut [0; 4]).map(<[u8]>::to_vec)
        };
        assert_eq!(of(&[b"ab", b"", b"cd"]).as_deref(), Some(&b"abcd"[..]));
        assert_eq!(of(&[]).as_deref(), Some(&b""[..]));
        assert_eq!(of(&[b"ab", b"cde"]), None);
    }
}
