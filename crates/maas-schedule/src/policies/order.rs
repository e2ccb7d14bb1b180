//! Turns in the order of smooth weighted round robin.

use std::cmp::{Ordering, Reverse};
use std::collections::{BinaryHeap, HashMap};

use crate::Candidates;

/// The turns of a period: a member of weight w has w of them, spread as evenly as can be.
///
/// Each turn gives every member credit of its weight, and the one that is picked pays the sum of all. The turn goes to who has
/// the most credit, as in nginx. Where that would leave a member a whole turn away from its share, which takes many members
/// of very different weights, or where members and turns are many, the turns go to whose next one is due first instead (Tijdeman 1980, *The chairman assignment
/// problem*), which never does.
#[derive(Debug)]
pub(super) struct Order {
    turns: Box<[u32]>,
    /// By member: its turns in the period.
    weights: Box<[i64]>,
    /// By member: what it is owed at the start, in parts of a turn.
    owed: Box<[f64]>,
}

impl Order {
    /// A period over these weights, whose members are owed so many turns.
    pub(super) fn new(weights: &[u32], owed: Vec<f64>) -> Self {
        let weights = reduced(weights);
        let credits = credits(&weights, &owed);
        let turns = by_credit(&weights, credits.clone())
            .or_else(|| by_deadline(&weights, &credits))
            .unwrap_or_default();
        Self {
            turns: turns.into(),
            weights: weights.into(),
            owed: owed.into(),
        }
    }

    /// A period for other members. Who is in both is owed as much as before.
    pub(super) fn resumed(
        &self,
        position: usize,
        before: &dyn Candidates,
        after: &dyn Candidates,
    ) -> Self {
        let owed = self.owed_at(position);
        let identities = (0..before.len()).map(|index| before.identity(index));
        let known: HashMap<u64, f64> = identities.zip(owed).collect();
        let of = |index| known.get(&after.identity(index)).copied().unwrap_or(0.0);
        let owed = (0..after.len()).map(of).collect();
        Self::new(&weights_of(after), owed)
    }

    /// How many turns there are; 0 when all weights are.
    pub(super) fn len(&self) -> usize {
        self.turns.len()
    }

    #[inline]
    pub(super) fn turn(&self, position: usize) -> usize {
        self.turns[position] as usize
    }

    fn owed_at(&self, position: usize) -> Vec<f64> {
        let total = self.len().max(1) as f64;
        let mut owed: Vec<f64> = (self.weights.iter().zip(&self.owed))
            .map(|(&weight, owed)| owed + weight as f64 * position as f64 / total)
            .collect();
        for &turn in &self.turns[..position] {
            owed[turn as usize] -= 1.0;
        }
        owed
    }
}

pub(super) fn weights_of(candidates: &dyn Candidates) -> Vec<u32> {
    super::cost::all(candidates)
        .map(|candidate| candidate.weight)
        .collect()
}

/// What members are owed at the start, in parts of a turn times the sum of weights.
fn credits(weights: &[i64], owed: &[f64]) -> Vec<i64> {
    let total: i64 = weights.iter().sum();
    // Whoever left took credit or debt along: the others settle it by their weights.
    let sum: f64 = owed.iter().sum();
    (weights.iter().zip(owed))
        .map(|(&weight, owed)| ((owed * total as f64 - sum * weight as f64) * UNITS as f64) as i64)
        .collect()
}

/// The turns go to who has the most credit, in members × turns steps. `None` where that takes too many, or leaves a member more
/// than a turn away from its share.
fn by_credit(weights: &[i64], mut credits: Vec<i64>) -> Option<Vec<u32>> {
    let total: i64 = weights.iter().sum();
    if total.saturating_mul(weights.len() as i64) > MOST_STEPS {
        return None;
    }
    let price = total * UNITS;
    let mut left = weights.to_vec();
    let mut turns = Vec::with_capacity(usize::try_from(total).ok()?);
    for _ in 0..total {
        let mut next: Option<usize> = None;
        for (member, &weight) in weights.iter().enumerate() {
            credits[member] += weight * UNITS;
            if left[member] > 0 && next.is_none_or(|best| credits[member] > credits[best]) {
                next = Some(member);
            }
        }
        let next = next?;
        credits[next] -= price;
        left[next] -= 1;
        turns.push(u32::try_from(next).ok()?);
        if credits.iter().any(|credit| credit.abs() > price) {
            return None;
        }
    }
    Some(turns)
}

