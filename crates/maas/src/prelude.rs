//! The names of the story: `use maas::prelude::*;`
//!
//! ```
//! use maas::prelude::*;
//!
//! assert_ne!(Seed(7).derive(0), Seed(7).derive(1));
//! ```

pub use crate::Error;
pub use maas_core::{
    Context, DType, Model, Outputs, Seed, Signature, Tensor, TensorSpec, TensorView,
};

#[cfg(feature = "compress")]
pub use maas_compress::{CompressedNetwork, Compressor, SignStep, SoftThreshold};
#[cfg(feature = "data")]
pub use maas_data::{Dataset, WeightedSampler};
#[cfg(feature = "nn")]
pub use maas_nn::{
    Activation, BinaryCrossEntropy, CategoricalCrossEntropy, CategoricalHinge, Graph, Hinge, Huber,
    Initializer, Kernels, KullbackLeibler, Layer, Layers, LogCosh, Loss, LossBatch,
    MeanAbsoluteError, MeanSquaredError, Merge, Network, Parallelism, Poisson, ProductPrecision,
    Sequential, SquaredHinge, Transform,
};
#[cfg(feature = "schedule")]
pub use maas_schedule::{Policy, RoundRobin};
#[cfg(feature = "server")]
pub use maas_server::{Client, RemoteModel, Server};
#[cfg(feature = "service")]
pub use maas_service::{InferRequest, InferResponse, LocalModel, Replicas, ServeError, Service};
#[cfg(feature = "train")]
pub use maas_train::{
    AbsoluteError, Accuracy, Adagrad, Adam, AdamW, AmsGrad, AveragePrecision, AverageWeights,
    BinaryAccuracy, Callback, Chain, Checkpoints, ClassAverage, ClipByGlobalNorm, ClipByNorm,
    ClipByValue, ConfusionMatrix, DecayWeights, EarlyStopping, Event, F1, Figure, Flow,
    GradientDescent, History, LearningRate, Lion, Metric, Nadam, Plateau, Precision, Progress, R2,
    Recall, RmsProp, RocAuc, RootMeanSquaredError, ScaleByAdam, Search, Sgd, Span, SquaredError,
    StopHandle, TopK, Trainer, confusion_matrix,
};
