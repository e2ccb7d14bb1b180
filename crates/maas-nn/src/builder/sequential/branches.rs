use super::Sequential;
use crate::{LayerSpec, Source};

/// How the values of parallel branches become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Merge {
    /// Their sum; they have one shape.
    Add,
    /// Their product, element by element; they have one shape.
    Multiply,
    /// One behind the other along the last axis; the other axes are the same.
    Concatenate,
}

/// Branches that start from one value: what the closure of [`Sequential::parallel`] adds to.
#[derive(Clone, Debug)]
#[must_use]
pub struct Parallel {
    sequential: Sequential,
    start: Source,
    ends: Vec<Source>,
}

/// Branches.
impl Sequential {
    /// y = x + f(x), where the closure describes f: a residual block (He et al., 2016). f(x) has the shape of x.
    ///
    /// ```
    /// use maas_core::Seed;
    /// use maas_nn::Sequential;
    ///
    /// let network = Sequential::rows(8)
    ///     .dense(64)
    ///     .residual(|x| x.layer_norm().dense(128).gelu().dense(64))
    ///     .dense(1)
    ///     .build(Seed(7))?;
    /// println!("{}", network.summary());
    ///
    /// // The sum needs two values of one shape.
    /// assert!(Sequential::rows(8).residual(|x| x.dense(9)).build(Seed(7)).is_err());
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn residual(self, branch: impl FnOnce(Self) -> Self) -> Self {
        let start = self.end;
        let mut after = self.branch(start, branch);
        after.end = after.graph.add(&[start, after.end]);
        after
    }

    /// Several branches from one value, and what becomes of theirs. A branch that does nothing is the value itself.
    ///
    /// ```
    /// use maas_core::Seed;
    /// use maas_nn::{Merge, Sequential};
    ///
    /// let network = Sequential::rows(8)
    ///     .parallel(Merge::Concatenate, |x| {
    ///         x.branch(|x| x.dense(16).relu()).branch(|x| x.dense(4).tanh()).branch(|x| x)
    ///     })
    ///     .dense(1)
    ///     .build(Seed(7))?;
    /// assert_eq!(network.segment("dense_2.kernel")?.shape(), [16 + 4 + 8, 1]);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn parallel(self, merge: Merge, branches: impl FnOnce(Parallel) -> Parallel) -> Self {
        let start = self.end;
        let Parallel {
            sequential: mut after,
            ends,
            ..
        } = branches(Parallel {
            sequential: self,
            start,
            ends: Vec::new(),
        });
        let layer = match merge {
            Merge::Add => LayerSpec::Add,
            Merge::Multiply => LayerSpec::Multiply,
            Merge::Concatenate => LayerSpec::Concatenate,
        };
        after.end = after.graph.push(layer, &ends);
        after
    }

    /// Lets the closure go on from `start`.
    fn branch(mut self, start: Source, branch: impl FnOnce(Self) -> Self) -> Self {
        let before = self.graph.clone();
        let foreign = self.foreign;
        self.end = start;
        let mut after = branch(self);
        after.foreign |= foreign || !after.graph.continues(&before);
        after
    }
}

impl Parallel {
    /// Adds a branch.
    ///
    /// ```
    /// use maas_core::Seed;
    /// use maas_nn::{Merge, Sequential};
    /// use ndarray::array;
    ///
    /// let network = Sequential::rows(2)
    ///     .parallel(Merge::Multiply, |x| x.branch(|x| x).branch(|x| x.relu()))
    ///     .build(Seed(7))?;
    /// assert_eq!(network.predict(&array![[-3.0, 3.0]])?, array![[0.0, 9.0]]);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn branch(mut self, branch: impl FnOnce(Sequential) -> Sequential) -> Self {
        self.sequential = self.sequential.branch(self.start, branch);
        self.ends.push(self.sequential.end);
        self
    }
}
