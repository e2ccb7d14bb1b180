//! Clients that speak TLS with our own server, with certificates made for the test.
#![cfg(feature = "tls")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::time::Duration;

use common::authority::Authority;
use common::{start, sums};
use maas_core::Tensor;
use maas_server::{Client, ClientTls, Connect, Error, RemoteModel, RunningServer, Server};
use maas_server::{Tls, TlsFailure};
use maas_service::{Balanced, ErrorKind, InferRequest, LocalModel, Readiness, ServeError, Service};
use rcgen::{CertificateParams, KeyPair};

/// The ways to speak TLS, as they stand in addresses.
const SCHEMES: &[&str] = &[
    "https",
    #[cfg(feature = "grpc")]
    "grpcs",
];

fn serve(tls: Tls) -> RunningServer {
    start(
        Server::new()
            .model("sums", LocalModel::new(sums(|_| {})))
            .tls(tls),
    )
}

fn serve_as(authority: &Authority, name: &str) -> RunningServer {
    let (chain, key) = authority.sign(name);
    serve(Tls::from_pem(chain, key).unwrap())
}

fn trust(authority: &Authority) -> ClientTls {
    ClientTls::authorities(&authority.pem).unwrap()
}

fn at(server: &RunningServer, scheme: &str) -> Connect {
    RemoteModel::at(server.url().replace("https", scheme), "sums")
        .probing_every(Duration::from_millis(20))
}

fn request() -> InferRequest {
    InferRequest::new("sums").input("x", Tensor::from_slice([1, 2], &[1.0_f32, 0.5]).unwrap())
}

fn check(service: &impl Service) {
    let response = pollster::block_on(service.infer(request())).unwrap();
    assert_eq!(response.rows().unwrap(), ndarray::array![[1.5]]);
}

fn failure(error: &ServeError) -> TlsFailure {
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    match error {
        ServeError::Untrusted { source, .. } => {
            source.downcast_ref::<TlsFailure>().unwrap().clone()
        }
        other => panic!("expected a failure of TLS, found {other:?}"),
    }
}

fn refused(connect: Connect) -> TlsFailure {
    match connect.connect_blocking().unwrap_err() {
        Error::Model(error) => failure(&error),
        other => panic!("expected what the model says, found {other:?}"),
    }
}

#[test]
fn a_trusted_server_is_asked() {
    let authority = Authority::new();
    let server = serve_as(&authority, "127.0.0.1");
    let client = Client::new(server.url()).unwrap().tls(trust(&authority));
    assert!(client.is_ready().unwrap());
    for _ in 0..3 {
        let response = client
            .infer("sums", ndarray::array![[1.0, 0.5]].view())
            .unwrap();
        assert_eq!(response.rows().unwrap(), ndarray::array![[1.5]]);
    }
    for scheme in SCHEMES {
        let remote = at(&server, scheme).tls(trust(&authority));
        let remote = remote.connect_blocking().unwrap();
        check(&remote);
        check(&remote);
        assert_eq!(remote.ready(), Readiness::Ready);
    }
}

#[test]
fn an_unknown_authority_is_not_trusted() {
    let server = serve_as(&Authority::new(), "127.0.0.1");
    let (other, own) = (Authority::new(), CertificateParams::default());
    let own = own.self_signed(&KeyPair::generate().unwrap()).unwrap();
    for scheme in SCHEMES {
        let connect = at(&server, scheme).tls(trust(&other));
        assert_eq!(refused(connect), TlsFailure::UnknownAuthority);
        let of_one = ClientTls::authorities(own.pem()).unwrap();
        let connect = at(&server, scheme).tls(of_one);
        assert_eq!(refused(connect), TlsFailure::UnknownAuthority);
    }
    let client = Client::new(server.url()).unwrap().tls(trust(&other));
    let error = client.is_live().unwrap_err();
    assert_eq!(failure(&error), TlsFailure::UnknownAuthority);
    assert_eq!(
        error.to_string(),
        format!(
            "there is no trusted connection to the server at {}",
            server.addr()
        )
    );
}

