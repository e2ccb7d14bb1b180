use std::fmt;

use hyper::Uri;

use crate::Error;

/// Where a server is, and how it is spoken to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) scheme: Scheme,
    pub(super) host: String,
    pub(super) port: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    Http,
    #[cfg(feature = "grpc")]
    Grpc,
}

impl Address {
    /// Reads `http://HOST:PORT`; without a port it is the scheme's.
    pub(super) fn parse(url: &str) -> Result<Self, Error> {
        let invalid = || Error::Url {
            found: url.to_owned(),
        };
        let uri: Uri = url.parse().map_err(|_| invalid())?;
        let (scheme, port) = match uri.scheme_str() {
            Some("http") => (Scheme::Http, 80),
            #[cfg(feature = "grpc")]
            Some("grpc") => (Scheme::Grpc, 80),
            _ => return Err(invalid()),
        };
        let authority = uri.authority().ok_or_else(invalid)?;
        let is_bare = matches!(uri.path_and_query(), Some(path) if path == "/");
        let host = authority.host();
        let found = authority.port_u16();
        // What follows the host is a port, and nothing stands before it.
        let is_plain = found.is_some() || authority.as_str() == host;
        if !is_bare || !is_plain || host.is_empty() || authority.as_str().contains('@') {
            return Err(invalid());
        }
        Ok(Self {
            scheme,
            host: host.to_owned(),
            port: found.unwrap_or(port),
        })
    }

    /// The host as the resolver wants it.
    pub(super) fn bare_host(&self) -> &str {
        let bracketed = self.host.strip_prefix('[');
        bracketed
            .and_then(|host| host.strip_suffix(']'))
            .unwrap_or(&self.host)
    }
}

/// `HOST:PORT`, as the header `Host` wants it.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scheme_a_host_and_perhaps_a_port() {
        for (url, address) in [
            ("http://127.0.0.1:8000", "127.0.0.1:8000"),
            ("http://wine.example/", "wine.example:80"),
            ("http://[::1]:8000", "[::1]:8000"),
        ] {
            let parsed = Address::parse(url).expect("an address");
            assert_eq!(parsed.to_string(), address);
        }
        let local = Address::parse("http://[::1]:1").expect("an address");
        assert_eq!(local.bare_host(), "::1");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for url in [
            "",
            "wine",
            "127.0.0.1:8000",
            "ftp://127.0.0.1",
            "http://",
            "http:///v2",
            "http://host/v2",
            "http://host/?a",
            "http://user@host",
            "http://ho st",
            "http://host:99999",
        ] {
            assert!(
                matches!(Address::parse(url), Err(Error::Url { .. })),
                "{url}"
            );
        }
    }
}
