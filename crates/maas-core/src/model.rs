use std::any::{Any, type_name};
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;

use crate::{Error, Outputs, Signature, Tensor, TensorView};

/// Something that answers requests: a network, a foreign engine, a closure.
///
/// It is synchronous, takes and gives whole batches (the first dimension of every tensor), and is shared: `predict`
/// takes `&self`, and what it writes while it works lies in the caller's [`Scratch`]. The answer for a row must not
/// depend on the other rows of its batch.
///
/// ```
/// use maas_core::{Context, DType, Error, Model, Outputs, Scratch, Signature, TensorSpec, TensorView};
///
/// struct Mean(Signature);
///
/// impl Model for Mean {
///     fn signature(&self) -> &Signature {
///         &self.0
///     }
///
///     fn predict(&self, inputs: &[TensorView<'_>], outputs: &mut Outputs<'_>, _: &mut Context) -> Result<(), Error> {
///         let rows = self.0.check(inputs)?;
///         let x = inputs[0].as_slice::<f32>()?;
///         let mut means = outputs.tensor(0, DType::Fp32, &[rows, 1])?;
///         for (mean, row) in means.as_mut_slice::<f32>()?.iter_mut().zip(x.chunks_exact(4)) {
///             *mean = row.iter().sum::<f32>() / 4.0;
///         }
///         Ok(())
///     }
/// }
///
/// let model = Mean(Signature::new(
///     TensorSpec::rows("x", DType::Fp32, &[4]),
///     TensorSpec::rows("mean", DType::Fp32, &[1]),
/// )?);
/// let x = [1.0_f32, 2.0, 3.0, 6.0];
/// let answers = maas_core::predict_once(&model, &[TensorView::from_slice(&[1, 4], &x)?])?;
/// assert_eq!(answers[0].as_slice::<f32>()?, [3.0]);
/// # Ok::<(), Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a model",
    note = "implement `maas_core::Model`, or make one of a closure with `maas_core::FnModel::new`"
)]
pub trait Model: Send + Sync + 'static {
    /// What the model takes and gives.
    fn signature(&self) -> &Signature;

    /// The buffers for calls of at most `max_rows` rows, made once by each caller and kept between calls.
    ///
    /// # Errors
    /// What the model says when it cannot make them.
    fn scratch(&self, max_rows: usize) -> Result<Scratch, Error> {
        let _ = max_rows;
        Ok(Scratch::none())
    }

    /// Answers a batch: the inputs in the signature's order, and the outputs written in the signature's order.
    ///
    /// # Errors
    /// When the inputs do not fit the signature ([`Signature::check`]), when `context` holds the scratch of another
    /// model or of fewer rows, and what the model's engine says ([`Error::Model`]).
    fn predict(
        &self,
        inputs: &[TensorView<'_>],
        outputs: &mut Outputs<'_>,
        context: &mut Context,
    ) -> Result<(), Error>;

    /// What kind of model this is, as the Open Inference Protocol's metadata name it.
    fn platform(&self) -> &str {
        "maas"
    }
}

/// What points to a model is a model.
macro_rules! pointers {
    ($($pointer:ident),*) => {$(
        impl<M: Model + ?Sized> Model for $pointer<M> {
            fn signature(&self) -> &Signature {
                (**self).signature()
            }

            fn scratch(&self, max_rows: usize) -> Result<Scratch, Error> {
                (**self).scratch(max_rows)
            }

            fn predict(
                &self,
                inputs: &[TensorView<'_>],
                outputs: &mut Outputs<'_>,
                context: &mut Context,
            ) -> Result<(), Error> {
                (**self).predict(inputs, outputs, context)
            }

            fn platform(&self) -> &str {
                (**self).platform()
            }
        }
    )*};
}

pointers!(Arc, Box);

/// The buffers that a model writes while it answers; what is in there is the model's own affair.
///
/// ```
/// use maas_core::Scratch;
///
/// let mut scratch = Scratch::new(vec![0.0_f32; 16]);
/// scratch.get_mut::<Vec<f32>>()?[0] = 1.0;
/// assert!(scratch.get_mut::<String>().is_err());
/// # Ok::<(), maas_core::Error>(())
/// ```
pub struct Scratch(Box<dyn Any + Send>);

impl Scratch {
    /// A scratch that holds this value.
    ///
    /// ```
    /// let scratch = maas_core::Scratch::new(vec![0.0_f32; 16]);
    /// # let _ = scratch;
    /// ```
    pub fn new<T: Any + Send>(value: T) -> Self {
        Self(Box::new(value))
    }

    /// A scratch for models that need none; it allocates nothing.
    ///
    /// ```
    /// assert!(maas_core::Scratch::none().get_mut::<()>().is_ok());
    /// ```
    pub fn none() -> Self {
        Self(Box::new(()))
    }

    /// The value, if it is of this type.
    ///
    /// # Errors
    /// [`Error::ForeignScratch`] when another model made it.
    ///
    /// ```
    /// assert_eq!(*maas_core::Scratch::new(7_u32).get_mut::<u32>()?, 7);
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    pub fn get_mut<T: Any + Send>(&mut self) -> Result<&mut T, Error> {
        self.0.downcast_mut().ok_or(Error::ForeignScratch {
            expected: type_name::<T>(),
        })
    }
}

impl Default for Scratch {
    fn default() -> Self {
        Self::none()
    }
}

impl fmt::Debug for Scratch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scratch")
    }
}

