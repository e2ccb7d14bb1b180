//! The models that the arguments name.

use std::error::Error;

use maas_server::inside::with_causes;
use maas_server::{Folder, Models};

use crate::arguments::Arguments;
use crate::formats;

/// None yet, and where others come from.
pub(crate) fn models(arguments: &Arguments) -> Result<Models, String> {
    let Some(folder) = &arguments.models else {
        return Ok(Models::new());
    };
    if !folder.is_dir() {
        return Err(format!("{} is no folder", folder.display()));
    }
    let options = arguments.serving.clone();
    let load = move |path: &_| formats::load(path, &options);
    let models = Models::from(Folder::new(folder, load));
    models.default_policy(arguments.versions.clone());
    Ok(models)
}

pub(crate) fn load(
    models: &Models,
    arguments: &Arguments,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    for model in &arguments.model {
        let service = formats::load(&model.path, &arguments.serving).map_err(|error| {
            let (name, path) = (&model.name, model.path.display());
            format!("model `{name}` from {path}: {}", with_causes(&*error))
        })?;
        models.add(&*model.name, &*model.version, service)?;
        tracing::info!(model = model.name, version = model.version, "loaded");
    }
    // One broken model keeps no other from being served; the index says why it is not there.
    if arguments.models.is_some()
        && let Err(error) = models.load_all()
    {
        for error in error.into_each() {
            tracing::error!("{error}");
        }
    }
    Ok(())
}
