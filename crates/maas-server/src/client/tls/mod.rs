//! TLS before HTTP, as a client speaks it.

mod failure;

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use rustls::client::WantsClientCert;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ConfigBuilder, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::address::Address;
use crate::Error;
use crate::pem::{authorities, certificates, misfit, private_key, read};
pub use failure::TlsFailure;
pub(crate) use failure::untrusted;

/// Whose certificates a client trusts, and which one it shows: TLS 1.2 and 1.3, for REST and gRPC.
///
/// ```no_run
/// use maas_server::{Client, ClientTls, RemoteModel};
///
/// let tls = ClientTls::authorities_file("authority.pem")?.identity_files("shop.pem", "shop.key")?;
/// let client = Client::new("https://wine.example:8000")?.tls(tls.clone());
/// let remote = RemoteModel::at("grpcs://wine.example:8000", "wine").tls(tls).connect_blocking()?;
/// # Ok::<(), maas_server::Error>(())
/// ```
#[derive(Clone)]
pub struct ClientTls {
    rest: Arc<ClientConfig>,
    #[cfg(feature = "grpc")]
    grpc: Arc<ClientConfig>,
    roots: Arc<RootCertStore>,
    name: Option<ServerName<'static>>,
}

impl ClientTls {
    /// Trusts the authorities that the operating system trusts, as clients do that are told nothing else. The variables
    /// `SSL_CERT_FILE` and `SSL_CERT_DIR` name others.
    ///
    /// # Errors
    ///
    /// [`Error::Tls`] with [`TlsFailure::NoAuthorities`] where there are none.
    ///
    /// ```no_run
    /// let tls = maas_server::ClientTls::system()?;
    /// # Ok::<(), maas_server::Error>(())
    /// ```
    pub fn system() -> Result<Self, Error> {
        let mut roots = RootCertStore::empty();
        // Systems have some that are too old for anybody to read.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            return Err(misfit(TlsFailure::NoAuthorities));
        }
        Self::trusting(Arc::new(roots), None)
    }

    /// Trusts these authorities, in PEM, and no others.
    ///
    /// # Errors
    ///
    /// [`Error::Pem`] for what cannot be read, [`Error::Tls`] for what is no authority.
    ///
    /// ```
    /// assert!(maas_server::ClientTls::authorities("no certificate").is_err());
    /// ```
    pub fn authorities(pem: impl AsRef<[u8]>) -> Result<Self, Error> {
        Self::trusting(Arc::new(authorities(pem.as_ref())?), None)
    }

    /// As [`authorities`](Self::authorities), from a file.
    ///
    /// # Errors
    ///
    /// Those of [`authorities`](Self::authorities), and [`Error::Read`] for a file that is not there.
    ///
    /// ```
    /// assert!(maas_server::ClientTls::authorities_file("nowhere.pem").is_err());
    /// ```
    pub fn authorities_file(path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::authorities(read(path.as_ref())?)
    }

    /// Shows this chain of certificates, the client's own first, to servers that ask for one (mutual TLS), with its private
    /// key; both in PEM.
    ///
    /// # Errors
    ///
    /// [`Error::Pem`] for what cannot be read, [`Error::Tls`] for what does not fit together.
    ///
    /// ```no_run
    /// let tls = maas_server::ClientTls::system()?.identity(std::fs::read("shop.pem")?, std::fs::read("shop.key")?)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn identity(self, chain: impl AsRef<[u8]>, key: impl AsRef<[u8]>) -> Result<Self, Error> {
        let chain = certificates("certificate", chain.as_ref())?;
        let identity = (chain, private_key(key.as_ref())?);
        let name = self.name;
        let shown = Self::trusting(self.roots, Some(identity))?;
        Ok(Self { name, ..shown })
    }

    /// As [`identity`](Self::identity), from files.
    ///
    /// # Errors
    ///
    /// Those of [`identity`](Self::identity), and [`Error::Read`] for files that are not there.
    ///
    /// ```no_run
    /// let tls = maas_server::ClientTls::system()?.identity_files("shop.pem", "shop.key")?;
    /// # Ok::<(), maas_server::Error>(())
    /// ```
    pub fn identity_files(
        self,
        chain: impl AsRef<Path>,
        key: impl AsRef<Path>,
    ) -> Result<Self, Error> {
        self.identity(read(chain.as_ref())?, read(key.as_ref())?)
    }

    /// Expects certificates for this name, in place of the address's host: for servers that are reached by number.
    ///
    /// # Errors
    ///
    /// [`Error::Tls`] for what is neither a name of the DNS nor an IP address.
    ///
    /// ```no_run
    /// let tls = maas_server::ClientTls::system()?.server_name("wine.example")?;
    /// # Ok::<(), maas_server::Error>(())
    /// ```
    pub fn server_name(mut self, name: impl Into<String>) -> Result<Self, Error> {
        self.name = Some(ServerName::try_from(name.into()).map_err(misfit)?);
        Ok(self)
    }

    /// As [`system`](Self::system), of which one is enough for the process.
    pub(super) fn of_system() -> io::Result<&'static Self> {
        static SYSTEM: OnceLock<ClientTls> = OnceLock::new();
        match SYSTEM.get() {
            Some(system) => Ok(system),
            None => {
                let system = Self::system().map_err(io::Error::other)?;
                Ok(SYSTEM.get_or_init(|| system))
            }
        }
    }

    fn trusting(
        roots: Arc<RootCertStore>,
        identity: Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>,
    ) -> Result<Self, Error> {
        let builder = builder(&roots)?;
        let config = match identity {
            Some((chain, key)) => builder.with_client_auth_cert(chain, key).map_err(misfit)?,
            None => builder.with_no_client_auth(),
        };
        let speaking = |protocol: &[u8]| {
            let mut config = config.clone();
            config.alpn_protocols = vec![protocol.to_vec()];
            Arc::new(config)
        };
        Ok(Self {
            rest: speaking(b"http/1.1"),
            #[cfg(feature = "grpc")]
            grpc: speaking(b"h2"),
            roots,
            name: None,
        })
    }

    /// What is said before HTTP to the server at `address`.
    pub(super) async fn secure(
        &self,
        address: &Address,
        stream: TcpStream,
    ) -> io::Result<TlsStream<TcpStream>> {
        #[cfg(feature = "grpc")]
        let config = if address.is_rest() {
            &self.rest
        } else {
            &self.grpc
        };
        #[cfg(not(feature = "grpc"))]
        let config = &self.rest;
        let name = match &self.name {
            Some(name) => name.clone(),
            None => ServerName::try_from(address.bare_host().to_owned())
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?,
        };
        TlsConnector::from(Arc::clone(config))
            .connect(name, stream)
            .await
    }
}

fn builder(
    roots: &Arc<RootCertStore>,
) -> Result<ConfigBuilder<ClientConfig, WantsClientCert>, Error> {
    let provider = Arc::new(ring::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(misfit)?
        .with_root_certificates(Arc::clone(roots)))
}

impl fmt::Debug for ClientTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientTls")
            .field("authorities", &self.roots.len())
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
