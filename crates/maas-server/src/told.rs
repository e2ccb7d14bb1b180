use maas_service::ServeError;

/// What clients are told of an error: nothing of the server's insides. What a panic says is for the operator's eyes.
pub(crate) fn told(error: &ServeError) -> String {
    match error {
        ServeError::Panicked { .. } => "the model panicked".to_owned(),
        error => error.to_string(),
    }
}
