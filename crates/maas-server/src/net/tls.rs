//! TLS before HTTP.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::crypto::ring;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::Error;
use crate::pem::{authorities, certificates, misfit, private_key, read};

/// A certificate with its key, and whose certificates clients must have: TLS 1.2 and 1.3, for HTTP/1.1 and HTTP/2.
///
/// Clones are one: what [`replace`](Self::replace) and [`replace_with`](Self::replace_with) set on one holds for all, from the
/// next connection on.
///
/// ```no_run
/// use maas_server::{Server, Tls};
///
/// let tls = Tls::from_pem_files("server.pem", "server.key")?;
/// let server = Server::new().tls(tls.clone()).run_in_background()?;
/// // When there is a new certificate:
/// tls.replace_from_files("server.pem", "server.key")?;
/// # Ok::<(), maas_server::Error>(())
/// ```
#[derive(Clone)]
pub struct Tls(Arc<ArcSwap<Settings>>);

struct Settings {
    config: Arc<ServerConfig>,
    /// Who signs the certificates that clients must have.
    clients: Option<Arc<RootCertStore>>,
}

impl Tls {
    /// A chain of certificates, the server's own first, and its private key, in PEM.
    ///
    /// # Errors
    ///
    /// [`Error::Pem`] for what cannot be read, [`Error::Tls`] for what does not fit together.
    ///
    /// ```
    /// assert!(maas_server::Tls::from_pem("no certificate", "no key").is_err());
    /// ```
    pub fn from_pem(chain: impl AsRef<[u8]>, key: impl AsRef<[u8]>) -> Result<Self, Error> {
        Settings::new(chain.as_ref(), key.as_ref(), None).map(Self::of)
    }

    /// As [`from_pem`](Self::from_pem), from files.
    ///
    /// # Errors
    ///
    /// Those of [`from_pem`](Self::from_pem), and [`Error::Read`] for files that are not there.
    ///
    /// ```
    /// assert!(maas_server::Tls::from_pem_files("nowhere.pem", "nowhere.key").is_err());
    /// ```
    pub fn from_pem_files(chain: impl AsRef<Path>, key: impl AsRef<Path>) -> Result<Self, Error> {
        Self::from_pem(read(chain.as_ref())?, read(key.as_ref())?)
    }

    /// Takes only clients that have a certificate which one of these authorities, in PEM, has signed. It takes the chain
    /// and the key once more.
    ///
    /// # Errors
    ///
    /// Those of [`from_pem`](Self::from_pem).
    ///
    /// ```
    /// assert!(maas_server::Tls::mutual("no certificate", "no key", "no authority").is_err());
    /// ```
    pub fn mutual(
        chain: impl AsRef<[u8]>,
        key: impl AsRef<[u8]>,
        clients: impl AsRef<[u8]>,
    ) -> Result<Self, Error> {
        let clients = authorities(clients.as_ref())?;
        Settings::new(chain.as_ref(), key.as_ref(), Some(Arc::new(clients))).map(Self::of)
    }

    /// Takes another certificate and key from the next connection on. If they are not good, the old ones stay.
    ///
    /// # Errors
    ///
    /// Those of [`from_pem`](Self::from_pem).
    ///
    /// ```no_run
    /// let tls = maas_server::Tls::from_pem_files("server.pem", "server.key")?;
    /// tls.replace(std::fs::read("new.pem")?, std::fs::read("new.key")?)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn replace(&self, chain: impl AsRef<[u8]>, key: impl AsRef<[u8]>) -> Result<(), Error> {
        let clients = self.0.load().clients.clone();
        let settings = Settings::new(chain.as_ref(), key.as_ref(), clients)?;
        self.0.store(Arc::new(settings));
        Ok(())
    }

    /// Takes all that another one has from the next connection on, and so whose certificates clients must have, too.
    ///
    /// ```no_run
    /// # use std::fs::read;
    /// use maas_server::Tls;
    ///
    /// let tls = Tls::mutual(read("server.pem")?, read("server.key")?, read("clients.pem")?)?;
    /// tls.replace_with(&Tls::mutual(read("server.pem")?, read("server.key")?, read("more-clients.pem")?)?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn replace_with(&self, other: &Self) {
        self.0.store(other.0.load_full());
    }

    /// As [`replace`](Self::replace), from files.
    ///
    /// # Errors
    ///
    /// Those of [`from_pem_files`](Self::from_pem_files).
    ///
    /// ```no_run
    /// let tls = maas_server::Tls::from_pem_files("server.pem", "server.key")?;
    /// tls.replace_from_files("server.pem", "server.key")?;
    /// # Ok::<(), maas_server::Error>(())
    /// ```
    pub fn replace_from_files(
        &self,
        chain: impl AsRef<Path>,
        key: impl AsRef<Path>,
    ) -> Result<(), Error> {
        self.replace(read(chain.as_ref())?, read(key.as_ref())?)
    }

    pub(super) async fn accept(&self, stream: TcpStream) -> std::io::Result<TlsStream<TcpStream>> {
        let config = Arc::clone(&self.0.load().config);
        TlsAcceptor::from(config).accept(stream).await
    }

    fn of(settings: Settings) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(settings)))
    }
}

impl Settings {
    fn new(chain: &[u8], key: &[u8], clients: Option<Arc<RootCertStore>>) -> Result<Self, Error> {
        let config = Arc::new(configure(chain, key, clients.as_ref())?);
        Ok(Self { config, clients })
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("mutual", &self.0.load().clients.is_some())
            .finish_non_exhaustive()
    }
}

fn configure(
    chain: &[u8],
    key: &[u8],
    clients: Option<&Arc<RootCertStore>>,
) -> Result<ServerConfig, Error> {
    let chain = certificates("certificate", chain)?;
    let key = private_key(key)?;
    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(misfit)?;
    let builder = match clients {
        Some(roots) => builder.with_client_cert_verifier(
            WebPkiClientVerifier::builder_with_provider(Arc::clone(roots), provider)
                .build()
                .map_err(misfit)?,
        ),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_single_cert(chain, key).map_err(misfit)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
