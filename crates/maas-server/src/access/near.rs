//! Who asks from this machine in earnest. A browser on it may be led here by any page: from its own origin, or under a name
//! of its own that leads here.

use std::net::IpAddr;

use axum::http::header::{HOST, ORIGIN};
use axum::http::request::Parts;
use axum::http::uri::Authority;

/// Whether the request calls the server by a name of this machine, and is of no page of another origin.
pub(super) fn is_near(request: &Parts) -> bool {
    let Some(named) = authority(request) else {
        // Only programs leave it out.
        return !request.headers.contains_key(ORIGIN);
    };
    let mut origins = request.headers.get_all(ORIGIN).iter();
    let is_own = origins.all(|origin| {
        let origin = origin.as_bytes();
        let page = [&b"http://"[..], b"https://"].map(|scheme| origin.strip_prefix(scheme));
        page.contains(&Some(named.as_str().as_bytes()))
    });
    is_own && is_of_this_machine(named.host())
}

fn authority(request: &Parts) -> Option<Authority> {
    match request.uri.authority() {
        Some(authority) => Some(authority.clone()),
        None => Authority::try_from(request.headers.get(HOST)?.as_bytes()).ok(),
    }
}

fn is_of_this_machine(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    match bare.parse::<IpAddr>() {
        Ok(address) => address.to_canonical().is_loopback(),
        Err(_) => {
            let name = bare.to_ascii_lowercase();
            name == "localhost" || name.ends_with(".localhost")
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn near(host: &str, origin: &str) -> bool {
        let mut request = Request::post("/v2/repository/models/a/unload");
        for (name, value) in [(HOST, host), (ORIGIN, origin)] {
            if !value.is_empty() {
                request = request.header(name, value);
            }
        }
        is_near(&request.body(()).expect("a request").into_parts().0)
    }

    #[test]
    fn programs_of_this_machine_and_its_own_pages_are_near() {
        for (host, origin) in [
            ("", ""),
            ("localhost:8000", ""),
            ("LocalHost", ""),
            ("wine.localhost:8000", ""),
            ("127.0.0.1:8000", ""),
            ("127.9.8.7", ""),
            ("[::1]:8000", ""),
            ("[::ffff:127.0.0.1]:8000", ""),
            ("localhost:8000", "http://localhost:8000"),
            ("localhost:8000", "https://localhost:8000"),
        ] {
            assert!(near(host, origin), "{host} {origin}");
        }
    }

    #[test]
    fn pages_of_others_and_names_that_others_give_are_not() {
        for (host, origin) in [
            ("localhost:8000", "http://evil.example"),
            ("localhost:8000", "http://localhost:9000"),
            ("localhost:8000", "http://localhost:8000.evil.example"),
            ("localhost:8000", "null"),
            ("evil.example:8000", ""),
            ("evil.example:8000", "http://evil.example:8000"),
            ("localhost.evil.example", ""),
            ("192.168.0.7:8000", ""),
            ("", "http://evil.example"),
        ] {
            assert!(!near(host, origin), "{host} {origin}");
        }
    }
}
