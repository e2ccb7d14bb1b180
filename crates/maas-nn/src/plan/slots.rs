/// Numbered places for values of different widths, given out again once free.
#[derive(Debug, Default)]
pub(crate) struct Slots {
    widths: Vec<usize>,
    free: Vec<usize>,
}

impl Slots {
    /// A place of its own for `width` numbers a row.
    pub(crate) fn take_new(&mut self, width: usize) -> usize {
        self.widths.push(width);
        self.widths.len() - 1
    }

    /// A place for `width` numbers a row: the tightest free one, or else the widest one, widened.
    pub(crate) fn take(&mut self, width: usize) -> usize {
        let fits = |&&slot: &&usize| self.widths[slot] >= width;
        let tightest = self
            .free
            .iter()
            .filter(fits)
            .min_by_key(|&&slot| self.widths[slot]);
        let chosen = tightest
            .or_else(|| self.free.iter().max_by_key(|&&slot| self.widths[slot]))
            .copied();
        match chosen {
            None => self.take_new(width),
            Some(slot) => {
                self.free.retain(|&free| free != slot);
                self.widths[slot] = self.widths[slot].max(width);
                slot
            }
        }
    }

    pub(crate) fn give_back(&mut self, slot: usize) {
        self.free.push(slot);
    }

    pub(crate) fn widths(self) -> Vec<usize> {
        self.widths
    }
}
