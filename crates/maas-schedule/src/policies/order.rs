//! Turns in the order of smooth weighted round robin.

use crate::Candidates;

/// The turns of a period: a member of weight w has w of them, spread as evenly as can be.
///
/// Each turn gives every member credit of its weight, and the one that is picked pays the sum of all. The turn goes to who has
/// the most credit, as in nginx. Where that would leave a member a whole turn away from its share, which takes many members
/// of very different weights, the turns go to whose next one is due first instead (Tijdeman 1980, *The chairman assignment
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
        let turns = turns(&weights, &owed, Rule::MostCredit)
            .or_else(|| turns(&weights, &owed, Rule::EarliestDeadline))
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
        let of = |identity| {
            let place = (0..before.len()).find(|&index| before.identity(index) == identity);
            place
                .and_then(|index| owed.get(index).copied())
                .unwrap_or(0.0)
        };
        let owed = (0..after.len())
            .map(|index| of(after.identity(index)))
            .collect();
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

#[derive(Clone, Copy, PartialEq)]
enum Rule {
    MostCredit,
    EarliestDeadline,
}

/// `None` where the rule leaves a member more than a turn away from its share.
fn turns(weights: &[i64], owed: &[f64], rule: Rule) -> Option<Vec<u32>> {
    let total: i64 = weights.iter().sum();
    let price = total * UNITS;
    // Whoever left took credit or debt along: the others settle it by their weights.
    let sum: f64 = owed.iter().sum();
    let mut credits: Vec<i64> = (weights.iter().zip(owed))
        .map(|(&weight, owed)| ((owed * total as f64 - sum * weight as f64) * UNITS as f64) as i64)
        .collect();
    let mut left = weights.to_vec();
    let mut turns = Vec::with_capacity(usize::try_from(total).ok()?);
    for _ in 0..total {
        let mut next: Option<usize> = None;
        for (member, &weight) in weights.iter().enumerate() {
            credits[member] += weight * UNITS;
            if left[member] == 0 {
                continue;
            }
            let credit = credits[member];
            let sooner = next.is_none_or(|best| match rule {
                Rule::MostCredit => credit > credits[best],
                Rule::EarliestDeadline => match (credit > 0, credits[best] > 0) {
                    (true, true) => {
                        (price - credit) * weights[best] < (price - credits[best]) * weight
                    }
                    (entitled, other) => entitled && !other,
                },
            });
            if sooner {
                next = Some(member);
            }
        }
        let next = next?;
        credits[next] -= price;
        left[next] -= 1;
        turns.push(u32::try_from(next).ok()?);
        if rule == Rule::MostCredit && credits.iter().any(|credit| credit.abs() > price) {
            return None;
        }
    }
    Some(turns)
}

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
