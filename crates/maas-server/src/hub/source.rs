use std::error::Error;
use std::fmt;

use maas_service::BoxService;

/// What goes wrong with models that a source has.
pub type SourceError = Box<dyn Error + Send + Sync>;

/// Where models come from: a folder, a registry, a store. Its calls may take their time; they are made on threads of their own.
///
/// ```
/// use maas_server::{Models, Source, SourceError};
/// use maas_service::BoxService;
/// # use maas_core::{DType, FnModel, Outputs, Signature, TensorSpec, TensorView};
///
/// /// One model that copies what it is given.
/// #[derive(Debug)]
/// struct Copies;
///
/// impl Source for Copies {
///     fn models(&self) -> Result<Vec<String>, SourceError> {
///         Ok(vec!["copy".to_owned()])
///     }
///
///     fn versions(&self, model: &str) -> Result<Vec<String>, SourceError> {
///         Ok(if model == "copy" { vec!["1".to_owned()] } else { Vec::new() })
///     }
///
///     fn load(&self, _model: &str, _version: &str) -> Result<BoxService, SourceError> {
///         let rows = |name: &str| TensorSpec::rows(name, DType::Fp32, &[1]);
///         let model = FnModel::new(Signature::new(rows("x"), rows("y"))?, |inputs: &[TensorView<'_>], outputs: &mut Outputs<'_>| {
///             outputs.copy(0, &inputs[0])
///         });
///         Ok(BoxService::new(maas_service::LocalModel::new(model)))
///     }
/// }
///
/// let models = Models::from(Copies);
/// models.load("copy")?;
/// assert_eq!(models.names(), ["copy"]);
/// # Ok::<(), maas_server::Error>(())
/// ```
pub trait Source: fmt::Debug + Send + Sync {
    /// The names of its models.
    ///
    /// # Errors
    ///
    /// Whatever keeps it from knowing them.
    fn models(&self) -> Result<Vec<String>, SourceError>;

    /// The versions of a model; none of a model that it does not have.
    ///
    /// # Errors
    ///
    /// Whatever keeps it from knowing them.
    fn versions(&self, model: &str) -> Result<Vec<String>, SourceError>;

    /// The service of a version, ready to be asked.
    ///
    /// # Errors
    ///
    /// Why it cannot be served; clients that load models see the text.
    fn load(&self, model: &str, version: &str) -> Result<BoxService, SourceError>;
}
