use std::cell::UnsafeCell;
use std::mem::MaybeUninit;

use super::{Compute, Divisible};
use crate::team::{self, Queues};

impl Compute {
    /// Cuts `data` into parts of at least `least` units and runs `work` on each of them, on at most as many threads as
    /// [`Compute::parallelism`] says, and on one where there are less than `2 * least` units.
    ///
    /// `least` is how many units take a few microseconds, which is what another thread has to gain. Where there is far
    /// more to do, each thread has several parts, and who is done takes some of those that are held up. Parts begin at
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
        let threads = self.parallelism.get().min(units / least).min(Queues::MOST);
        if threads <= 1 {
            work(data);
            return;
        }
        let seats = &mut [(); Queues::MOST][..threads];
        let (step, part) = (least.min(16), least.saturating_mul(PATIENCE));
        distribute(seats, data, step, part, |(), data| work(data));
    }
}

/// Runs `work` on parts of the data, on as many threads as there are seats; each has its own. Parts are of some `step`s, and
/// each thread has one of them, or several that are not shorter than `part`.
pub(crate) fn distribute<S: Send, D: Divisible>(
    seats: &mut [S],
    data: D,
    step: usize,
    part: usize,
    work: impl Fn(&mut S, D) + Sync,
) {
    if let [seat] = seats {
        return work(seat, data);
    }
    let (units, threads) = (data.units(), seats.len());
    let most = (MOST_PARTS / threads).min(MOST_PARTS_OF_A_THREAD);
    let each = (units / threads / part).clamp(1, most);
    let length = units.div_ceil(threads * each).next_multiple_of(step);
    let mut parts = Places([const { UnsafeCell::new(MaybeUninit::uninit()) }; MOST_PARTS]);
    let (mut rest, mut left, mut count) = (data, units, 0);
    while left > length {
        let (part, others) = rest.divide(length);
        parts.0[count].get_mut().write(part);
        (rest, left, count) = (others, left - length, count + 1);
    }
    parts.0[count].get_mut().write(rest);
    let mut places = Places([const { UnsafeCell::new(MaybeUninit::uninit()) }; Queues::MOST]);
    for (place, seat) in places.0.iter_mut().zip(seats) {
        place.get_mut().write(seat);
    }
    let (parts, places, queues) = (&parts, &places, Queues::new(threads, count + 1));
    team::run(threads, threads, &|i| {
        // SAFETY: as many places as there are tasks are filled, and each task runs once.
        let seat = unsafe { places.take(i) };
        while let Some(number) = queues.next(i) {
            // SAFETY: the places up to `count` are filled, and each number is handed out once.
            work(seat, unsafe { parts.take(number) });
        }
    });
}

/// What tasks take, each place once.
struct Places<T, const N: usize>([UnsafeCell<MaybeUninit<T>>; N]);

// SAFETY: a place is taken by one thread.
unsafe impl<T: Send, const N: usize> Sync for Places<T, N> {}

impl<T, const N: usize> Places<T, N> {
    /// # Safety
    /// The place must be filled, and nobody else may ever take from it.
    unsafe fn take(&self, i: usize) -> T {
        // SAFETY: as promised by the caller.
        unsafe { (*self.0[i].get()).assume_init_read() }
    }
}

/// Parts in all. More threads than this do not make memory faster.
const MOST_PARTS: usize = 2 * Queues::MOST;
/// Parts among which a thread that is held up can leave some to others.
const MOST_PARTS_OF_A_THREAD: usize = 8;
/// How many times what is worth a thread a part has at least where a thread has several.
const PATIENCE: usize = 32;
