//! Numbers on a grid: a scale for each column, times whole numbers.

/// The scale of each column, and the largest magnitude of a code.
#[derive(Debug)]
pub(super) struct Grid {
    pub(super) scales: Vec<f32>,
    pub(super) levels: u32,
}

/// The most levels on each side of zero.
pub(super) const LEVELS: u32 = i16::MAX as u32;

impl Grid {
    /// The grid that all these numbers lie on, each with its column; none where there is none.
    pub(super) fn of(
        numbers: &(impl Iterator<Item = (usize, f32)> + Clone),
        columns: usize,
    ) -> Option<Self> {
        let mut lines = vec![Line::default(); columns];
        for (column, number) in numbers.clone() {
            lines[column].take(number)?;
        }
        // A column that was rounded to so many levels reaches the last of them: its scale is what it was rounded with.
        let common = lines.iter().try_fold(1, |common: u64, line| {
            let levels = line.levels.max(1);
            let common = common / divisor(common, levels) * levels;
            (common <= u64::from(LEVELS)).then_some(common)
        });
        let own = lines.iter().map(|line| line.levels).max()?;
        let grids = [
            common.map(|levels| (levels, vec![levels; columns])),
            Some((own, lines.iter().map(|line| line.levels.max(1)).collect())),
        ];
        grids.into_iter().flatten().find_map(|(levels, divisors)| {
            let scales = lines.iter().zip(divisors);
            let grid = Self {
                scales: scales
                    .map(|(line, levels)| line.largest / levels as f32)
                    .collect(),
                levels: levels as u32,
            };
            let fits = |(column, number): (usize, f32)| {
                let code = grid.code(column, number);
                code.unsigned_abs() <= grid.levels
                    && grid.number(column, code).to_bits() == number.to_bits()
            };
            numbers.clone().all(fits).then_some(grid)
        })
    }

    pub(super) fn code(&self, column: usize, number: f32) -> i32 {
        (number / self.scales[column]) as i32
    }

    pub(super) fn number(&self, column: usize, code: i32) -> f32 {
        code as f32 * self.scales[column]
    }
}

/// What the numbers of a column have in common: they are multiples of `mantissa` · 2^`exponent`.
#[derive(Clone, Debug, Default)]
struct Line {
    mantissa: u64,
    exponent: i32,
    largest: f32,
    levels: u64,
}

impl Line {
    /// Takes one more number into account; none where the column lies on no grid of few levels.
    fn take(&mut self, number: f32) -> Option<()> {
        if !number.is_normal() {
            return None;
        }
        let (mantissa, exponent) = parts(number.abs());
        if self.mantissa == 0 {
            (self.mantissa, self.exponent) = (mantissa, exponent);
        }
        let lower = exponent.min(self.exponent);
        let lift = |mantissa: u64, exponent: i32| {
            let by = (exponent - lower) as u32;
            (by < 40).then(|| mantissa << by)
        };
        let common = divisor(
            lift(self.mantissa, self.exponent)?,
            lift(mantissa, exponent)?,
        );
        let shift = common.trailing_zeros();
        (self.mantissa, self.exponent) = (common >> shift, lower + shift as i32);
        self.largest = self.largest.max(number.abs());
        let (mantissa, exponent) = parts(self.largest);
        self.levels = (mantissa << (exponent - self.exponent)) / self.mantissa;
        (self.levels <= u64::from(LEVELS)).then_some(())
    }
}

/// An odd number and the power of two to multiply it with.
fn parts(number: f32) -> (u64, i32) {
    let bits = number.to_bits();
    let mantissa = u64::from(bits & 0x7f_ffff | 0x80_0000);
    let shift = mantissa.trailing_zeros();
    (mantissa >> shift, (bits >> 23) as i32 - 150 + shift as i32)
}

/// The greatest number that divides both.
fn divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}
