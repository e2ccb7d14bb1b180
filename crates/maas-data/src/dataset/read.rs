use maas_core::{Moments, Statistics, TensorSpec};
use ndarray::ArrayView2;

use super::{Dataset, first_numbers};
use crate::{Input, Targets};

/// What a data set holds.
impl Dataset {
    /// How many rows there are, at least one.
    ///
    /// ```
    /// # use {maas_data::Dataset, ndarray::array};
    /// let data = Dataset::new(array![[1.0_f32], [2.0]].view(), array![[1.0_f32], [2.0]].view())?;
    /// assert_eq!(data.rows(), 2);
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn rows(&self) -> usize {
        self.targets.rows()
    }

    /// The inputs.
    ///
    /// ```
    /// # use {maas_data::Dataset, ndarray::array};
    /// let data = Dataset::new(array![[1.0_f32]].view(), array![[1.0_f32]].view())?;
    /// assert_eq!(data.inputs()[0].name(), "x");
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn inputs(&self) -> &[Input] {
        &self.inputs
    }

    /// What is to be learnt.
    ///
    /// ```
    /// # use {maas_data::{Dataset, Targets}, ndarray::array};
    /// let data = Dataset::new(array![[1.0_f32]].view(), array![[5.0_f32]].view())?;
    /// assert_eq!(*data.targets(), Targets::Values { width: 1, data: vec![5.0] });
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn targets(&self) -> &Targets {
        &self.targets
    }

    /// What a network that takes these data says about its inputs.
    ///
    /// ```
    /// # use {maas_data::Dataset, ndarray::array};
    /// let data = Dataset::new(array![[1.0_f32, 2.0]].view(), array![[5.0_f32]].view())?;
    /// assert_eq!(data.features()[0].row_elements(), Some(2));
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn features(&self) -> Vec<TensorSpec> {
        self.inputs.iter().map(Input::spec).collect()
    }

    /// What the columns of [`Dataset::x`] are called: as in the file, else `x0`, `x1`, …
    ///
    /// ```
    /// # use {maas_data::Dataset, ndarray::array};
    /// let data = Dataset::new(array![[1.0_f32, 2.0]].view(), array![[5.0_f32]].view())?;
    /// assert_eq!(data.feature_names(), ["x0", "x1"]);
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn feature_names(&self) -> &[String] {
        &self.names.features
    }

    /// What the target's columns are called: as in the file, else `y`, or `y0`, `y1`, …
    ///
    /// ```
    /// # use {maas_data::Dataset, ndarray::array};
    /// let data = Dataset::new(array![[1.0_f32]].view(), array![[5.0_f32]].view())?;
    /// assert_eq!(data.target_names(), ["y"]);
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn target_names(&self) -> &[String] {
        &self.names.targets
    }

    /// What the classes are called in the order of their numbers, if they have names.
    ///
    /// ```
    /// # use {maas_data::Dataset, ndarray::array};
    /// let data = Dataset::classification(array![[1.0_f32]].view(), &[0], ["red"])?;
    /// assert_eq!(data.class_labels().unwrap(), ["red"]);
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn class_labels(&self) -> Option<&[String]> {
        self.names.labels.as_deref()
    }

    /// The first input of numbers as rows × values; of no columns when all inputs are integers.
    ///
    /// ```
    /// # use {maas_data::Dataset, ndarray::array};
    /// let data = Dataset::new(array![[1.0_f32, 2.0]].view(), array![[5.0_f32]].view())?;
    /// assert_eq!(data.x(), array![[1.0, 2.0]]);
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn x(&self) -> ArrayView2<'_, f32> {
        let (values, width) = first_numbers(&self.inputs).unwrap_or((&[], 0));
        rows_of(self.rows(), width, values)
    }

    /// The target numbers as rows × values; of no columns for a classification, which has [`Dataset::labels`].
    ///
    /// ```
    /// # use {maas_data::Dataset, ndarray::array};
    /// let data = Dataset::new(array![[1.0_f32]].view(), array![[5.0_f32]].view())?;
    /// assert_eq!(data.y(), array![[5.0]]);
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn y(&self) -> ArrayView2<'_, f32> {
        match &self.targets {
            Targets::Values { width, data } => rows_of(self.rows(), *width, data),
            Targets::Labels { .. } | Targets::Unknown { .. } => rows_of(self.rows(), 0, &[]),
        }
    }

    /// The class of each row, if this is a classification.
    ///
    /// ```
    /// # use {maas_data::Dataset, ndarray::array};
    /// let data = Dataset::classification(array![[1.0_f32], [2.0]].view(), &[1, 0], 2)?;
    /// assert_eq!(data.labels(), Some(&[1, 0][..]));
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn labels(&self) -> Option<&[u32]> {
        match &self.targets {
            Targets::Values { .. } | Targets::Unknown { .. } => None,
            Targets::Labels { data, .. } => Some(data),
        }
    }

    /// The mean and the deviation of each column of [`Dataset::x`] and, in a regression, of the target.
    ///
    /// ```
    /// # use {maas_data::Dataset, ndarray::array};
    /// let data = Dataset::new(array![[1.0_f32], [3.0]].view(), array![[5.0_f32], [9.0]].view())?;
    /// let statistics = data.statistics();
    /// assert_eq!((statistics.features.mean()[0], statistics.targets.unwrap().deviation()[0]), (2.0, 2.0));
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn statistics(&self) -> Statistics {
        let moments = |width, values: &[f32]| {
            Moments::of_rows(width, values).expect("a data set holds whole rows of finite numbers")
        };
        let (values, width) = first_numbers(&self.inputs).unwrap_or((&[], 0));
        Statistics {
            features: moments(width, values),
            targets: match &self.targets {
                Targets::Values { width, data } => Some(moments(*width, data)),
                Targets::Labels { .. } | Targets::Unknown { .. } => None,
            },
        }
    }
}

impl From<&Dataset> for Statistics {
    fn from(data: &Dataset) -> Self {
        data.statistics()
    }
}

fn rows_of(rows: usize, width: usize, values: &[f32]) -> ArrayView2<'_, f32> {
    ArrayView2::from_shape((rows, width), values).expect("a data set holds whole rows")
}
