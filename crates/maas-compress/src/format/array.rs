//! An array of numbers: which of them are there, and what they are.

use super::coder::{Coder, Decoder, Encoder};
use super::fault::FileFault;
use super::form::{Form, List};
use super::plane::Plane;

/// Numbers row by row, with the mask that they may have.
#[derive(Clone, Debug)]
pub(super) struct Array {
    pub(super) numbers: Vec<f32>,
    pub(super) columns: usize,
    pub(super) mask: Option<Vec<bool>>,
}

impl Array {
    /// Numbers without a mask.
    pub(super) fn new(numbers: Vec<f32>, columns: usize) -> Self {
        Self {
            numbers,
            columns,
            mask: None,
        }
    }

    /// Writes the array in the form that takes the fewest bytes, the first of them where several do.
    pub(super) fn write(mut self, encoder: &mut Encoder) {
        let mut form = self.shortest(0);
        self.code(encoder, &mut form, 0)
            .expect("what is written is sound");
    }

    /// Fills numbers and mask with those of a file.
    pub(super) fn read(&mut self, decoder: &mut Decoder<'_>) -> Result<(), FileFault> {
        self.code(decoder, &mut Form::Raw, 0)
    }

    /// The form in which the numbers take the fewest bytes, with the places of the zeros that it leaves out.
    pub(super) fn shortest(&self, depth: u32) -> Form {
        let mut behind_zeros = Encoder::new();
        let nonzero = self.present(&mut behind_zeros);
        let length = |form: &Form| {
            let (mut encoder, present) = match form.has_zeros() {
                true => (Encoder::new(), &self.kept()),
                false => (behind_zeros.clone(), &nonzero),
            };
            form.clone()
                .code(&mut encoder, &mut self.list(present), depth)
                .expect("what is written is sound");
            encoder.finish().len()
        };
        Form::possible(&self.list(&self.nonzero()), depth)
            .into_iter()
            .min_by_key(length)
            .expect("an array can always be raw")
    }

    /// Codes numbers and mask, in the form that a writer gives or a reader finds.
    pub(super) fn code(
        &mut self,
        coder: &mut impl Coder,
        form: &mut Form,
        depth: u32,
    ) -> Result<(), FileFault> {
        if coder.even(1, u32::from(self.mask.is_some())) == 1 {
            let ones = self.mask.take();
            let ones = ones.unwrap_or_else(|| vec![false; self.numbers.len()]);
            self.mask = Some(self.plane(coder, ones, None));
        }
        form.choose(coder, depth)?;
        let present = match form.has_zeros() {
            true => self.kept(),
            false => self.present(coder),
        };
        let mut list = self.list(&present);
        form.code(coder, &mut list, depth)?;
        self.numbers.fill(0.0);
        let places = self.numbers.iter_mut().zip(present);
        let places = places.filter_map(|(number, present)| present.then_some(number));
        places
            .zip(list.numbers)
            .for_each(|(place, number)| *place = number);
        Ok(())
    }

    /// Codes which numbers are not +0, where the mask does not say it.
    fn present(&self, coder: &mut impl Coder) -> Vec<bool> {
        let (kept, nonzero) = (self.kept(), self.nonzero());
        match coder.even(1, u32::from(kept != nonzero)) {
            0 => kept,
            _ => self.plane(coder, nonzero, self.mask.as_deref()),
        }
    }

    /// Which numbers the mask keeps; all without one.
    fn kept(&self) -> Vec<bool> {
        let all = || vec![true; self.numbers.len()];
        self.mask.clone().unwrap_or_else(all)
    }

    fn plane(&self, coder: &mut impl Coder, ones: Vec<bool>, domain: Option<&[bool]>) -> Vec<bool> {
        let mut plane = Plane {
            ones,
            columns: self.columns,
        };
        plane.code(coder, domain);
        plane.ones
    }

    /// Which numbers are not +0.
    fn nonzero(&self) -> Vec<bool> {
        self.numbers.iter().map(|n| n.to_bits() != 0).collect()
    }

    fn list(&self, present: &[bool]) -> List {
        let places = (0..present.len()).filter(|&at| present[at]);
        List {
            numbers: places.clone().map(|at| self.numbers[at]).collect(),
            columns: places.map(|at| at % self.columns).collect(),
            width: self.columns,
        }
    }
}
