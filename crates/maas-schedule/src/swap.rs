//! A value that is replaced as a whole while others read it.

use crate::sync::Arc;

/// Readers never wait.
#[cfg(not(loom))]
#[derive(Debug)]
pub(crate) struct Swap<T>(arc_swap::ArcSwap<T>);

#[cfg(not(loom))]
impl<T> Swap<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(arc_swap::ArcSwap::from_pointee(value))
    }

    #[inline]
    pub(crate) fn load(&self) -> impl std::ops::Deref<Target = Arc<T>> {
        self.0.load()
    }

    pub(crate) fn store(&self, value: T) {
        self.0.store(Arc::new(value));
    }
}

/// In a model a lock, whose order of events is one of those that readers without a lock can see.
#[cfg(loom)]
#[derive(Debug)]
pub(crate) struct Swap<T>(crate::sync::Mutex<Arc<T>>);

#[cfg(loom)]
impl<T> Swap<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(crate::sync::Mutex::new(Arc::new(value)))
    }

    pub(crate) fn load(&self) -> impl std::ops::Deref<Target = Arc<T>> {
        Box::new(Arc::clone(&crate::sync::lock(&self.0)))
    }

    pub(crate) fn store(&self, value: T) {
        *crate::sync::lock(&self.0) = Arc::new(value);
    }
}
