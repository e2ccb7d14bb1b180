use std::cell::UnsafeCell;
use std::mem::MaybeUninit;

use super::{Compute, Divisible};
use crate::team;

impl Compute {
    /// Cuts `data` into parts of at least `least` units and runs `work` on each of them, on as many threads as there
    /// are parts: at most [`Compute::parallelism`], and one where there are less than `2 * least` units.
    ///
    /// `least` is how many units take a few microseconds, which is what another thread has to gain. Parts begin at
    /// multiples of 16 units where `least` is at least 16, so that floats on one line of the cache stay with one thread.
    ///
    /// Where data are cut depends on the number of threads, so `work` must give the same bits wherever that is: it
    /// writes every element as a function of what does not move with the cut.
    ///
    /// # Panics
    /// With the panic of `work`, where it panics; which other parts were worked on is then not said.
    ///
    /// ```
    /// use maas_kernels::{Compute, Parallelism};
    ///
    /// let compute = Compute { parallelism: Parallelism::available(), ..Compute::default() };
    /// let (x, mut y) = (vec![2.0; 100_000], vec![1.0; 100_000]);
    /// compute.split((&x[..], &mut y[..]), 10_000, |(x, y)| compute.kernels.multiply(x, y));
    /// assert!(y.iter().all(|&y| y == 2.0));
    /// ```
    #[track_caller]
    pub fn split<D: Divisible>(self, data: D, least: usize, work: impl Fn(D) + Sync) {
        let (units, least) = (data.units(), least.max(1));
        let parts = self.parallelism.get().min(units / least).min(MOST_PARTS);
        if parts <= 1 {
            work(data);
            return;
        }
        let length = units.div_ceil(parts).next_multiple_of(least.min(16));
        let mut places = Places([const { UnsafeCell::new(MaybeUninit::uninit()) }; MOST_PARTS]);
        let (mut rest, mut left, mut count) = (data, units, 0);
        while left > length {
            let (part, others) = rest.divide(length);
            places.0[count].get_mut().write(part);
            (rest, left, count) = (others, left - length, count + 1);
        }
        places.0[count].get_mut().write(rest);
        let places = &places;
        team::run(count + 1, count + 1, &|i| {
            // SAFETY: the places up to `count` are filled, and each number is handed out once.
            work(unsafe { places.take(i) });
        });
    }
}

/// Parts for tasks to take.
struct Places<D>([UnsafeCell<MaybeUninit<D>>; MOST_PARTS]);

// SAFETY: a part is taken by one thread.
unsafe impl<D: Send> Sync for Places<D> {}

impl<D> Places<D> {
    /// # Safety
    /// The place must be filled, and nobody else may ever take from it.
    unsafe fn take(&self, i: usize) -> D {
        // SAFETY: as promised by the caller.
        unsafe { (*self.0[i].get()).assume_init_read() }
    }
}

/// More threads than this do not make memory faster.
const MOST_PARTS: usize = 64;
