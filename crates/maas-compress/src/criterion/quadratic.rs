//! Quadratic forms in double precision: what second-order pruning computes with.

use ndarray::Array2;

/// A symmetric matrix of n × n, positive definite where it is factored.
#[derive(Clone, Debug)]
pub(super) struct Quadratic {
    n: usize,
    elements: Vec<f64>,
}

impl Quadratic {
    /// XᵀX + λI, with λ = `damping` · the mean of the diagonal, or `damping` where that is zero.
    pub(super) fn of_inputs(inputs: &Array2<f32>, damping: f64) -> Self {
        let n = inputs.ncols();
        let mut elements = vec![0.0; n * n];
        let mut row = vec![0.0; n];
        for input in inputs.rows() {
            row.iter_mut()
                .zip(input)
                .for_each(|(to, &from)| *to = f64::from(from));
            for (i, &x) in row.iter().enumerate().filter(|&(_, &x)| x != 0.0) {
                let sums = elements[i * n + i..(i + 1) * n].iter_mut();
                sums.zip(&row[i..]).for_each(|(sum, y)| *sum += x * y);
            }
        }
        let trace: f64 = (0..n).map(|i| elements[i * n + i]).sum();
        let scale = if trace > 0.0 { trace / n as f64 } else { 1.0 };
        for i in 0..n {
            elements[i * n + i] += damping * scale;
            for j in 0..i {
                elements[i * n + j] = elements[j * n + i];
            }
        }
        Self { n, elements }
    }

    pub(super) fn row(&self, i: usize) -> &[f64] {
        &self.elements[i * self.n..][..self.n]
    }

    /// The rows and columns of these numbers.
    pub(super) fn part(&self, numbers: &[usize]) -> Self {
        let rows = numbers.iter().map(|&i| self.row(i));
        let elements = rows.flat_map(|row| numbers.iter().map(|&j| row[j]));
        Self {
            n: numbers.len(),
            elements: elements.collect(),
        }
    }

    /// A lower triangle L with LLᵀ = the matrix; none when that is not positive definite.
    pub(super) fn cholesky(mut self) -> Option<Triangle> {
        let n = self.n;
        for i in 0..n {
            let (before, rest) = self.elements.split_at_mut(i * n);
            let row = &mut rest[..n];
            for j in 0..i {
                let other = &before[j * n..][..n];
                row[j] = (row[j] - dot(&row[..j], &other[..j])) / other[j];
            }
            let square = row[i] - dot(&row[..i], &row[..i]);
            if square.is_nan() || square <= 0.0 {
                return None;
            }
            row[i] = square.sqrt();
        }
        Some(Triangle {
            n,
            elements: self.elements,
        })
    }
}

/// A factor of Cholesky's: only what is on and below the diagonal is looked at.
#[derive(Clone, Debug)]
pub(super) struct Triangle {
    n: usize,
    elements: Vec<f64>,
}

impl Triangle {
    /// x with LLᵀx = b, in the place of b.
    pub(super) fn solve(&self, b: &mut [f64]) {
        let row = |i: usize| &self.elements[i * self.n..][..self.n];
        for i in 0..self.n {
            b[i] = (b[i] - dot(&row(i)[..i], &b[..i])) / row(i)[i];
        }
        for i in (0..self.n).rev() {
            b[i] /= row(i)[i];
            let x = b[i];
            b[..i].iter_mut().zip(row(i)).for_each(|(b, l)| *b -= l * x);
        }
    }

    /// (LLᵀ)⁻¹.
    pub(super) fn inverse(&self) -> Quadratic {
        let n = self.n;
        let mut elements = vec![0.0; n * n];
        for (i, row) in elements.chunks_exact_mut(n.max(1)).enumerate() {
            row[i] = 1.0;
            self.solve(row);
        }
        Quadratic { n, elements }
    }
}