/// Of those who have credit, the turns go to whose credit would first be a whole turn, in turns × log(members) steps.
fn by_deadline(weights: &[i64], credits: &[i64]) -> Option<Vec<u32>> {
    let total: i64 = weights.iter().sum();
    let price = total * UNITS;
    let members = (weights.iter().zip(credits).enumerate())
        .filter(|(_, (weight, _))| **weight > 0)
        .map(|(member, (&weight, &credit))| Due {
            rate: weight * UNITS,
            lacks: price - credit,
            left: weight,
            member,
        });
    let mut ready = BinaryHeap::new();
    let mut waiting: BinaryHeap<_> = members
        .map(|due| Reverse((due.ready(price), due)))
        .collect();
    let mut turns = Vec::with_capacity(usize::try_from(total).ok()?);
    for turn in 1..=total {
        while let Some(Reverse((at, due))) = waiting.peek().copied()
            && at <= turn
        {
            waiting.pop();
            ready.push(Reverse(due));
        }
        let early = || Some(waiting.pop()?.0.1);
        let next = ready.pop().map(|Reverse(due)| due).or_else(early)?;
        turns.push(u32::try_from(next.member).ok()?);
        let after = Due {
            lacks: next.lacks + price,
            left: next.left - 1,
            ..next
        };
        if after.left > 0 {
            waiting.push(Reverse((after.ready(price), after)));
        }
    }
    Some(turns)
}

/// A member whose next turn is due at `lacks` / `rate`; the lesser one is due sooner.
#[derive(Clone, Copy, Debug)]
struct Due {
    /// Credit for each turn.
    rate: i64,
    /// Credit that it lacked at the start until a whole turn, those included that it has had.
    lacks: i64,
    /// Turns that it still has.
    left: i64,
    member: usize,
}

impl Due {
    /// The first turn at which it has credit.
    fn ready(&self, price: i64) -> i64 {
        (self.lacks - price).div_euclid(self.rate) + 1
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> Ordering {
        let own = i128::from(self.lacks) * i128::from(other.rate);
        let others = i128::from(other.lacks) * i128::from(self.rate);
        own.cmp(&others).then(self.member.cmp(&other.member))
    }
}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Due {}

/// The weights divided by what divides them all, and scaled where the period would be longer than it may be; who weighs
/// anything keeps a turn.
fn reduced(weights: &[u32]) -> Vec<i64> {
    let divisor = weights
        .iter()
        .fold(0, |divisor, &weight| gcd(divisor, weight))
        .max(1);
    let sum: u64 = weights
        .iter()
        .map(|&weight| u64::from(weight / divisor))
        .sum();
    let scaled = |&weight: &u32| {
        let weight = i64::from(weight / divisor);
        if sum <= LONGEST || weight == 0 {
            weight
        } else {
            ((weight as f64 * LONGEST as f64 / sum as f64) as i64).max(1)
        }
    };
    weights.iter().map(scaled).collect()
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// Turns of a period, where there are not more members.
const LONGEST: u64 = 1 << 14;

/// Members × turns of an order that is computed in as many steps.
const MOST_STEPS: i64 = 1 << 14;

/// Parts of a turn, as fine as credits are kept when members change.
const UNITS: i64 = 1 << 20;

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fresh(weights: &[u32]) -> Order {
        Order::new(weights, vec![0.0; weights.len()])
    }

    #[test]
    fn it_is_the_order_of_nginx() {
        assert_eq!(*fresh(&[5, 1, 1]).turns, [0, 0, 1, 0, 2, 0, 0]);
        assert_eq!(*fresh(&[40, 20]).turns, [0, 1, 0]);
        assert_eq!(fresh(&[0, 0]).len(), 0);
    }

    proptest! {
        #[test]
        fn every_prefix_is_within_a_turn_of_the_shares(
            weights in proptest::collection::vec(prop_oneof![0_u32..6, 0_u32..200], 1..40),
        ) {
            let order = fresh(&weights);
            let mut counts = vec![0_u32; weights.len()];
            let total = order.len() as f64;
            for (position, &turn) in order.turns.iter().enumerate() {
                counts[turn as usize] += 1;
                for (count, weight) in counts.iter().zip(&order.weights) {
                    let ideal = (position + 1) as f64 * *weight as f64 / total;
                    prop_assert!((f64::from(*count) - ideal).abs() <= 1.0 + 1e-9);
                }
            }
            prop_assert!(counts.iter().zip(&order.weights).all(|(&count, &weight)| i64::from(count) == weight));
        }

        #[test]
        fn long_periods_are_scaled(weights in proptest::collection::vec(1_u32.., 1..20)) {
            let order = fresh(&weights);
            let sum: f64 = weights.iter().map(|&weight| f64::from(weight)).sum();
            prop_assert!(order.len() as u64 <= LONGEST + 20);
            for (&weight, &turns) in weights.iter().zip(&order.weights) {
                let share = turns as f64 / order.len() as f64;
                prop_assert!((share - f64::from(weight) / sum).abs() < 2e-3);
            }
        }
    }
}
