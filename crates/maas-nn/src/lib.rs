//! Neural networks as data: layers, losses, one flat parameter buffer, lowering to an allocation-free plan, safetensors files

mod builder;
mod canonical;
mod check;
mod error;
mod file;
mod layer;
mod layers;
mod loss;
mod network;
mod pass;
mod plan;
mod reference;
mod spec;
mod transform;

pub use builder::{Graph, Sequential};
pub use check::{GradientReport, Precision, TensorReport, check_gradients};
pub use error::Error;
pub use file::FileFault;
pub use layer::{
    Initial, Layer, LayerPlan, ParameterSpec, Role, RowType, SavedSpec, ScratchSpec, StateSpec,
    Training, Updates, ValueType,
};
pub use layers::{FromConfig, Layers};
pub use loss::{
    BinaryCrossEntropy, CategoricalCrossEntropy, Huber, Link, Loss, LossBatch, MeanAbsoluteError,
    MeanSquaredError, Targets,
};
pub use maas_kernels::{Activation, Buffer, Compute, Kernels, Parallelism};
pub use network::{Mask, Network, Segment, StateSegment, Summary, SummaryRow};
pub use pass::{Backward, Forward, Gradients, Inputs, Mode, Saved, Slices, SlicesMut};
pub use plan::{Head, InputGradients, Plan, PlanOptions, Purpose, ValuesMut};
pub use reference::Reference;
pub use spec::{Initializer, LayerSpec, NetworkSpec, Node, Source};
pub use transform::{Block, BlockState, Fused, Step, Transform};
