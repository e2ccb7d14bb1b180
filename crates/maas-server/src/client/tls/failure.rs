use std::error::Error;
use std::io;

use maas_service::ServeError;
use rustls::{AlertDescription, CertificateError};

/// Why a client and a server have no trusted connection: the source of [`ServeError::Untrusted`].
///
/// ```
/// use maas_server::TlsFailure;
/// use maas_service::ServeError;
///
/// fn explain(error: &ServeError) -> Option<&TlsFailure> {
///     match error {
///         ServeError::Untrusted { source, .. } => source.downcast_ref(),
///         _ => None,
///     }
/// }
/// # assert!(explain(&ServeError::Draining).is_none());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TlsFailure {
    /// Nobody is known who could sign certificates.
    #[error("the system has no certificate authorities")]
    NoAuthorities,
    /// Nobody whom the client trusts has signed the server's certificate.
    #[error("the server's certificate is not signed by an authority that this client trusts")]
    UnknownAuthority,
    /// The server's certificate is for others.
    #[error("the server's certificate is not for {expected}, but for {}", presented.join(", "))]
    WrongName {
        /// The name that the client expects.
        expected: String,
        /// Those that the certificate has.
        presented: Vec<String>,
    },
    /// The time of the server's certificate is over, as this machine's clock has it.
    #[error("the server's certificate has expired")]
    Expired,
    /// The time of the server's certificate is to come, as this machine's clock has it.
    #[error("the server's certificate is not valid yet")]
    NotYetValid,
    /// The server wants a certificate of the client, and another one or none was shown.
    #[error("the server does not take the client's certificate, or wants one: {alert}")]
    ClientCertificate {
        /// What it said.
        alert: String,
    },
    /// Anything else, such as a server that speaks no TLS.
    #[error("{reason}")]
    Other {
        /// What went wrong.
        reason: String,
    },
}

/// The error of a connection that TLS broke off.
pub(crate) fn untrusted(address: &str, error: &(dyn Error + 'static)) -> Option<ServeError> {
    Some(ServeError::Untrusted {
        address: address.to_owned(),
        source: find(error)?.into(),
    })
}

/// What TLS says anywhere among the causes.
fn find(error: &(dyn Error + 'static)) -> Option<TlsFailure> {
    if let Some(failure) = error.downcast_ref::<TlsFailure>() {
        return Some(failure.clone());
    }
    if let Some(error) = error.downcast_ref::<rustls::Error>() {
        return Some(classify(error));
    }
    // Its source is that of what it wraps, not that itself.
    let wrapped = error
        .downcast_ref::<io::Error>()
        .and_then(|error| error.get_ref());
    match wrapped {
        Some(wrapped) => find(wrapped),
        None => find(error.source()?),
    }
}

fn classify(error: &rustls::Error) -> TlsFailure {
    use AlertDescription as Alert;
    use CertificateError as Bad;
    let other = || TlsFailure::Other {
        reason: error.to_string(),
    };
    match error {
        rustls::Error::InvalidCertificate(bad) => match bad {
            Bad::UnknownIssuer | Bad::BadSignature => TlsFailure::UnknownAuthority,
            Bad::NotValidForNameContext {
                expected,
                presented,
            } => TlsFailure::WrongName {
                expected: expected.to_str().into_owned(),
                presented: presented.iter().map(|name| bare(name)).collect(),
            },
            Bad::Expired | Bad::ExpiredContext { .. } => TlsFailure::Expired,
            Bad::NotValidYet | Bad::NotValidYetContext { .. } => TlsFailure::NotYetValid,
            _ => other(),
        },
        rustls::Error::AlertReceived(
            alert @ (Alert::CertificateRequired
            | Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateRevoked
            | Alert::CertificateExpired
            | Alert::CertificateUnknown
            | Alert::UnknownCA
            | Alert::AccessDenied),
        ) => TlsFailure::ClientCertificate {
            alert: format!("{alert:?}"),
        },
        _ => other(),
    }
}

/// `wine.example` of `DnsName("wine.example")`.
fn bare(name: &str) -> String {
    let inner = name
        .split_once('(')
        .and_then(|(_, inner)| inner.strip_suffix(')'));
    inner.unwrap_or(name).trim_matches('"').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_found_below_others() {
        let refused = rustls::Error::AlertReceived(AlertDescription::CertificateRequired);
        let wrapped = io::Error::other(io::Error::new(io::ErrorKind::InvalidData, refused));
        assert_eq!(
            find(&wrapped),
            Some(TlsFailure::ClientCertificate {
                alert: "CertificateRequired".to_owned()
            })
        );
        let none: io::Error = io::ErrorKind::ConnectionRefused.into();
        assert_eq!(find(&none), None);
        assert_eq!(find(&io::Error::other("no")), None);
    }

    #[test]
    fn names_are_told_as_they_are_written() {
        for (name, told) in [
            ("DnsName(\"wine.example\")", "wine.example"),
            ("IpAddress(127.0.0.1)", "127.0.0.1"),
            ("wine.example", "wine.example"),
        ] {
            assert_eq!(bare(name), told);
        }
    }

    #[test]
    fn times_are_told_apart() {
        for (bad, failure) in [
            (CertificateError::Expired, TlsFailure::Expired),
            (CertificateError::NotValidYet, TlsFailure::NotYetValid),
        ] {
            let error = rustls::Error::InvalidCertificate(bad);
            assert_eq!(classify(&error), failure);
        }
    }
}
