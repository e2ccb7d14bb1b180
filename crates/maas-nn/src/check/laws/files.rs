//! Laws of files.

use super::Breach;
use super::subject::{ROWS, Subject, Way};
use crate::{FromConfig, Layers, Network};

pub(super) fn config<L: FromConfig>(layer: &L) -> Result<(), Breach> {
    if layer.kind() != L::KIND {
        return Err(Breach::Kind {
            expected: L::KIND,
            found: layer.kind().to_owned(),
        });
    }
    let (expected, found) = (layer.config(), L::from_config(&layer.config())?.config());
    if expected == found {
        Ok(())
    } else {
        Err(Breach::Config { expected, found })
    }
}

pub(super) fn round_trip(subject: &Subject, table: &Layers) -> Result<(), Breach> {
    let bytes = subject.network.to_bytes();
    let network = Network::from_bytes_with(&bytes, table)?;
    if network.to_bytes() != bytes {
        return Err(Breach::File);
    }
    let data = subject.data(ROWS, 9);
    let way = Way::new(ROWS, subject.training(0));
    let expected = subject.run(way, &data)?;
    subject.with(network).run(way, &data)?.same(&expected)
}
