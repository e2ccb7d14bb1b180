use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use axum::http::{HeaderMap, HeaderName, HeaderValue};

use crate::striped::Striped;

pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Longer ones are not taken over.
const LONGEST: usize = 128;
/// The odd number next to 2^64 divided by the golden ratio.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// Names for requests that come without one.
#[derive(Debug)]
pub(super) struct RequestIds {
    next: Striped<AtomicU64>,
}

impl RequestIds {
    pub(super) fn new() -> Self {
        let first = random();
        // Far enough from each other to last.
        let start = |stripe: usize| first.wrapping_add(STEP.wrapping_mul((stripe as u64) << 56));
        Self {
            next: Striped::of(|stripe| AtomicU64::new(start(stripe))),
        }
    }

    /// What the client calls its request, or else a name that no other request of this server has.
    pub(super) fn of(&self, headers: &HeaderMap) -> HeaderValue {
        match headers.get(REQUEST_ID) {
            Some(id) if is_fit(id.as_bytes()) => id.clone(),
            _ => self.make(),
        }
    }

    fn make(&self) -> HeaderValue {
        let number = mix(self.next.own().fetch_add(STEP, Relaxed));
        let digit = |place: usize| b"0123456789abcdef"[(number >> (60 - 4 * place)) as usize & 15];
        let digits: [u8; 16] = std::array::from_fn(digit);
        HeaderValue::from_bytes(&digits).expect("digits may stand in a header")
    }
}

/// Numbers that nobody outside of the process can tell ahead.
pub(super) fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

fn is_fit(id: &[u8]) -> bool {
    (1..=LONGEST).contains(&id.len()) && id.iter().all(u8::is_ascii_graphic)
}

/// The last steps of SplitMix64, which give another number for each number.
fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fit_id_is_taken_over_and_others_are_made() {
        let ids = RequestIds::new();
        let of = |id: &str| {
            let value = HeaderValue::from_bytes(id.as_bytes()).expect("it is a header");
            ids.of(&HeaderMap::from_iter([(REQUEST_ID, value)]))
        };
        assert_eq!(of("order-7/π".replace('π', "3").as_str()), "order-7/3");
        for unfit in ["", "two words", "π", &"x".repeat(129)] {
            let made = of(unfit);
            assert_eq!(made.len(), 16, "{unfit}: {made:?}");
            assert_ne!(made, of(unfit));
        }
    }
}
