//! Files are whole or not there.
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use std::fs;
use std::io::{self, Write};
use std::panic;
use std::path::PathBuf;

use maas_core::write_atomically;

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("maas-core-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn files(&self) -> Vec<String> {
        fs::read_dir(&self.0)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

#[test]
fn failure_and_panic_leave_the_old_file_alone() {
    let folder = Folder::new("failure");
    let path = folder.0.join("model");
    write_atomically(&path, |file| file.write_all(b"old")).unwrap();
    let error = write_atomically(&path, |file| {
        file.write_all(b"half of the new")?;
        Err::<(), _>(io::Error::other("no more"))
    })
    .unwrap_err();
    assert!(error.to_string().contains("model: no more"), "{error}");
    let panicked = panic::catch_unwind(|| {
        write_atomically::<()>(&path, |file| {
            file.write_all(b"half of the new")?;
            panic!("in the middle");
        })
    });
    assert!(panicked.is_err());
    assert_eq!(fs::read(&path).unwrap(), b"old");
    assert_eq!(folder.files(), ["model"]);
}

#[test]
fn writers_at_once_leave_one_whole_file() {
    let folder = Folder::new("race");
    let path = folder.0.join("model");
    std::thread::scope(|scope| {
        for byte in b'a'..b'e' {
            let path = &path;
            scope.spawn(move || {
                write_atomically(path, |file| file.write_all(&[byte; 100_000])).unwrap();
            });
        }
    });
    let content = fs::read(&path).unwrap();
    assert_eq!(content.len(), 100_000);
    assert!(content.iter().all(|&byte| byte == content[0]));
    assert_eq!(folder.files(), ["model"]);
}

#[test]
fn a_missing_folder_is_named() {
    let path = std::env::temp_dir()
        .join("maas-core-no-such-folder")
        .join("model");
    let error = write_atomically(&path, |file| file.write_all(b"x")).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
    assert!(
        error.to_string().contains("maas-core-no-such-folder"),
        "{error}"
    );
    assert!(write_atomically("/", |file| file.write_all(b"x")).is_err());
}
