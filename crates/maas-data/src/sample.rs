use maas_core::Seed;

use crate::shuffle::{below, generator};
use crate::{Dataset, Error, Shuffle};

/// In which order the rows of a data set are gone through, epoch by epoch.
///
/// ```
/// use maas_core::Seed;
/// use maas_data::{RowOrder, Shuffle};
/// let order: Box<dyn RowOrder> = Box::new(Shuffle::new(Seed(7)));
/// let mut rows = [0; 3];
/// order.fill(0, &mut rows);
/// ```
pub trait RowOrder: std::fmt::Debug + Send + Sync {
    /// Fills `order` with numbers of rows for this epoch; they depend on the epoch and the length alone. It allocates
    /// nothing.
    fn fill(&self, epoch: u64, order: &mut [u32]);
}

impl RowOrder for Shuffle {
    fn fill(&self, epoch: u64, order: &mut [u32]) {
        Self::fill(self, epoch, order);
    }
}

/// Rows drawn at random with replacement, each in proportion to its weight: against classes of unequal size.
///
/// A draw takes the same time whatever the number of rows (Vose, *A linear algorithm for generating random numbers with
/// a given distribution*, IEEE Transactions on Software Engineering 17(9), 1991).
///
/// ```
/// use maas_core::Seed;
/// use maas_data::WeightedSampler;
///
/// let sampler = WeightedSampler::new(&[0.0, 3.0, 1.0], Seed(7))?;
/// let mut order = [0; 1000];
/// sampler.fill(0, &mut order);
/// let ones = order.iter().filter(|&&row| row == 1).count();
/// assert!((700..800).contains(&ones) && !order.contains(&0));
/// # Ok::<(), maas_data::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct WeightedSampler {
    seed: Seed,
    /// The probability that a row drawn uniformly is kept, and the row taken instead.
    columns: Vec<(f64, u32)>,
}

impl WeightedSampler {
    /// A sampler of as many rows as there are weights.
    ///
    /// # Errors
    /// [`Error::NoRows`], [`Error::TooManyRows`]; [`Error::BadWeight`] with the row of a weight that is negative, NaN or
    /// infinite; [`Error::NoWeight`] when all are 0.
    ///
    /// ```
    /// use {maas_core::Seed, maas_data::{Error, WeightedSampler}};
    /// assert!(matches!(WeightedSampler::new(&[1.0, -1.0], Seed(7)), Err(Error::BadWeight { row: 1, .. })));
    /// ```
    pub fn new(weights: &[f32], seed: Seed) -> Result<Self, Error> {
        if weights.is_empty() {
            return Err(Error::NoRows);
        }
        if u32::try_from(weights.len()).is_err() {
            return Err(Error::TooManyRows {
                found: weights.len(),
            });
        }
        crate::dataset::check_weights(weights)?;
        let total: f64 = weights.iter().map(|&weight| f64::from(weight)).sum();
        let scale = weights.len() as f64 / total;
        let mut columns: Vec<(f64, u32)> = (0..)
            .zip(weights)
            .map(|(row, &weight)| (f64::from(weight) * scale, row))
            .collect();
        let (mut small, mut large): (Vec<u32>, Vec<u32>) =
            (0..columns.len() as u32).partition(|&row| columns[row as usize].0 < 1.0);
        while let (Some(&giver), Some(taker)) = (large.last(), small.pop()) {
            let (taker, from) = (taker as usize, giver as usize);
            columns[taker].1 = giver;
            columns[from].0 -= 1.0 - columns[taker].0;
            if columns[from].0 < 1.0 {
                large.pop();
                small.push(giver);
            }
        }
        // What is left is 1 but for rounding, unless it may not be drawn at all.
        let heaviest = heaviest(weights);
        for row in small.into_iter().chain(large) {
            columns[row as usize] = match weights[row as usize] {
                0.0 => (0.0, heaviest),
                _ => (1.0, row),
            };
        }
        Ok(Self { seed, columns })
    }

