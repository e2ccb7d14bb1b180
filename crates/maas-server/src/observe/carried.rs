//! What a request has with it on its way to servers behind this one, so that the logs of all tell of the same request.

use std::cell::RefCell;
use std::mem::swap;

use axum::http::{HeaderMap, HeaderName, HeaderValue};

use super::request_id::REQUEST_ID;

/// The request's name, and the trace that it is part of.
#[derive(Clone, Debug)]
pub(crate) struct Carried {
    pub(super) id: HeaderValue,
    trace: [Option<HeaderValue>; 2],
}

pub(super) const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACE: [HeaderName; 2] = [TRACEPARENT, HeaderName::from_static("tracestate")];

thread_local! {
    /// That of the request on whose answer this thread works.
    static CURRENT: RefCell<Option<Carried>> = const { RefCell::new(None) };
}

impl Carried {
    pub(super) fn of(headers: &HeaderMap, id: HeaderValue) -> Self {
        let trace = TRACE.map(|name| headers.get(name).cloned());
        Self { id, trace }
    }

    fn headers(&self) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
        let trace = TRACE.into_iter().zip(&self.trace);
        let trace = trace.filter_map(|(name, value)| Some((name, value.clone()?)));
        trace.chain([(REQUEST_ID, self.id.clone())])
    }
}

/// Works on the answer to a request that has this with it.
pub(super) fn carrying<R>(carried: &mut Option<Carried>, work: impl FnOnce() -> R) -> R {
    struct Swapped<'a>(&'a mut Option<Carried>);
    impl Swapped<'_> {
        fn swap(&mut self) {
            CURRENT.with_borrow_mut(|current| swap(current, self.0));
        }
    }
    impl Drop for Swapped<'_> {
        fn drop(&mut self) {
            self.swap();
        }
    }
    let mut swapped = Swapped(carried);
    swapped.swap();
    work()
}

/// The headers of a request that is sent on for the one on which this thread works; none where it works for itself.
pub(crate) fn carried() -> Vec<(HeaderName, HeaderValue)> {
    CURRENT.with_borrow(|current| current.iter().flat_map(Carried::headers).collect())
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    #[test]
    fn it_is_there_for_as_long_as_the_work() {
        let headers = HeaderMap::from_iter([(TRACEPARENT, HeaderValue::from_static("00-1-2-01"))]);
        let mut one = Some(Carried::of(&headers, HeaderValue::from_static("one")));
        let mut two = Some(Carried::of(
            &HeaderMap::new(),
            HeaderValue::from_static("two"),
        ));
        let within = carrying(&mut one, || {
            let inner = carrying(&mut two, carried);
            assert_eq!(inner, [(REQUEST_ID, HeaderValue::from_static("two"))]);
            carried()
        });
        let expected = [(TRACEPARENT, "00-1-2-01"), (REQUEST_ID, "one")];
        assert_eq!(
            within,
            expected.map(|(name, value)| (name, HeaderValue::from_static(value)))
        );
        let broken = catch_unwind(AssertUnwindSafe(|| carrying(&mut one, || panic!("broken"))));
        assert!(broken.is_err());
        assert!(carried().is_empty());
        assert!(one.is_some() && two.is_some());
    }
}
