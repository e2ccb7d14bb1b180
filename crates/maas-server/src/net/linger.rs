//! The end of a connection whose client may still be sending.
//!
//! Who closes a socket with bytes in it that nobody has read has TCP reset the connection, and the client loses an answer that it
//! has not read yet. So the sending half is closed alone, and what comes is thrown away for a while (RFC 9112, section 9.6).

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// Who sends nothing for so long has read the answer, or never will.
const SILENCE: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(10);

pub(super) struct Lingering {
    silence: Pin<Box<Sleep>>,
    end: Instant,
}

impl Lingering {
    pub(super) fn begin() -> Self {
        Self {
            silence: Box::pin(sleep(SILENCE)),
            end: Instant::now() + LONGEST,
        }
    }

    /// Ready when the client has closed its half too, or has had its time.
    pub(super) fn poll(
        &mut self,
        stream: &mut (impl AsyncRead + Unpin),
        context: &mut Context<'_>,
    ) -> Poll<()> {
        let mut bytes = [0; 4096];
        while self.silence.as_mut().poll(context).is_pending() {
            let mut buffer = ReadBuf::new(&mut bytes);
            let read = ready!(Pin::new(&mut *stream).poll_read(context, &mut buffer));
            if read.is_err() || buffer.filled().is_empty() {
                break;
            }
            let next = (Instant::now() + SILENCE).min(self.end);
            self.silence.as_mut().reset(next);
        }
        Poll::Ready(())
    }
}
