//! Certificates and keys as texts, for both sides of a connection.

use std::path::Path;

use rustls::RootCertStore;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::Error;

/// At least one.
pub(crate) fn certificates(
    what: &'static str,
    pem: &[u8],
) -> Result<Vec<CertificateDer<'static>>, Error> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match read {
        Ok(read) if read.is_empty() => Err(unreadable(what)(pem::Error::NoItemsFound)),
        read => read.map_err(unreadable(what)),
    }
}

pub(crate) fn private_key(pem: &[u8]) -> Result<PrivateKeyDer<'static>, Error> {
    PrivateKeyDer::from_pem_slice(pem).map_err(unreadable("private key"))
}

/// Those whose signatures are trusted.
pub(crate) fn authorities(pem: &[u8]) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    for authority in certificates("authority", pem)? {
        roots.add(authority).map_err(misfit)?;
    }
    Ok(roots)
}

pub(crate) fn misfit(source: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Tls(source.into())
}

pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|source| Error::Read {
        path: path.to_owned(),
        source,
    })
}

fn unreadable(what: &'static str) -> impl FnOnce(pem::Error) -> Error {
    move |source| Error::Pem {
        what,
        source: source.into(),
    }
}
