use maas_core::Seed;

use crate::split::check_fractions;
use crate::{Dataset, Error, Split};

impl Dataset {
    /// The rows in random parts, as [`Dataset::split`], in which each class has its share: its fraction of the rows of
    /// the class, rounded up or down, and at least one.
    ///
    /// # Errors
    /// [`Error::Fractions`]; [`Error::NotAClassification`]; [`Error::TooFewOfClass`] for a class with so few rows that
    /// a part would have none.
    ///
    /// ```
    /// # use {maas_core::Seed, maas_data::{Dataset, Error}, ndarray::Array2};
    /// let labels: Vec<u32> = (0..100).map(|row| u32::from(row % 10 == 0)).collect();
    /// let data = Dataset::classification(Array2::zeros((100, 1)).view(), &labels, ["healthy", "ill"])?;
    /// let split = data.stratified_split([0.6, 0.2, 0.2], Seed(7))?;
    /// assert_eq!(split.test.class_counts()?, [18, 2]);
    ///
    /// let error = data.select(&[0, 1, 2, 3])?.stratified_split([0.6, 0.2, 0.2], Seed(7)).unwrap_err();
    /// assert_eq!(error.to_string(), "class `ill` has 1 rows: too few to have some in each of 3 parts");
    /// # Ok::<(), Error>(())
    /// ```
    pub fn stratified_split(&self, fractions: [f64; 3], seed: Seed) -> Result<Split, Error> {
        let [train, validation, test] = self.stratify(fractions, seed)?;
        Ok(Split {
            train,
            validation,
            test,
        })
    }

    /// The rows in two random parts, as [`Dataset::split_off`], in which each class has its share, as in
    /// [`Dataset::stratified_split`].
    ///
    /// # Errors
    /// Those of [`Dataset::stratified_split`].
    ///
    /// ```
    /// # use {maas_core::Seed, maas_data::{Dataset, Error}, ndarray::Array2};
    /// let data = Dataset::classification(Array2::zeros((8, 1)).view(), &[0, 1, 1, 1, 0, 0, 0, 1], 2)?;
    /// let (train, test) = data.stratified_split_off(0.25, Seed(7))?;
    /// assert_eq!((train.class_counts()?, test.class_counts()?), (vec![3, 3], vec![1, 1]));
    /// # Ok::<(), Error>(())
    /// ```
    pub fn stratified_split_off(&self, fraction: f64, seed: Seed) -> Result<(Self, Self), Error> {
        let [first, second] = self.stratify([1.0 - fraction, fraction], seed)?;
        Ok((first, second))
    }

    fn stratify<const PARTS: usize>(
        &self,
        fractions: [f64; PARTS],
        seed: Seed,
    ) -> Result<[Self; PARTS], Error> {
        check_fractions(&fractions)?;
        let strata = self.strata(1, PARTS)?;
        let mut owed = [0.0; PARTS];
        let mut shares = Vec::with_capacity(strata.len());
        for (class, &count) in strata.iter().enumerate() {
            let share = share(&fractions, count, &mut owed);
            shares.push(share.ok_or_else(|| self.too_few(class, count, PARTS))?);
        }
        let labels = self.labels().unwrap_or_default();
        let mut parts = [const { Vec::new() }; PARTS];
        for row in self.order(seed) {
            let share = &mut shares[labels[row] as usize];
            if let Some(part) = share.iter().position(|&left| left > 0) {
                share[part] -= 1;
                parts[part].push(row);
            }
        }
        Ok(parts.map(|rows| self.gather(&rows)))
    }
}

/// How many of `count` rows each part gets: its fraction rounded down or up, at least one. Who is rounded up is
/// decided by what the parts are owed from the classes before, so that the parts keep their sizes too.
fn share<const PARTS: usize>(
    fractions: &[f64; PARTS],
    count: usize,
    owed: &mut [f64; PARTS],
) -> Option<[usize; PARTS]> {
    let exact = fractions.map(|fraction| fraction * count as f64);
    // What is whole but for rounding is whole.
    let mut share = exact.map(|exact| (exact + 1e-9) as usize);
    let whole =
        std::array::from_fn::<_, PARTS, _>(|part| (exact[part] - share[part] as f64).abs() < 1e-9);
    for share in &mut share {
        *share = (*share).max(1);
    }
    let mut left = count.checked_sub(share.iter().sum())?;
    for part in 0..PARTS {
        owed[part] += exact[part] - share[part] as f64;
    }
    let mut rounded_up = [false; PARTS];
    while left > 0 {
        let part = (0..PARTS)
            .filter(|&part| !rounded_up[part] && !whole[part] && exact[part] >= 1.0)
            .max_by(|&a, &b| owed[a].total_cmp(&owed[b]))?;
        rounded_up[part] = true;
        share[part] += 1;
        owed[part] -= 1.0;
        left -= 1;
    }
    Some(share)
}
