use std::time::Duration;

/// What connections may take of the server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) head_timeout: Duration,
    pub(crate) drain_timeout: Duration,
    pub(crate) connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        let seconds = Duration::from_secs(30);
        Self {
            head_timeout: seconds,
            drain_timeout: seconds,
            connections: 1024,
        }
    }
}