/// How much the form grows when the variables are set to zero one by one, each time the one that costs least while all
/// others make up for it: for each variable the largest cost up to its turn, and never that of another.
///
/// `inverse` is that of the form at its minimum `weights`; what is left of both is of no use afterwards.
pub(super) fn elimination_costs(mut inverse: Quadratic, weights: &mut [f64]) -> Vec<f32> {
    let n = inverse.n;
    let mut names: Vec<usize> = (0..n).collect();
    let mut costs = vec![0.0; n];
    let mut pivot = vec![0.0; n];
    let mut highest = f32::NEG_INFINITY;
    for left in (1..=n).rev() {
        let cost = |i: usize| weights[i] * weights[i] / inverse.elements[i * n + i];
        let cheaper = |a: &usize, b: &usize| {
            let by_cost = cost(*a).total_cmp(&cost(*b));
            by_cost.then(names[*a].cmp(&names[*b]))
        };
        let least = (0..left).min_by(cheaper).expect("one is left");
        highest = (cost(least) as f32).max(highest.next_up());
        costs[names[least]] = highest;

        // What goes is exchanged with the last one, so that what stays lies in front.
        let last = left - 1;
        names.swap(least, last);
        weights.swap(least, last);
        for row in inverse.elements.chunks_exact_mut(n).take(left) {
            row.swap(least, last);
        }
        let (first, second) = inverse.elements.split_at_mut(last * n);
        if least < last {
            first[least * n..][..left].swap_with_slice(&mut second[..left]);
        }
        pivot[..left].copy_from_slice(&second[..left]);
        let (diagonal, gone) = (pivot[last], weights[last]);
        let rows = first.chunks_exact_mut(n).zip(&mut *weights);
        for ((row, weight), &p) in rows.zip(&pivot[..last]) {
            let factor = p / diagonal;
            let elements = row[..last].iter_mut().zip(&pivot[..last]);
            elements.for_each(|(element, p)| *element -= factor * p);
            *weight -= factor * gone;
        }
    }
    costs
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn form(n: usize, seed: u64) -> Quadratic {
        let inputs = Array2::from_shape_fn((2 * n, n), |(row, column)| {
            let random = maas_core::Seed(seed).derive((row * n + column) as u64);
            (random.0 >> 40) as f32 / (1 << 23) as f32 - 1.0
        });
        Quadratic::of_inputs(&inputs, 0.01)
    }

    /// (v − w)ᵀ H (v − w) at its least over all v that are zero where `zero` says so.
    fn least(form: &Quadratic, w: &[f64], zero: &[bool]) -> f64 {
        let kept: Vec<usize> = (0..w.len()).filter(|&i| !zero[i]).collect();
        let gone = |row: &[f64]| -> f64 {
            (0..w.len())
                .filter(|&j| zero[j])
                .map(|j| row[j] * w[j])
                .sum()
        };
        let mut change: Vec<f64> = kept.iter().map(|&i| gone(form.row(i))).collect();
        form.part(&kept).cholesky().unwrap().solve(&mut change);
        let mut d: Vec<f64> = w.iter().map(|w| -w).collect();
        kept.iter()
            .zip(change)
            .for_each(|(&i, change)| d[i] = change);
        (0..w.len()).map(|i| d[i] * dot(form.row(i), &d)).sum()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn an_inverse_undoes_its_matrix(n in 1_usize..12, seed: u64) {
            let form = form(n, seed);
            let inverse = form.clone().cholesky().unwrap().inverse();
            for i in 0..n {
                for j in 0..n {
                    let expected = f64::from(u8::from(i == j));
                    prop_assert!((dot(form.row(i), inverse.row(j)) - expected).abs() < 1e-9);
                }
            }
        }

        /// Greedy elimination with exact updates costs what a fresh minimum over what is left costs.
        #[test]
        fn costs_are_those_of_fresh_minima(n in 2_usize..9, seed: u64) {
            let form = form(n, seed);
            let w: Vec<f64> = (0..n).map(|i| form.row(i)[(i + 1) % n] / 3.0 + 0.1).collect();
            let inverse = form.clone().cholesky().unwrap().inverse();
            let costs = elimination_costs(inverse, &mut w.clone());
            let mut order: Vec<usize> = (0..n).collect();
            order.sort_by(|&a, &b| costs[a].total_cmp(&costs[b]));
            let (mut zero, mut before, mut highest) = (vec![false; n], 0.0, 0.0_f64);
            for &gone in &order {
                let cost_of = |i: usize| {
                    let mut zero = zero.clone();
                    zero[i] = true;
                    least(&form, &w, &zero)
                };
                let cheapest = (0..n).filter(|&i| !zero[i]).map(cost_of).fold(f64::INFINITY, f64::min);
                let now = cost_of(gone);
                prop_assert!(now <= cheapest * (1.0 + 1e-6) + 1e-9);
                highest = highest.max(now - before);
                prop_assert!((f64::from(costs[gone]) - highest).abs() <= 1e-4 * highest + 1e-6);
                zero[gone] = true;
                before = now;
            }
        }
    }
}
