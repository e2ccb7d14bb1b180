//! The forms that numbers may be written in.

use super::array::Array;
use super::coder::Coder;
use super::fault::FileFault;
use super::floats::{MANTISSA, floats, precision};
use super::grid::{Grid, LEVELS};
use super::symbols::Symbols;

/// How numbers are written.
#[derive(Clone, Debug)]
pub(super) enum Form {
    /// All bits as they are.
    Raw,
    /// Exponents as they are likely, and as many bits of the mantissas as there are.
    Floats,
    /// The different numbers, ascending, and the place of each among them.
    Palette(Part),
    /// A scale for each column, and a whole number for each number.
    Grid(u32, Part),
}

/// An array that a form needs, in a form of its own.
#[derive(Clone, Debug)]
pub(super) struct Part {
    array: Array,
    form: Box<Form>,
}

/// The numbers that are there, in order, with the column of each.
#[derive(Debug)]
pub(super) struct List {
    pub(super) numbers: Vec<f32>,
    pub(super) columns: Vec<usize>,
    pub(super) width: usize,
}

/// How deep arrays may lie in arrays: a palette of the scales of a grid.
const DEPTH: u32 = 2;

/// The most numbers of a palette.
const PALETTE: usize = 1 << 16;

/// Leading bits of places in a palette that are learnt.
const PALETTE_LEARNT: u32 = 8;

/// Leading bits of codes that are learnt: codes close to one another are about as likely.
const GRID_LEARNT: u32 = 6;

impl Form {
    /// The forms that this list can be written in.
    pub(super) fn possible(list: &List, depth: u32) -> Vec<Self> {
        let mut forms = vec![Self::Raw, Self::Floats];
        if depth < DEPTH {
            forms.extend(Self::palette(list, depth));
            forms.extend(Self::grid(list, depth));
        }
        forms
    }

    fn palette(list: &List, depth: u32) -> Option<Self> {
        let mut palette = list.numbers.clone();
        palette.sort_unstable_by(f32::total_cmp);
        palette.dedup_by_key(|number| number.to_bits());
        let short = (1..=PALETTE.min(list.numbers.len() / 2)).contains(&palette.len());
        short.then(|| Self::Palette(Part::new(palette, depth)))
    }

    fn grid(list: &List, depth: u32) -> Option<Self> {
        let numbers = list.numbers.iter().zip(&list.columns);
        let grid = Grid::of(
            &numbers.map(|(&number, &column)| (column, number)),
            list.width,
        )?;
        let used = list.used();
        let scales = grid.scales.into_iter().zip(used);
        let scales = scales.filter_map(|(scale, used)| used.then_some(scale));
        Some(Self::Grid(grid.levels, Part::new(scales.collect(), depth)))
    }

    /// Whether zeros are written as all other numbers.
    pub(super) fn has_zeros(&self) -> bool {
        matches!(self, Self::Raw)
    }

    /// Codes which form it is.
    pub(super) fn choose(&mut self, coder: &mut impl Coder, depth: u32) -> Result<(), FileFault> {
        let given = match self {
            Self::Raw => 0,
            Self::Floats => 1,
            Self::Palette(_) => 2,
            Self::Grid(..) => 3,
        };
        let found = coder.even(2, given);
        if found != given {
            *self = match found {
                0 => Self::Raw,
                1 => Self::Floats,
                2 => Self::Palette(Part::blank()),
                _ => Self::Grid(0, Part::blank()),
            };
        }
        match self {
            Self::Palette(_) | Self::Grid(..) if depth == DEPTH => {
                Err(FileFault::Depth { expected: DEPTH })
            }
            _ => Ok(()),
        }
    }

    /// Codes the numbers.
    pub(super) fn code(
        &mut self,
        coder: &mut impl Coder,
        list: &mut List,
        depth: u32,
    ) -> Result<(), FileFault> {
        match self {
            Self::Raw => {
                for number in &mut list.numbers {
                    *number = f32::from_bits(coder.number(u32::BITS, number.to_bits()));
                }
            }
            Self::Floats => {
                let needed = precision(&list.numbers);
                let precision = coder.even(5, needed).min(MANTISSA);
                floats(coder, &mut list.numbers, precision);
            }
            Self::Palette(part) => {
                let found = coder.length(part.array.numbers.len() as u32) as usize;
                let expected = PALETTE.min(list.numbers.len());
                if found == 0 || found > expected {
                    return Err(FileFault::Palette { expected, found });
                }
                part.code(coder, found, depth)?;
                let palette = &part.array.numbers;
                let bits = usize::BITS - (palette.len() - 1).leading_zeros();
                let mut symbols = Symbols::new(bits, PALETTE_LEARNT, list.width);
                for (number, &column) in list.numbers.iter_mut().zip(&list.columns) {
                    let place = palette.partition_point(|one| one.total_cmp(number).is_lt());
                    let place = symbols.code(coder, column, place as u32) as usize;
                    *number = *palette.get(place).ok_or(FileFault::Place {
                        expected: palette.len(),
                        found: place,
                    })?;
                }
            }
            Self::Grid(levels, part) => {
                *levels = coder.length(*levels);
                if *levels > LEVELS {
                    return Err(FileFault::Levels {
                        expected: LEVELS,
                        found: *levels,
                    });
                }
                let used = list.used();
                part.code(coder, used.iter().filter(|&&used| used).count(), depth)?;
                let mut scales = part.array.numbers.iter();
                let scales = used.into_iter().map(|used| match used {
                    true => scales.next().copied().unwrap_or(1.0),
                    false => 1.0,
                });
                let grid = Grid {
                    scales: scales.collect(),
                    levels: *levels,
                };
                let bits = u32::BITS - (2 * *levels).leading_zeros();
                let mut symbols = Symbols::new(bits, GRID_LEARNT, list.width);
                for (number, &column) in list.numbers.iter_mut().zip(&list.columns) {
                    let code = grid.code(column, *number) + *levels as i32;
                    let code = symbols.code(coder, column, code as u32);
                    *number = grid.number(column, code as i32 - *levels as i32);
                }
            }
        }
        Ok(())
    }
}

impl Part {
    /// The shortest form of numbers that an array at this depth needs.
    fn new(numbers: Vec<f32>, depth: u32) -> Self {
        let array = Array::new(numbers, 1);
        let form = Box::new(array.shortest(depth + 1));
        Self { array, form }
    }

    fn blank() -> Self {
        Self {
            array: Array::new(Vec::new(), 1),
            form: Box::new(Form::Raw),
        }
    }

    fn code(&mut self, coder: &mut impl Coder, length: usize, depth: u32) -> Result<(), FileFault> {
        self.array.numbers.resize(length, 0.0);
        self.array.code(coder, &mut self.form, depth + 1)
    }
}

impl List {
    /// Which columns have numbers.
    fn used(&self) -> Vec<bool> {
        let mut used = vec![false; self.width];
        self.columns.iter().for_each(|&column| used[column] = true);
        used
    }
}
