use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

/// Writes a file whole or not at all.
///
/// `write` fills a new file in the folder of `path`; when it succeeds, the file is brought to the disk and takes the
/// place of `path` in one step, so that a reader sees the old content or the new one and nothing between. When it
/// fails or panics, or the process dies, `path` is as it was. A symbolic link at `path` is replaced, not followed.
///
/// # Errors
/// What `write` returns, and what the file system says: a missing folder, no space, no permission. The error's text
/// starts with the path.
///
/// ```
/// use std::io::Write;
///
/// let path = std::env::temp_dir().join(format!("maas-write-{}.txt", std::process::id()));
/// maas_core::write_atomically(&path, |file| file.write_all(b"whole"))?;
/// assert_eq!(std::fs::read(&path)?, b"whole");
///
/// let failed = maas_core::write_atomically(&path, |file| {
///     file.write_all(b"ha")?;
///     Err::<(), _>(std::io::Error::other("the source dried up"))
/// });
/// assert!(failed.is_err());
/// assert_eq!(std::fs::read(&path)?, b"whole");
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn write_atomically<T>(
    path: impl AsRef<Path>,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<T>,
) -> io::Result<T> {
    let path = path.as_ref();
    replace(path, write)
        .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
}

fn replace<T>(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<T>,
) -> io::Result<T> {
    let (beside, file) = Beside::create(path)?;
    let mut writer = BufWriter::new(file);
    let value = write(&mut writer)?;
    let file = writer
        .into_inner()
        .map_err(io::IntoInnerError::into_error)?;
    file.sync_all()?;
    drop(file);
    fs::rename(&beside.path, path)?;
    // The rename itself lasts only when the folder is on the disk too; not every platform can open a folder.
    if let Some(folder) = folder(path).and_then(|folder| File::open(folder).ok()) {
        let _ = folder.sync_all();
    }
    Ok(value)
}

/// The new file next to its destination; removed on drop, which finds nothing once it has been renamed.
struct Beside {
    path: PathBuf,
}

impl Beside {
    fn create(destination: &Path) -> io::Result<(Self, File)> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let name = destination
            .file_name()
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the path names no file"))?;
        loop {
            let mut beside = std::ffi::OsString::from(".");
            beside.push(name);
            beside.push(format!(
                ".{}-{}.part",
                process::id(),
                NUMBER.fetch_add(1, Ordering::Relaxed)
            ));
            let path = destination.with_file_name(beside);
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => return Ok((Self { path }, file)),
                // A leftover of a process that died and had this process's number.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

fn folder(path: &Path) -> Option<&Path> {
    path.parent().map(|folder| {
        if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            folder
        }
    })
}
