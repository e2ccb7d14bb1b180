//! Connections of the client.

use tonic::transport::{Channel, Endpoint};

use crate::client::Dial;

/// Connects when it has to.
pub(super) fn channel(dial: Dial) -> Channel {
    const PART: &str = "the address was part of one";
    let endpoint = Endpoint::from_shared(format!("http://{}", dial.address)).expect(PART);
    #[cfg(feature = "tls")]
    if dial.address.is_secure() {
        let origin = format!("https://{}", dial.address).parse().expect(PART);
        return endpoint
            .origin(origin)
            .connect_with_connector_lazy(secure::Secure(dial.into()));
    }
    endpoint
        .connect_timeout(dial.limit)
        .tcp_nodelay(true)
        .connect_lazy()
}

#[cfg(feature = "tls")]
mod secure {
    use std::future::Future;
    use std::io;
    use std::pin::Pin;
    use std::sync::Arc;
    use std::task::{Context, Poll};

    use axum::http::Uri;
    use hyper_util::rt::TokioIo;
    use tokio::net::TcpStream;
    use tokio_rustls::client::TlsStream;
    use tower_service::Service;

    use crate::client::Dial;

    /// Opens connections with TLS, to one server whatever is asked for.
    pub(super) struct Secure(pub(super) Arc<Dial>);

    type Opened = io::Result<TokioIo<TlsStream<TcpStream>>>;

    impl Service<Uri> for Secure {
        type Response = TokioIo<TlsStream<TcpStream>>;
        type Error = io::Error;
        type Future = Pin<Box<dyn Future<Output = Opened> + Send>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, _: Uri) -> Self::Future {
            let dial = Arc::clone(&self.0);
            Box::pin(async move { dial.secure().await.map(TokioIo::new) })
        }
    }
}
