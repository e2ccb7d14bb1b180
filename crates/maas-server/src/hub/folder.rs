use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use maas_service::BoxService;

use super::{Source, SourceError};

/// A folder of models: `NAME/VERSION` is one version of one model, and `NAME.EXTENSION` is version 1 of a model that has no
/// others. Names that begin with a dot are passed over, and `lost+found`.
///
/// What is a model, a file or a folder, is told by the function that loads it.
///
/// ```no_run
/// # fn load(_: &std::path::Path) -> Result<maas_service::BoxService, maas_server::SourceError> { Err("as the application does".into()) }
/// use maas_server::{Folder, Models, Server};
///
/// let models = Models::from(Folder::new("models", |path| load(path)));
/// models.load_all()?;
/// let server = Server::new().models(models).run_in_background()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Folder {
    path: PathBuf,
    load: Box<Load>,
}

type Load = dyn Fn(&Path) -> Result<BoxService, SourceError> + Send + Sync;

impl Folder {
    /// The models in the folder at `path`, each loaded by `load`.
    ///
    /// See the type for an example.
    pub fn new(
        path: impl Into<PathBuf>,
        load: impl Fn(&Path) -> Result<BoxService, SourceError> + Send + Sync + 'static,
    ) -> Self {
        Self {
            path: path.into(),
            load: Box::new(load),
        }
    }

    /// Where the versions of a model lie.
    fn paths(&self, model: &str) -> Result<Vec<(String, PathBuf)>, SourceError> {
        let is_plain =
            !model.is_empty() && !model.starts_with('.') && !model.contains(['/', '\\', '\0']);
        if !is_plain {
            return Ok(Vec::new());
        }
        let folder = self.path.join(model);
        if folder.is_dir() {
            return by_name(visible(&folder)?);
        }
        let mut files = visible(&self.path)?;
        files.retain(|path| !path.is_dir() && called(path) == model);
        let named = by_name(files)?.into_iter();
        Ok(named.map(|(_, path)| ("1".to_owned(), path)).collect())
    }
}

impl Source for Folder {
    fn models(&self) -> Result<Vec<String>, SourceError> {
        let paths = visible(&self.path)?;
        let mut names: Vec<String> = paths.iter().map(|path| called(path)).collect();
        names.sort();
        names.dedup();
        Ok(names)
    }

    fn versions(&self, model: &str) -> Result<Vec<String>, SourceError> {
        let paths = self.paths(model)?;
        Ok(paths.into_iter().map(|(version, _)| version).collect())
    }

    fn load(&self, model: &str, version: &str) -> Result<BoxService, SourceError> {
        let mut paths = self.paths(model)?.into_iter();
        let found = paths.find(|(name, _)| name == version);
        let (_, path) =
            found.ok_or_else(|| format!("the folder has no version `{version}` of it"))?;
        (self.load)(&path)
    }
}

impl fmt::Debug for Folder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Folder")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// Each under its own name.
fn by_name(paths: Vec<PathBuf>) -> Result<Vec<(String, PathBuf)>, SourceError> {
    let mut named: Vec<_> = paths
        .into_iter()
        .map(|path| (called(&path), path))
        .collect();
    named.sort();
    match named.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        Some([(name, _), ..]) => Err(format!("more than one file is called `{name}`").into()),
        _ => Ok(named),
    }
}

/// What is at the root of a disk, where only the system's repairs may look.
const OF_THE_SYSTEM: &str = "lost+found";

fn visible(folder: &Path) -> Result<Vec<PathBuf>, SourceError> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = name(&path);
        if !name.starts_with('.') && name != OF_THE_SYSTEM {
            paths.push(path);
        }
    }
    Ok(paths)
}

fn name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// A folder's whole name, and a file's without its extension.
fn called(path: &Path) -> String {
    if path.is_dir() {
        return name(path);
    }
    path.file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}
