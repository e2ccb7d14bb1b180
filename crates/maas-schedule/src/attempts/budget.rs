use crate::Moment;
use crate::sync::{AtomicU64, Ordering};

/// How many retries there may be: a share of the requests, a few per second beside it, and a reserve.
///
/// A bucket of tokens. A request puts a part of one in ([`deposit`](Self::deposit)), a retry takes a whole one out
/// ([`withdraw`](Self::withdraw)), and time puts some in. Under any interleaving of threads
///
/// retries ≤ ratio · requests + per_second · time since the clock's origin + burst.
///
/// All of it is one atomic word. A deposit into a full bucket only reads, so while nothing fails the budget is no
/// cache line that cores fight over.
///
/// ```
/// use maas_schedule::{Moment, RetryBudget};
///
/// let budget = RetryBudget::new(0.5).per_second(0).burst(1);
/// assert!(budget.withdraw(Moment::ZERO)); // the reserve
/// assert!(!budget.withdraw(Moment::ZERO));
/// budget.deposit();
/// budget.deposit();
/// assert!(budget.withdraw(Moment::ZERO)); // half of two requests
/// ```
#[derive(Debug)]
pub struct RetryBudget {
    /// Thousandths of tokens below, and above them the tick up to which time was paid for.
    word: AtomicU64,
    deposit: u64,
    per_tick: u64,
    capacity: u64,
}

impl RetryBudget {
    /// A budget of `ratio` retries a request, counted in thousandths; a ratio that is negative or no number is 0.
    /// Beside it 10 retries a second, and a reserve of 100.
    ///
    /// ```
    /// use maas_schedule::{Moment, RetryBudget};
    /// assert!(RetryBudget::new(0.2).withdraw(Moment::ZERO));
    /// ```
    #[must_use]
    pub fn new(ratio: f64) -> Self {
        let mut budget = Self {
            word: AtomicU64::new(0),
            // Rounded first: 0.29 · 1000 is a little below 290.
            deposit: ((ratio * 1e6).round() as u64 / 1000).min(TOKENS),
            per_tick: 0,
            capacity: 0,
        };
        budget.set_capacity(100);
        budget.per_second(10)
    }

    /// Retries a second that are there without any request, in place of 10: clients with little traffic retry too.
    ///
    /// ```
    /// use maas_schedule::{Moment, RetryBudget};
    /// use std::time::Duration;
    ///
    /// let budget = RetryBudget::new(0.0).per_second(2).burst(1);
    /// assert!(budget.withdraw(Moment::ZERO));
    /// assert!(!budget.withdraw(Moment::ZERO + Duration::from_millis(490)));
    /// assert!(budget.withdraw(Moment::ZERO + Duration::from_millis(500)));
    /// ```
    #[must_use]
    pub fn per_second(self, retries: u32) -> Self {
        let per_tick = u64::from(retries) * (TOKEN / TICKS_PER_SECOND);
        Self { per_tick, ..self }
    }

    /// The most that is saved up, and what is there at the start, in place of 100. At most 250 000.
    ///
    /// ```
    /// use maas_schedule::{Moment, RetryBudget};
    /// assert!(!RetryBudget::new(0.2).burst(0).withdraw(Moment::ZERO));
    /// ```
    #[must_use]
    pub fn burst(mut self, retries: u32) -> Self {
        self.set_capacity(retries);
        self
    }

    /// Counts a request.
    ///
    /// ```
    /// maas_schedule::RetryBudget::new(0.2).deposit();
    /// ```
    pub fn deposit(&self) {
        let _ = self
            .word
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |word| {
                let tokens = (tokens(word) + self.deposit).min(self.capacity);
                let after = pack(tick(word), tokens);
                (after != word).then_some(after)
            });
    }

    /// Whether there may be a retry now, which then is counted.
    ///
    /// ```
    /// use maas_schedule::{Moment, RetryBudget};
    /// assert!(RetryBudget::new(0.2).withdraw(Moment::ZERO));
    /// ```
    #[must_use = "a retry that was counted should be sent"]
    pub fn withdraw(&self, now: Moment) -> bool {
        let now = (now.as_nanos() / TICK_NANOS).min(LAST_TICK);
        self.word
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |word| {
                // A clock that went back pays nothing until it has caught up.
                let until = tick(word).max(now);
                let paid = (until - tick(word)).saturating_mul(self.per_tick);
                let tokens = tokens(word).saturating_add(paid).min(self.capacity);
                Some(pack(until, tokens.checked_sub(TOKEN)?))
            })
            .is_ok()
    }

    fn set_capacity(&mut self, retries: u32) {
        self.capacity = (u64::from(retries) * TOKEN).min(TOKENS);
        self.word = AtomicU64::new(pack(0, self.capacity));
    }
}

/// 20 % of the requests, 10 a second, a reserve of 100.
impl Default for RetryBudget {
    fn default() -> Self {
        Self::new(0.2)
    }
}

fn pack(tick: u64, tokens: u64) -> u64 {
    tick << TOKEN_BITS | tokens
}

fn tick(word: u64) -> u64 {
    word >> TOKEN_BITS
}

fn tokens(word: u64) -> u64 {
    word & ((1 << TOKEN_BITS) - 1)
}

const TOKEN: u64 = 1000;
const TOKEN_BITS: u32 = 28;
/// The most thousandths that a bucket holds.
const TOKENS: u64 = 250_000 * TOKEN;
const TICKS_PER_SECOND: u64 = 100;
const TICK_NANOS: u64 = 1_000_000_000 / TICKS_PER_SECOND;
/// 21 years.
const LAST_TICK: u64 = (1 << (u64::BITS - TOKEN_BITS)) - 1;
