use std::future::Future;
use std::io;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;
#[cfg(feature = "tls")]
use tokio_rustls::client::TlsStream;

use super::address::Address;
#[cfg(feature = "tls")]
use super::tls::ClientTls;

/// How connections to a server begin.
#[derive(Clone, Debug)]
pub(crate) struct Dial {
    pub(crate) address: Address,
    /// More is not waited for one.
    pub(crate) limit: Duration,
    /// Whom the client trusts, where that is said.
    #[cfg(feature = "tls")]
    pub(crate) tls: Option<ClientTls>,
}

const LIMIT: Duration = Duration::from_secs(5);

impl Dial {
    pub(super) fn new(address: Address) -> Self {
        Self {
            address,
            limit: LIMIT,
            #[cfg(feature = "tls")]
            tls: None,
        }
    }

    pub(super) async fn plain(&self) -> io::Result<TcpStream> {
        self.within(self.tcp()).await
    }

    #[cfg(feature = "tls")]
    pub(crate) async fn secure(&self) -> io::Result<TlsStream<TcpStream>> {
        let connecting = async {
            let tls = match &self.tls {
                Some(tls) => tls,
                None => ClientTls::of_system()?,
            };
            tls.secure(&self.address, self.tcp().await?).await
        };
        self.within(connecting).await
    }

    async fn tcp(&self) -> io::Result<TcpStream> {
        let Address { port, .. } = self.address;
        let stream = TcpStream::connect((self.address.bare_host(), port)).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    async fn within<T>(&self, connecting: impl Future<Output = io::Result<T>>) -> io::Result<T> {
        timeout(self.limit, connecting)
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }
}
