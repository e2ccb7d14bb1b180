use std::fmt;

use maas_core::TensorSpec;

use crate::{Dataset, Targets};

/// What every chunk of a [`Source`](crate::Source) has in common: its inputs, and the kind of its targets.
///
/// ```
/// use maas_data::{Dataset, TargetKind};
/// use ndarray::array;
///
/// let data = Dataset::classification(array![[1.0_f32, 2.0]].view(), &[2], 3)?;
/// let schema = data.schema();
/// assert_eq!(schema.features()[0].row_elements(), Some(2));
/// assert_eq!(schema.targets(), TargetKind::Labels { classes: 3 });
/// assert_eq!(schema.to_string(), "x FP32 [2] -> one of 3 classes");
/// # Ok::<(), maas_data::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schema {
    features: Vec<TensorSpec>,
    targets: TargetKind,
}

/// What kind of target each row has.
///
/// ```
/// use maas_data::TargetKind;
/// assert_eq!(TargetKind::Values { width: 1 }.to_string(), "1 value");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TargetKind {
    /// Numbers.
    Values {
        /// How many.
        width: usize,
    },
    /// The number of a class.
    Labels {
        /// How many classes there are.
        classes: usize,
    },
    /// None: the rows are to be predicted.
    Unknown,
}

impl Schema {
    /// A schema of these inputs and targets.
    ///
    /// ```
    /// use maas_core::{DType, TensorSpec};
    /// use maas_data::{Schema, TargetKind};
    /// let schema = Schema::new(TensorSpec::rows("x", DType::Fp32, &[11]), TargetKind::Values { width: 1 });
    /// assert_eq!(schema.features().len(), 1);
    /// ```
    pub fn new(features: impl Into<Vec<TensorSpec>>, targets: TargetKind) -> Self {
        Self {
            features: features.into(),
            targets,
        }
    }

    /// The inputs, as a network that takes them says it.
    ///
    /// ```
    /// # use {maas_data::Dataset, ndarray::array};
    /// let data = Dataset::new(array![[1.0_f32]].view(), array![[1.0_f32]].view())?;
    /// assert_eq!(data.schema().features(), data.features());
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn features(&self) -> &[TensorSpec] {
        &self.features
    }

    /// The kind of the targets.
    ///
    /// ```
    /// # use {maas_data::{Dataset, TargetKind}, ndarray::array};
    /// let data = Dataset::new(array![[1.0_f32]].view(), array![[1.0_f32]].view())?;
    /// assert_eq!(data.schema().targets(), TargetKind::Values { width: 1 });
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn targets(&self) -> TargetKind {
        self.targets
    }
}

impl Dataset {
    /// What these data have in common with all others of their kind.
    ///
    /// ```
    /// # use {maas_data::Dataset, ndarray::array};
    /// let data = Dataset::new(array![[1.0_f32], [2.0]].view(), array![[1.0_f32], [2.0]].view())?;
    /// assert_eq!(data.schema(), data.select(&[1])?.schema());
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn schema(&self) -> Schema {
        Schema::new(self.features(), self.targets().kind())
    }
}

impl Targets {
    /// What kind of target each row has.
    ///
    /// ```
    /// use maas_data::{TargetKind, Targets};
    /// let targets = Targets::Labels { classes: 3, data: vec![0] };
    /// assert_eq!(targets.kind(), TargetKind::Labels { classes: 3 });
    /// ```
    pub fn kind(&self) -> TargetKind {
        match self {
            Self::Values { width, .. } => TargetKind::Values { width: *width },
            Self::Labels { classes, .. } => TargetKind::Labels { classes: *classes },
            Self::Unknown { .. } => TargetKind::Unknown,
        }
    }
}

impl fmt::Display for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, feature) in self.features.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{} {} [", feature.name(), feature.dtype())?;
            for (index, dimension) in feature.row_shape().iter().enumerate() {
                let separator = if index == 0 { "" } else { ", " };
                write!(f, "{separator}{dimension}")?;
            }
            write!(f, "]")?;
        }
        write!(f, " -> {}", self.targets)
    }
}

impl fmt::Display for TargetKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Values { width: 1 } => write!(f, "1 value"),
            Self::Values { width } => write!(f, "{width} values"),
            Self::Labels { classes } => write!(f, "one of {classes} classes"),
            Self::Unknown => write!(f, "unknown"),
        }
    }
}
