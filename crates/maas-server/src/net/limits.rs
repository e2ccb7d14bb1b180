use std::time::Duration;

/// What connections may take of the server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) connections: usize,
    pub(crate) head_timeout: Duration,
    pub(crate) idle_timeout: Duration,
    /// How long an answer may wait for its client to take more of it.
    pub(crate) stall_timeout: Duration,
    pub(crate) age: Option<Duration>,
    /// An HTTP/2 client that says nothing for so long is asked whether it is there,
    pub(crate) ping_interval: Duration,
    /// and has so long to answer.
    pub(crate) ping_timeout: Duration,
    pub(crate) drain_delay: Duration,
    pub(crate) drain_timeout: Duration,
}

impl Limits {
    /// The time in which no limit on what a connection does can be over.
    pub(super) fn shortest(&self) -> Duration {
        self.head_timeout
            .min(self.idle_timeout)
            .min(self.stall_timeout)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1024,
            head_timeout: Duration::from_secs(30),
            // Longer than proxies keep theirs, so that it is they who close.
            idle_timeout: Duration::from_secs(120),
            stall_timeout: Duration::from_secs(60),
            age: None,
            ping_interval: Duration::from_secs(30),
            ping_timeout: Duration::from_secs(20),
            drain_delay: Duration::ZERO,
            drain_timeout: Duration::from_secs(30),
        }
    }
}
