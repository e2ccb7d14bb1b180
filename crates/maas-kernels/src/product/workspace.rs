//! Where packed operands lie.

use std::cell::RefCell;
use std::sync::atomic::AtomicUsize;

use crate::Buffer;

/// Memory that a product works in, or a part of one; it grows and is kept.
#[derive(Default)]
pub(crate) struct Workspace {
    pub(crate) left: Buffer,
    pub(crate) right: Buffer,
}

/// How many floats of it are needed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Room {
    pub(crate) left: usize,
    pub(crate) right: usize,
}

/// The most that any thread has asked for.
static LEFT: AtomicUsize = AtomicUsize::new(0);
static RIGHT: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static OWN: RefCell<Vec<Workspace>> = const { RefCell::new(Vec::new()) };
}

/// Workspaces for so many parts, of the calling thread, which keeps them.
///
/// The thread that asks for a product owns the memory for all of its parts, whoever computes them: so which thread takes which
/// part has no say in when memory is made.
pub(crate) fn with_workspaces<T>(parts: usize, work: impl FnOnce(&mut [Workspace]) -> T) -> T {
    OWN.with_borrow_mut(|own| {
        if own.len() < parts {
            own.resize_with(parts, Workspace::default);
        }
        work(&mut own[..parts])
    })
}

impl Room {
    /// Of a thread that helps with slabs of A that another one owns.
    pub(crate) fn of_a_helper(self) -> Self {
        Self { left: 0, ..self }
    }
}

impl Workspace {
    pub(crate) fn reserve(&mut self, room: Room) {
        self.left.make_room(room.left, &LEFT);
        self.right.make_room(room.right, &RIGHT);
    }
}
