//! What every ring does: drawing turns, and going on when members change.

use std::num::NonZeroUsize;

use crate::Candidates;

/// Draws turns until one belongs to an available member. Alone, N turns of a ring see every member; when other threads took
/// turns in between and N were not enough, the members are looked at once in ring order.
pub(super) fn draw(
    candidates: &dyn Candidates,
    turn: impl Fn(NonZeroUsize) -> usize,
) -> Option<usize> {
    let members = NonZeroUsize::new(candidates.len())?;
    let mut last = 0;
    for _ in 0..members.get() {
        last = turn(members);
        if candidates.is_available(last) {
            return Some(last);
        }
    }
    (1..=members.get())
        .map(|step| (last + step) % members)
        .find(|&member| candidates.is_available(member))
}

/// Where a ring of `after` goes on: with who is `next` in `before`, or the first one behind that is still there.
pub(super) fn resume(next: usize, before: &dyn Candidates, after: &dyn Candidates) -> usize {
    let place = |identity| (0..after.len()).find(|&index| after.identity(index) == identity);
    (0..before.len())
        .map(|step| before.identity((next % before.len() + step) % before.len()))
        .find_map(place)
        .unwrap_or(0)
}
