//! TLS, with certificates made for the test.
#![cfg(feature = "tls")]
#![allow(clippy::unwrap_used)]

mod common;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use common::Http;
use common::authority::{Authority, Identity};
use maas_server::{RunningServer, Server, Tls};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

static TLS12: &[&SupportedProtocolVersion] = &[&rustls::version::TLS12];
static TLS13: &[&SupportedProtocolVersion] = &[&rustls::version::TLS13];

fn start(tls: &Tls) -> RunningServer {
    let server = Server::new()
        .tls(tls.clone())
        .head_timeout(Duration::from_millis(500));
    common::start(server)
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Runtime::new().unwrap()
}

struct Client<'a> {
    authority: &'a Authority,
    identity: Option<&'a Identity>,
    versions: &'static [&'static SupportedProtocolVersion],
    alpn: &'static [u8],
}

impl<'a> Client<'a> {
    fn of(authority: &'a Authority) -> Self {
        Self {
            authority,
            identity: None,
            versions: rustls::ALL_VERSIONS,
            alpn: b"http/1.1",
        }
    }

    async fn connect(&self, address: SocketAddr) -> std::io::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        let authority = CertificateDer::from_pem_slice(self.authority.pem.as_bytes()).unwrap();
        roots.add(authority).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(self.versions)
            .unwrap()
            .with_root_certificates(roots);
        let mut config = match self.identity {
            Some((certificate, key)) => builder
                .with_client_auth_cert(
                    vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()],
                    PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap(),
                )
                .unwrap(),
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = vec![self.alpn.to_vec()];
        let name = ServerName::try_from("localhost").unwrap();
        let stream = TcpStream::connect(address).await?;
        TlsConnector::from(Arc::new(config))
            .connect(name, stream)
            .await
    }

    /// What the server answers, which is an error where it does not like the client.
    async fn ask(&self, address: SocketAddr) -> std::io::Result<String> {
        let mut stream = self.connect(address).await?;
        stream
            .write_all(b"GET /v2/health/live HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
            .await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        Ok(answer)
    }
}

#[test]
fn both_versions_of_tls_and_http_are_spoken() {
    let authority = Authority::new();
    let (chain, key) = authority.sign("localhost");
    let server = start(&Tls::from_pem(chain, key).unwrap());
    assert!(server.url().starts_with("https://"));
    runtime().block_on(async {
        for versions in [TLS12, TLS13] {
            let client = Client {
                versions,
                ..Client::of(&authority)
            };
            let answer = client.ask(server.addr()).await.unwrap();
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        }
        let client = Client {
            alpn: b"h2",
            ..Client::of(&authority)
        };
        let stream = client.connect(server.addr()).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"h2".as_slice()));
        let mut http = common::http2::Http2::over(stream).await;
        assert_eq!(http.get("/v2/health/live").await.unwrap().0, 200);
    });
    server.shutdown_blocking().unwrap();
}

#[test]
fn a_client_refuses_a_certificate_of_an_authority_that_it_does_not_know() {
    let (chain, key) = Authority::new().sign("localhost");
    let server = start(&Tls::from_pem(chain, key).unwrap());
    let authority = Authority::new();
    let answer = runtime().block_on(Client::of(&authority).ask(server.addr()));
    assert!(answer.is_err());
    server.shutdown_blocking().unwrap();
}

#[test]
fn clients_need_certificates_where_they_are_demanded() {
    let (authority, clients, others) = (Authority::new(), Authority::new(), Authority::new());
    let (chain, key) = authority.sign("localhost");
    let tls = Tls::mutual(chain, key, &clients.pem).unwrap();
    let server = start(&tls);
    let (known, stranger) = (clients.sign("shop"), others.sign("shop"));
    runtime().block_on(async {
        for (identity, welcome) in [
            (Some(&known), true),
            (Some(&stranger), false),
            (None, false),
        ] {
            let client = Client {
                identity,
                ..Client::of(&authority)
            };
            assert_eq!(client.ask(server.addr()).await.is_ok(), welcome);
        }
    });
    server.shutdown_blocking().unwrap();
}

#[test]
fn a_certificate_is_replaced_without_a_restart() {
    let (old, new) = (Authority::new(), Authority::new());
    let (chain, key) = old.sign("localhost");
    let tls = Tls::from_pem(&chain, &key).unwrap();
    let server = start(&tls);
    runtime().block_on(async {
        assert!(Client::of(&old).ask(server.addr()).await.is_ok());
        let (next_chain, next_key) = new.sign("localhost");
        assert!(tls.replace(&next_chain, &key).is_err());
        assert!(Client::of(&old).ask(server.addr()).await.is_ok());
        tls.replace(&next_chain, &next_key).unwrap();
        assert!(Client::of(&new).ask(server.addr()).await.is_ok());
        assert!(Client::of(&old).ask(server.addr()).await.is_err());
    });
    server.shutdown_blocking().unwrap();
}

#[test]
fn who_signs_for_clients_is_replaced_without_a_restart() {
    let authority = Authority::new();
    let (old, new) = (Authority::new(), Authority::new());
    let (chain, key) = authority.sign("localhost");
    let tls = Tls::mutual(&chain, &key, &old.pem).unwrap();
    let server = start(&tls);
    let (leaving, coming) = (old.sign("shop"), new.sign("shop"));
    let welcome = async |identity| {
        let client = Client {
            identity: Some(identity),
            ..Client::of(&authority)
        };
        client.ask(server.addr()).await.is_ok()
    };
    runtime().block_on(async {
        tls.replace(&chain, &key).unwrap();
        assert!(welcome(&leaving).await && !welcome(&coming).await);
        tls.replace_with(&Tls::mutual(&chain, &key, &new.pem).unwrap());
        assert!(!welcome(&leaving).await && welcome(&coming).await);
    });
    server.shutdown_blocking().unwrap();
}

#[test]
fn plain_text_and_silence_end_soon() {
    let authority = Authority::new();
    let (chain, key) = authority.sign("localhost");
    let server = start(&Tls::from_pem(chain, key).unwrap());
    let (mut plain, mut silent) = (Http::to(&server), Http::to(&server));
    plain.send("GET /v2 HTTP/1.1\r\nHost: h\r\n\r\n");
    assert!(plain.reply().is_none());
    assert!(silent.reply().is_none());
    let answer = runtime().block_on(Client::of(&authority).ask(server.addr()));
    assert!(answer.unwrap().starts_with("HTTP/1.1 200"));
    server.shutdown_blocking().unwrap();
}

#[test]
fn what_is_no_certificate_says_so() {
    let (chain, key) = Authority::new().sign("localhost");
    for (chain, key, expected) in [
        ("nothing", &*key, "no certificate can be read"),
        (&*chain, "nothing", "no private key can be read"),
    ] {
        assert_eq!(Tls::from_pem(chain, key).unwrap_err().to_string(), expected);
    }
    let (_, other) = Authority::new().sign("localhost");
    let error = Tls::from_pem(&chain, &other).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the certificate and the key cannot be used"
    );
}
