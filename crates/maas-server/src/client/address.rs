use std::fmt;

use hyper::Uri;

use crate::Error;

/// Where a server is, and how it is spoken to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub(super) scheme: Scheme,
    pub(super) host: String,
    pub(super) port: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    Http,
    #[cfg(feature = "tls")]
    Https,
    #[cfg(feature = "grpc")]
    Grpc,
    #[cfg(all(feature = "grpc", feature = "tls"))]
    Grpcs,
}

impl Address {
    /// Reads `SCHEME://HOST:PORT`; without a port it is the scheme's.
    pub(super) fn parse(url: &str) -> Result<Self, Error> {
        let invalid = || Error::Url {
            found: url.to_owned(),
        };
        let uri: Uri = url.parse().map_err(|_| invalid())?;
        let (scheme, port) = match uri.scheme_str() {
            Some("http") => (Scheme::Http, 80),
            #[cfg(feature = "tls")]
            Some("https") => (Scheme::Https, 443),
            #[cfg(feature = "grpc")]
            Some("grpc") => (Scheme::Grpc, 80),
            #[cfg(all(feature = "grpc", feature = "tls"))]
            Some("grpcs") => (Scheme::Grpcs, 443),
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

    /// Whether it is spoken to in REST.
    pub(super) fn is_rest(&self) -> bool {
        match self.scheme {
            Scheme::Http => true,
            #[cfg(feature = "tls")]
            Scheme::Https => true,
            #[cfg(feature = "grpc")]
            Scheme::Grpc => false,
            #[cfg(all(feature = "grpc", feature = "tls"))]
            Scheme::Grpcs => false,
        }
    }

    /// Whether TLS comes before that.
    #[cfg(feature = "tls")]
    pub(crate) fn is_secure(&self) -> bool {
        match self.scheme {
            Scheme::Http => false,
            Scheme::Https => true,
            #[cfg(feature = "grpc")]
            Scheme::Grpc => false,
            #[cfg(feature = "grpc")]
            Scheme::Grpcs => true,
        }
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
