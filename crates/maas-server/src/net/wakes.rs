//! Wakes within the task of a connection: which part of it they are for, and which are for nobody.

use std::cell::Cell;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use axum::http::Version;
use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};

/// A part of a task, which has a waker of its own.
pub(super) struct Part {
    bell: Arc<Bell>,
    waker: Waker,
    /// What the bell wakes.
    task: Waker,
}

struct Bell {
    rung: AtomicBool,
    task: Mutex<Waker>,
}

impl Part {
    /// One that nobody has polled.
    pub(super) fn new() -> Self {
        let bell = Arc::new(Bell {
            rung: AtomicBool::new(true),
            task: Mutex::new(Waker::noop().clone()),
        });
        Self {
            waker: Waker::from(Arc::clone(&bell)),
            bell,
            task: Waker::noop().clone(),
        }
    }

    /// Polls the part, whose wakes are those of the task.
    pub(super) fn poll<T>(
        &mut self,
        context: &mut Context<'_>,
        poll: impl FnOnce(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        let task = context.waker();
        if !self.task.will_wake(task) {
            self.task.clone_from(task);
            self.bell.belong_to(task);
        }
        poll(&mut Context::from_waker(&self.waker))
    }

    /// Polls the part if it has been woken since the last time.
    pub(super) fn poll_if_woken<T>(
        &mut self,
        context: &mut Context<'_>,
        poll: impl FnOnce(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        let bell = Arc::clone(&self.bell);
        self.poll(context, |context| {
            if bell.rung.swap(false, Ordering::Acquire) {
                poll(context)
            } else {
                Poll::Pending
            }
        })
    }
}

impl Bell {
    fn belong_to(&self, task: &Waker) {
        let mut belongs = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        belongs.clone_from(task);
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if Hush::hears() {
            return;
        }
        self.rung.store(true, Ordering::Release);
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        task.wake_by_ref();
    }
}

/// The body of a request whose reader does not wake the connection's task for nothing.
///
/// Over HTTP/1 hyper asks the connection for the next piece when one is taken. That is the reader's own task, which would
/// run once more after each request, to find that the piece was the last.
pub(crate) struct Quiet {
    body: Incoming,
    /// Over HTTP/2 the connection is a task of its own, which has to hear.
    has_own_task: bool,
}

impl Quiet {
    pub(crate) fn new(body: Incoming, version: Version) -> Self {
        let has_own_task = version >= Version::HTTP_2;
        Self { body, has_own_task }
    }
}

impl Body for Quiet {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        if self.has_own_task {
            return Pin::new(&mut self.body).poll_frame(context);
        }
        let hush = Hush::begin();
        let poll = Pin::new(&mut self.body).poll_frame(context);
        if hush.end() && !self.body.is_end_stream() {
            context.waker().wake_by_ref();
        }
        poll
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A time in which bells that are rung on this thread wake nobody.
struct Hush;

#[derive(Clone, Copy, PartialEq)]
enum Heard {
    /// Nobody listens.
    All,
    Nothing,
    Something,
}

thread_local! {
    static HEARD: Cell<Heard> = const { Cell::new(Heard::All) };
}

impl Hush {
    fn begin() -> Self {
        HEARD.set(Heard::Nothing);
        Self
    }

    /// Whether a bell was rung.
    fn end(self) -> bool {
        HEARD.get() == Heard::Something
    }

    fn hears() -> bool {
        let is_hushed = HEARD.get() != Heard::All;
        if is_hushed {
            HEARD.set(Heard::Something);
        }
        is_hushed
    }
}

impl Drop for Hush {
    fn drop(&mut self) {
        HEARD.set(Heard::All);
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::pin::pin;
    use std::sync::atomic::AtomicUsize;

    use http_body_util::{BodyExt, Full};
    use hyper::server::conn::http1;
    use hyper::service::service_fn;
    use hyper::{Request, Response};
    use hyper_util::rt::TokioIo;
    use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

    use super::*;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// What a client has sent and was answered.
    #[derive(Clone, Default)]
    struct Wire(Arc<Mutex<Ends>>);

    #[derive(Default)]
    struct Ends {
        sent: Vec<u8>,
        answered: Vec<u8>,
        reader: Option<Waker>,
    }

    impl Wire {
        fn send(&self, text: &str) {
            let mut ends = self.0.lock().unwrap();
            ends.sent.extend_from_slice(text.as_bytes());
            if let Some(reader) = ends.reader.take() {
                reader.wake();
            }
        }

        fn answers(&self) -> usize {
            let ends = self.0.lock().unwrap();
            let text = String::from_utf8_lossy(&ends.answered).into_owned();
            text.matches("HTTP/1.1 200 OK").count()
        }
    }

    impl AsyncRead for Wire {
        fn poll_read(
            self: Pin<&mut Self>,
            context: &mut Context<'_>,
            buffer: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            let mut ends = self.0.lock().unwrap();
            if ends.sent.is_empty() {
                ends.reader = Some(context.waker().clone());
                return Poll::Pending;
            }
            buffer.put_slice(&std::mem::take(&mut ends.sent));
            Poll::Ready(Ok(()))
        }
    }

    impl AsyncWrite for Wire {
        fn poll_write(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            self.0.lock().unwrap().answered.extend_from_slice(bytes);
            Poll::Ready(Ok(bytes.len()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    /// How often the task of a connection was woken while it was sent these pieces, one after another, and how many answers
    /// it gave. It is polled when it is woken, and only then.
    fn wakes_and_answers(pieces: &[&str]) -> (usize, usize) {
        let wire = Wire::default();
        let service = service_fn(|request: Request<Incoming>| async move {
            let version = request.version();
            let body = Quiet::new(request.into_body(), version).collect().await?;
            Ok::<_, hyper::Error>(Response::new(Full::new(body.to_bytes())))
        });
        let connection =
            http1::Builder::new().serve_connection(TokioIo::new(wire.clone()), service);
        let mut connection = pin!(connection);
        let count = Arc::new(Count::default());
        let task = Waker::from(Arc::clone(&count));
        let mut part = Part::new();
        let mut seen = 0;
        let mut run = || {
            let mut context = Context::from_waker(&task);
            let poll = part.poll(&mut context, |context| connection.as_mut().poll(context));
            assert!(poll.is_pending(), "the connection is over");
        };
        run();
        for piece in pieces {
            wire.send(piece);
            while count.0.load(Ordering::Relaxed) > seen {
                seen = count.0.load(Ordering::Relaxed);
                run();
            }
        }
        (seen, wire.answers())
    }

    const HEAD: &str = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n";

    #[test]
    fn a_request_that_comes_at_once_wakes_the_task_once() {
        let whole = format!("{HEAD}body");
        assert_eq!(wakes_and_answers(&[&whole]), (1, 1));
        assert_eq!(wakes_and_answers(&[&whole, &whole, &whole]), (3, 3));
    }

    #[test]
    fn no_piece_is_waited_for_that_is_there() {
        let two = format!("{HEAD}body{HEAD}body");
        let chunked = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
        let expects =
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n";
        for (pieces, answers) in [
            (&[HEAD, "body"][..], 1),
            (&[HEAD, "b", "o", "d", "y"], 1),
            (&[&*format!("{HEAD}bo"), "dy"], 1),
            (&[&*two, &*two], 4),
            (&[chunked, "2\r\nbo\r\n2\r\ndy\r\n0\r\n\r\n"], 1),
            (&[chunked, "2\r\nbo\r\n", "2\r\ndy\r\n", "0\r\n", "\r\n"], 1),
            (&[expects, "body", &*two], 3),
            (&["GET / HTTP/1.1\r\nHost: h\r\n\r\n", &*two], 3),
        ] {
            assert_eq!(wakes_and_answers(pieces).1, answers, "{pieces:?}");
        }
    }

    #[test]
    fn a_part_is_polled_when_it_was_woken_and_wakes_the_task_that_has_it() {
        let mut part = Part::new();
        let mut inner = None;
        let mut polls = 0;
        let mut poll = |part: &mut Part, count: &Arc<Count>| {
            let task = Waker::from(Arc::clone(count));
            let _: Poll<()> = part.poll_if_woken(&mut Context::from_waker(&task), |context| {
                inner = Some(context.waker().clone());
                polls += 1;
                Poll::Pending
            });
            (polls, inner.clone().expect("it is polled at first"))
        };
        let (first, then) = (Arc::new(Count::default()), Arc::new(Count::default()));
        let woken = |count: &Count| count.0.load(Ordering::Relaxed);
        let (_, waker) = poll(&mut part, &first);
        assert_eq!(poll(&mut part, &first).0, 1);
        waker.wake_by_ref();
        assert_eq!((woken(&first), poll(&mut part, &first).0), (1, 2));
        assert_eq!(poll(&mut part, &then).0, 2);
        waker.wake();
        assert_eq!((woken(&first), woken(&then)), (1, 1));
        assert_eq!(poll(&mut part, &then).0, 3);
    }
}
