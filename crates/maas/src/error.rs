/// What can go wrong in any part: the sum of the parts' errors.
///
/// ```
/// # #[cfg(feature = "data")] {
/// use maas::prelude::*;
///
/// let error: Error = Dataset::from_csv("no such file.csv").unwrap_err().into();
/// assert!(matches!(error, Error::Data(_)));
/// # }
/// # #[cfg(feature = "schedule")] {
/// # use maas::prelude::*;
/// let error: Error = RoundRobin::try_new(0).unwrap_err().into();
/// assert!(matches!(error, Error::Schedule(_)));
/// # }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Tensors, signatures, models.
    #[error(transparent)]
    Core(#[from] maas_core::Error),
    /// Kernel sets.
    #[cfg(feature = "kernels")]
    #[error(transparent)]
    Kernels(#[from] maas_kernels::Error),
    /// Data sets.
    #[cfg(feature = "data")]
    #[error(transparent)]
    Data(#[from] maas_data::Error),
    /// Networks and their files.
    #[cfg(feature = "nn")]
    #[error(transparent)]
    Network(#[from] maas_nn::Error),
    /// Training.
    #[cfg(feature = "train")]
    #[error(transparent)]
    Train(#[from] maas_train::Error),
    /// Compression.
    #[cfg(feature = "compress")]
    #[error(transparent)]
    Compress(#[from] maas_compress::Error),
    /// Schedules.
    #[cfg(feature = "schedule")]
    #[error(transparent)]
    Schedule(#[from] maas_schedule::Error),
    /// Requests.
    #[cfg(feature = "service")]
    #[error(transparent)]
    Serve(#[from] maas_service::ServeError),
    /// The server and its client.
    #[cfg(feature = "server")]
    #[error(transparent)]
    Server(#[from] maas_server::Error),
}
