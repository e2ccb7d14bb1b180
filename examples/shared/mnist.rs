//! The handwritten digits of MNIST, which are not here: four files in a folder of the user's.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use maas::prelude::*;

/// The digits to learn from and those to test with, pixels between 0 and 1, from what `--data` says.
pub(crate) fn data(folder: Option<String>) -> Result<(Dataset, Dataset)> {
    let folder = PathBuf::from(folder.with_context(|| format!("--data DIR is missing\n{WHERE}"))?);
    Ok((read(&folder, "train")?, read(&folder, "t10k")?))
}

/// Images and labels of `train` or `t10k`, gzipped or not.
fn read(folder: &Path, part: &str) -> Result<Dataset> {
    let find = |name: &str| -> Result<PathBuf> {
        let files = [name.to_owned(), format!("{name}.gz")];
        let mut paths = files.iter().map(|file| folder.join(file));
        paths.find(|path| path.exists()).with_context(|| {
            format!(
                "{} has neither {name} nor {name}.gz\n{WHERE}",
                folder.display()
            )
        })
    };
    let images = find(&format!("{part}-images-idx3-ubyte"))?;
    let labels = find(&format!("{part}-labels-idx1-ubyte"))?;
    Ok(Dataset::from_idx_among(images, labels, 10)?)
}

const WHERE: &str = "\
The MNIST digits are four files: train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and
t10k-labels-idx1-ubyte, each gzipped or not. They were made by Y. LeCun, C. Cortes and C. Burges,
and many places keep copies: search for the file names. Fashion-MNIST, from
https://github.com/zalandoresearch/fashion-mnist, has files of the same names and is read in the same way.";
