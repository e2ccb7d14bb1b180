//! Which core a thread runs on. Some schedulers wake a worker on the core of the caller, whom it would then only hold up.

#[cfg(target_os = "linux")]
pub(super) use linux::{current, leave};

#[cfg(target_os = "linux")]
mod linux {
    use std::mem::{MaybeUninit, size_of};

    /// The number of the core that this thread runs on, negative where the system does not tell.
    pub(in crate::team) fn current() -> i32 {
        // SAFETY: without arguments.
        unsafe { libc::sched_getcpu() }
    }

    /// Moves this thread to another core, where it may run on one. Afterwards it may run where it could before.
    pub(in crate::team) fn leave(core: i32) {
        let (Ok(core), Some(allowed)) = (usize::try_from(core), allowed()) else {
            return;
        };
        if core >= 8 * size_of::<libc::cpu_set_t>() {
            return;
        }
        let mut others = allowed;
        // SAFETY: the set has a place for the core.
        let left = unsafe {
            libc::CPU_CLR(core, &mut others);
            libc::CPU_COUNT(&others)
        };
        if left > 0 {
            allow(&others);
            allow(&allowed);
        }
    }

    /// The cores that this thread may run on; `None` where the system has more than the set has places for.
    fn allowed() -> Option<libc::cpu_set_t> {
        let mut set = MaybeUninit::zeroed();
        // SAFETY: the set is as long as is said; all of its bits may be zero.
        unsafe {
            let result = libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), set.as_mut_ptr());
            (result == 0).then(|| set.assume_init())
        }
    }

    fn allow(set: &libc::cpu_set_t) {
        // SAFETY: the set is as long as is said. What the system refuses changes nothing.
        unsafe { libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), set) };
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_thread_leaves_a_core_and_keeps_its_right_to_it() {
            // SAFETY: reads a set.
            let count = |set: &libc::cpu_set_t| unsafe { libc::CPU_COUNT(set) };
            let before = allowed().unwrap();
            if count(&before) > 1 {
                // It may have been moved back by now, which is rare enough for ten attempts.
                let elsewhere = (0..10).any(|_| {
                    let core = current();
                    leave(core);
                    current() != core
                });
                assert!(elsewhere);
            }
            assert_eq!(count(&allowed().unwrap()), count(&before));
            leave(-1);
            leave(i32::MAX);
            assert_eq!(count(&allowed().unwrap()), count(&before));
        }
    }
}

/// Elsewhere the system is trusted.
#[cfg(not(target_os = "linux"))]
pub(super) fn current() -> i32 {
    -1
}

#[cfg(not(target_os = "linux"))]
pub(super) fn leave(_core: i32) {}
