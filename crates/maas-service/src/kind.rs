/// What an error means to who asked: the one table from which protocols take their codes.
///
/// | kind | HTTP | gRPC |
/// | --- | --- | --- |
/// | [`NotFound`](Self::NotFound) | 404 | 5 `NOT_FOUND` |
/// | [`Invalid`](Self::Invalid) | 400 | 3 `INVALID_ARGUMENT` |
/// | [`Limited`](Self::Limited) | 429 | 8 `RESOURCE_EXHAUSTED` |
/// | [`Overloaded`](Self::Overloaded) | 503 | 14 `UNAVAILABLE` |
/// | [`Unavailable`](Self::Unavailable) | 503 | 14 `UNAVAILABLE` |
/// | [`Deadline`](Self::Deadline) | 504 | 4 `DEADLINE_EXCEEDED` |
/// | [`Unsupported`](Self::Unsupported) | 501 | 12 `UNIMPLEMENTED` |
/// | [`Internal`](Self::Internal) | 500 | 13 `INTERNAL` |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// There is no such model, version or replica.
    NotFound,
    /// The request is wrong; to send it again changes nothing.
    Invalid,
    /// Who asks has as much as it may have; others may ask.
    Limited,
    /// There is too much to do right now.
    Overloaded,
    /// Nobody can answer right now.
    Unavailable,
    /// The answer did not come in time, or could not.
    Deadline,
    /// Not implemented.
    Unsupported,
    /// The service is broken.
    Internal,
}

impl ErrorKind {
    const ALL: [(Self, u16, u8); 8] = [
        (Self::NotFound, 404, 5),
        (Self::Invalid, 400, 3),
        (Self::Limited, 429, 8),
        (Self::Unavailable, 503, 14),
        (Self::Overloaded, 503, 14),
        (Self::Deadline, 504, 4),
        (Self::Unsupported, 501, 12),
        (Self::Internal, 500, 13),
    ];

    /// The status of an HTTP response.
    ///
    /// ```
    /// assert_eq!(maas_service::ErrorKind::Overloaded.http_status(), 503);
    /// ```
    #[must_use]
    pub fn http_status(self) -> u16 {
        self.codes().0
    }

    /// The number of a gRPC status.
    ///
    /// ```
    /// assert_eq!(maas_service::ErrorKind::Deadline.grpc_code(), 4);
    /// ```
    #[must_use]
    pub fn grpc_code(self) -> u8 {
        self.codes().1
    }

    /// What an HTTP status of another server means.
    ///
    /// ```
    /// use maas_service::ErrorKind;
    /// assert_eq!(ErrorKind::of_http_status(404), ErrorKind::NotFound);
    /// assert_eq!(ErrorKind::of_http_status(418), ErrorKind::Invalid);
    /// assert_eq!(ErrorKind::of_http_status(502), ErrorKind::Unavailable);
    /// assert_eq!(ErrorKind::of_http_status(401), ErrorKind::Internal);
    /// ```
    #[must_use]
    pub fn of_http_status(status: u16) -> Self {
        let mut all = Self::ALL.into_iter();
        match (all.find(|&(_, http, _)| http == status), status) {
            (Some((kind, ..)), _) => kind,
            (None, 502) => Self::Unavailable,
            // Who is not admitted here cannot be helped by its own clients.
            (None, 401 | 403) => Self::Internal,
            (None, 400..=499) => Self::Invalid,
            (None, _) => Self::Internal,
        }
    }

    fn codes(self) -> (u16, u8) {
        let mut all = Self::ALL.into_iter();
        let found = all.find(|&(kind, ..)| kind == self);
        found.map_or((500, 13), |(_, http, grpc)| (http, grpc))
    }
}