#[test]
fn a_certificate_of_another_name_is_not_trusted_unless_that_is_expected() {
    let authority = Authority::new();
    let server = serve_as(&authority, "wine.example");
    for scheme in SCHEMES {
        let expected = TlsFailure::WrongName {
            expected: "127.0.0.1".to_owned(),
            presented: vec!["wine.example".to_owned()],
        };
        let connect = at(&server, scheme).tls(trust(&authority));
        assert_eq!(refused(connect), expected);
        let named = trust(&authority).server_name("wine.example").unwrap();
        check(&at(&server, scheme).tls(named).connect_blocking().unwrap());
    }
    assert!(trust(&authority).server_name("no name").is_err());
}

#[test]
fn a_certificate_of_another_time_is_not_trusted() {
    let authority = Authority::new();
    for (year, expected) in [(1999, TlsFailure::Expired), (4000, TlsFailure::NotYetValid)] {
        let (chain, key) = authority.sign_for("127.0.0.1", year);
        let server = serve(Tls::from_pem(chain, key).unwrap());
        for scheme in SCHEMES {
            let connect = at(&server, scheme).tls(trust(&authority));
            assert_eq!(refused(connect), expected);
        }
    }
}

#[test]
fn a_client_shows_its_certificate() {
    let (authority, clients, others) = (Authority::new(), Authority::new(), Authority::new());
    let (chain, key) = authority.sign("127.0.0.1");
    let server = serve(Tls::mutual(chain, key, &clients.pem).unwrap());
    let (chain, key) = clients.sign("shop");
    let known = trust(&authority).identity(&chain, &key).unwrap();
    let (stranger, stranger_key) = others.sign("shop");
    let unknown = trust(&authority)
        .identity(&stranger, &stranger_key)
        .unwrap();
    for scheme in SCHEMES {
        let remote = at(&server, scheme).tls(known.clone());
        check(&remote.connect_blocking().unwrap());
        for tls in [trust(&authority), unknown.clone()] {
            let error = at(&server, scheme).tls(tls).connect_blocking();
            let Error::Model(error) = error.unwrap_err() else {
                panic!("expected what the model says");
            };
            assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
        }
    }
    assert!(trust(&authority).identity(&chain, &stranger_key).is_err());
    assert!(trust(&authority).identity("nothing", &key).is_err());
}

#[test]
fn a_server_without_tls_and_one_with_it_are_told_apart() {
    let authority = Authority::new();
    let plain = start(Server::new().model("sums", LocalModel::new(sums(|_| {}))));
    for scheme in SCHEMES {
        let url = plain.url().replace("http", scheme);
        let connect = RemoteModel::at(url, "sums").tls(trust(&authority));
        assert!(matches!(refused(connect), TlsFailure::Other { .. }));
    }
    let server = serve_as(&authority, "127.0.0.1");
    let url = server.url().replace("https", "http");
    let error = Client::new(url).unwrap().is_live().unwrap_err();
    assert!(error.is_retryable(), "{error:?}");
}

#[test]
fn a_pool_goes_on_without_a_member_that_is_not_trusted() {
    let authority = Authority::new();
    let (good, bad) = (
        serve_as(&authority, "127.0.0.1"),
        serve_as(&authority, "wine.example"),
    );
    for scheme in SCHEMES {
        let first = at(&good, scheme).tls(trust(&authority));
        let first = first.connect_blocking().unwrap();
        let description = first.describe();
        let second = at(&bad, scheme).tls(trust(&authority));
        let second = second.described(description).unwrap();
        let pool = Balanced::over([first, second]).unwrap();
        for _ in 0..20 {
            check(&pool);
        }
        common::wait_until(|| pool.member("1").unwrap().ready() == Readiness::Down);
    }
}
