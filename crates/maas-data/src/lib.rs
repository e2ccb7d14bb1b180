//! Tables and arrays into data sets: CSV, seeded shuffles, splits, statistics.
//!
//! ```
//! use maas_core::Seed;
//! use maas_data::Dataset;
//!
//! let csv = "\
//! alcohol,pH,quality
//! 9.4,3.51,5
//! 9.8,3.20,5
//! 10.5,3.36,7
//! 9.5,3.16,6
//! ";
//! let data = Dataset::from_csv_reader(csv.as_bytes())?.target("quality")?;
//! assert_eq!((data.rows(), data.feature_names()), (4, ["alcohol", "pH"].map(String::from).as_slice()));
//!
//! let data = data.split([0.5, 0.25, 0.25], Seed(7))?;
//! assert_eq!((data.train.rows(), data.validation.rows(), data.test.rows()), (2, 1, 1));
//!
//! let statistics = data.train.statistics();
//! assert_eq!(statistics.features.columns(), 2);
//! # Ok::<(), maas_data::Error>(())
//! ```
//!
//! # The nouns
//!
//! | word | what it is |
//! | --- | --- |
//! | [`Dataset`] | rows of inputs and of a target, checked once: at least one row, every number finite, every label a class |
//! | [`Table`], [`Csv`] | named columns of text, as a file has them; a choice of columns makes a [`Dataset`] |
//! | [`Missing`], [`Encoding`] | what is done about cells without a value; how text became numbers, to do the same to other rows |
//! | [`Idx`], [`IdxSource`] | files in the format of MNIST; [`Dataset::from_idx`] reads images and labels |
//! | [`Input`], [`OwnedValues`] | one input of a network: rows of any shape, of numbers or of integer ids |
//! | [`Targets`], [`Classes`] | what is to be learnt: numbers, or one class a row |
//! | [`Split`] | training, validation and test rows |
//! | [`Folds`], [`Scores`] | cross-validation: pairs of a training and a validation part, and a figure for each |
//! | [`WeightedSampler`] | rows drawn by weight, against classes of unequal size |
//! | [`Source`], [`Prefetch`] | rows that come in chunks, for what is larger than memory; read ahead on a thread |
//! | [`Augmentation`] | a random change to the rows of each batch |
//! | [`Shuffle`] | an order of rows for each epoch, the same for the same seed |
//!
//! A data set that exists is valid: what trains on it need not check again. What is wrong with a file or an array is
//! an [`Error`] that says what was expected, what was found, and where: the line and the column, or the row.
//!
//! # Data of your own
//!
//! Arrays come as `ndarray` views, without a file: [`Dataset::new`] for a regression, [`Dataset::classification`] for
//! classes; slices as [`Dataset::from_slices`]. Images, sequences, ids and several inputs at once go through
//! [`Dataset::from_inputs`]. What is made while it is read is a [`FnSource`], or a [`Source`] of your own.
//!
//! # Features
//!
//! `gzip` unpacks gzipped files while they are read.

mod augment;
mod classes;
mod csv;
mod dataset;
mod error;
mod file;
mod fold;
mod idx;
mod input;
mod lines;
mod sample;
mod shuffle;
mod source;
mod split;
mod stratified;
mod table;

pub use augment::{Augmentation, RowRandom, RowValues};
pub use classes::Classes;
pub use csv::Csv;
pub use dataset::Dataset;
pub use error::Error;
pub use fold::{Folds, Scores};
pub use idx::{Idx, IdxKind, IdxSource};
pub use input::{Input, OwnedValues, Targets};
pub use sample::{RowOrder, WeightedSampler};
pub use shuffle::Shuffle;
pub use source::{Chunks, FnSource, InMemory, Prefetch, Schema, Source, TargetKind};
pub use split::Split;
pub use table::{CsvSource, Encoding, InMemoryRows, Missing, OnDisk, Table, Target};