/// What a caller lends a model for a call, and keeps for the next one.
#[derive(Debug)]
pub struct Context {
    /// The model's buffers, from [`Model::scratch`].
    pub scratch: Scratch,
    /// The most threads that the call may use.
    pub threads: NonZeroUsize,
}

impl Context {
    /// A context with the scratch of a model for at most `max_rows` rows, and one thread.
    ///
    /// # Errors
    /// Those of [`Model::scratch`].
    ///
    /// ```
    /// # use maas_core::{Context, Error, FnModel, Outputs, Signature, TensorView};
    /// # let nothing = |_: &[TensorView<'_>], _: &mut Outputs<'_>| Ok::<(), Error>(());
    /// let model = FnModel::new(Signature::new(vec![], vec![])?, nothing);
    /// assert_eq!(Context::of(&model, 32)?.threads.get(), 1);
    /// # Ok::<(), Error>(())
    /// ```
    pub fn of<M: Model + ?Sized>(model: &M, max_rows: usize) -> Result<Self, Error> {
        Ok(Self {
            scratch: model.scratch(max_rows)?,
            threads: NonZeroUsize::MIN,
        })
    }
}

/// A closure as a model. Inputs are checked against the signature before it is called, and outputs after.
///
/// ```
/// use maas_core::{DType, Error, FnModel, Outputs, Signature, TensorSpec, TensorView, predict_once};
///
/// let signature =
///     Signature::new(TensorSpec::rows("x", DType::Fp32, &[1]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
/// let engine = FnModel::new(signature, |_: &[TensorView<'_>], _: &mut Outputs<'_>| {
///     Err(std::io::Error::other("device lost"))
/// });
/// let x = [1.0_f32];
/// let error = predict_once(&engine, &[TensorView::from_slice(&[1, 1], &x)?]).unwrap_err();
/// assert!(matches!(error, Error::Model(_)));
/// # Ok::<(), Error>(())
/// ```
pub struct FnModel<F> {
    signature: Signature,
    function: F,
}

impl<F> FnModel<F> {
    /// A model of this signature that answers by calling `function`, whose errors become [`Error::model`].
    ///
    /// See the type for an example.
    pub fn new<E>(signature: Signature, function: F) -> Self
    where
        F: Fn(&[TensorView<'_>], &mut Outputs<'_>) -> Result<(), E> + Send + Sync + 'static,
    {
        Self {
            signature,
            function,
        }
    }
}

impl<F, E> Model for FnModel<F>
where
    F: Fn(&[TensorView<'_>], &mut Outputs<'_>) -> Result<(), E> + Send + Sync + 'static,
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn predict(
        &self,
        inputs: &[TensorView<'_>],
        outputs: &mut Outputs<'_>,
        _: &mut Context,
    ) -> Result<(), Error> {
        let rows = self.signature.check(inputs)?;
        (self.function)(inputs, outputs).map_err(Error::model)?;
        self.signature
            .check_outputs(outputs, rows)
            .map_err(|error| Error::Model(Box::new(error)))
    }
}

impl<F> fmt::Debug for FnModel<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FnModel")
            .field("signature", &self.signature)
            .finish_non_exhaustive()
    }
}

/// Asks a model once, with buffers made for this call alone.
///
/// Who asks often keeps a [`Context`] and [`Outputs`] and calls [`Model::predict`].
///
/// # Errors
/// Those of [`Model::scratch`] and [`Model::predict`].
///
/// ```
/// use maas_core::{Error, FnModel, Outputs, Signature, TensorView, predict_once};
/// let nothing = |_: &[TensorView<'_>], _: &mut Outputs<'_>| Ok::<(), Error>(());
/// let model = FnModel::new(Signature::new(vec![], vec![])?, nothing);
/// assert!(predict_once(&model, &[])?.is_empty());
/// # Ok::<(), Error>(())
/// ```
pub fn predict_once<M: Model + ?Sized>(
    model: &M,
    inputs: &[TensorView<'_>],
) -> Result<Vec<Tensor>, Error> {
    let rows = model.signature().check(inputs)?;
    let mut outputs = Outputs::new();
    model.predict(inputs, &mut outputs, &mut Context::of(model, rows)?)?;
    outputs.into_tensors()
}