    /// Every class is drawn equally often: the weights are [`Dataset::balanced_class_weights`], times those that the
    /// rows have already.
    ///
    /// # Errors
    /// [`Error::NotAClassification`].
    ///
    /// ```
    /// # use {maas_core::Seed, maas_data::{Dataset, WeightedSampler}, ndarray::Array2};
    /// let data = Dataset::classification(Array2::zeros((5, 1)).view(), &[0, 0, 0, 0, 1], 2)?;
    /// let sampler = WeightedSampler::balanced(&data, Seed(7))?;
    /// let mut order = [0; 1000];
    /// sampler.fill(0, &mut order);
    /// assert!((450..550).contains(&order.iter().filter(|&&row| row == 4).count()));
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn balanced(data: &Dataset, seed: Seed) -> Result<Self, Error> {
        let weights = data.weights_by_class(&data.balanced_class_weights()?)?;
        Self::new(&weights, seed)
    }

    /// Fills `order` with rows drawn for this epoch. It allocates nothing.
    ///
    /// ```
    /// # use {maas_core::Seed, maas_data::WeightedSampler};
    /// let mut order = [7; 4];
    /// WeightedSampler::new(&[0.0, 1.0], Seed(7))?.fill(0, &mut order);
    /// assert_eq!(order, [1; 4]);
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn fill(&self, epoch: u64, order: &mut [u32]) {
        let mut random = generator(self.seed.derive(SAMPLES).derive(epoch));
        for slot in order {
            let column = below(&mut random, self.columns.len());
            let (kept, instead) = self.columns[column];
            let uniform = below(&mut random, 1 << 53) as f64 / (1_u64 << 53) as f64;
            *slot = if uniform < kept {
                column as u32
            } else {
                instead
            };
        }
    }
}

impl RowOrder for WeightedSampler {
    fn fill(&self, epoch: u64, order: &mut [u32]) {
        Self::fill(self, epoch, order);
    }
}

impl Dataset {
    /// All rows and, of each class that has fewer than the largest one, further copies until it has as many: whole
    /// rounds of its rows, then some drawn without replacement. The copies come behind the rows.
    ///
    /// # Errors
    /// [`Error::NotAClassification`]; [`Error::TooManyRows`].
    ///
    /// ```
    /// # use {maas_core::Seed, maas_data::Dataset, ndarray::Array2};
    /// let data = Dataset::classification(Array2::zeros((4, 1)).view(), &[0, 0, 0, 1], 2)?;
    /// assert_eq!(data.oversampled(Seed(7))?.class_counts()?, [3, 3]);
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn oversampled(&self, seed: Seed) -> Result<Self, Error> {
        let counts = self.class_counts()?;
        let most = counts.iter().copied().max().unwrap_or(0);
        let mut of_class: Vec<Vec<usize>> = counts.iter().map(|&n| Vec::with_capacity(n)).collect();
        let labels = self.labels().unwrap_or_default();
        for row in self.order(seed.derive(SAMPLES)) {
            of_class[labels[row] as usize].push(row);
        }
        let copies = of_class
            .iter()
            .flat_map(|rows| rows.iter().cycle().take(most.saturating_sub(rows.len())));
        let rows: Vec<usize> = (0..self.rows()).chain(copies.copied()).collect();
        self.select(&rows)
    }

    /// So many rows drawn by a sampler, with replacement.
    ///
    /// # Errors
    /// [`Error::NoRows`] for none; [`Error::NoSuchRow`] when the sampler was made for more rows.
    ///
    /// ```
    /// # use {maas_core::Seed, maas_data::{Dataset, WeightedSampler}, ndarray::Array2};
    /// let data = Dataset::classification(Array2::zeros((4, 1)).view(), &[0, 0, 0, 1], 2)?;
    /// let drawn = data.sampled(1000, &WeightedSampler::balanced(&data, Seed(7))?)?;
    /// assert!((450..550).contains(&drawn.class_counts()?[1]));
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn sampled(&self, rows: usize, sampler: &WeightedSampler) -> Result<Self, Error> {
        let mut order = vec![0; rows];
        sampler.fill(0, &mut order);
        let rows: Vec<usize> = order.into_iter().map(|row| row as usize).collect();
        self.select(&rows)
    }
}

fn heaviest(weights: &[f32]) -> u32 {
    let row = (0..weights.len()).max_by(|&a, &b| weights[a].total_cmp(&weights[b]));
    row.unwrap_or(0) as u32
}

/// A stream apart from the orders that a shuffle of the same seed has.
const SAMPLES: u64 = u64::from_be_bytes(*b"samples\0");
