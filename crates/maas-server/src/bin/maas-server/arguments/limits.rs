use std::num::NonZeroUsize;
use std::time::Duration;

use clap::Args;
use maas_server::Server;

use super::seconds;

/// What clients may take of the server, and how it ends.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits")]
pub(crate) struct Limits {
    /// Connections that are open at once; more wait to be accepted
    #[arg(
        long,
        value_name = "N",
        env = "MAAS_CONNECTIONS",
        default_value = "1024"
    )]
    connections: NonZeroUsize,

    /// The bytes that a request may have, unpacked too
    #[arg(
        long,
        value_name = "BYTES",
        env = "MAAS_BODY_LIMIT",
        default_value = "67108864"
    )]
    body_limit: usize,

    /// How long a request's head may take
    #[arg(long, value_name = "SECONDS", env = "MAAS_HEAD_TIMEOUT", default_value = "30", value_parser = seconds)]
    head_timeout: Duration,

    /// How long a request's body may take, and a client that takes no answer
    #[arg(long, value_name = "SECONDS", env = "MAAS_BODY_TIMEOUT", default_value = "60", value_parser = seconds)]
    body_timeout: Duration,

    /// How long a connection may be open without requests: longer than that of a proxy before the server
    #[arg(long, value_name = "SECONDS", env = "MAAS_IDLE_TIMEOUT", default_value = "120", value_parser = seconds)]
    idle_timeout: Duration,

    /// How long a client of HTTP/2 may say nothing while it waits, before it is asked whether it is there
    #[arg(long, value_name = "SECONDS", env = "MAAS_PING_INTERVAL", default_value = "30", value_parser = seconds)]
    ping_interval: Duration,

    /// How long it has to answer that
    #[arg(long, value_name = "SECONDS", env = "MAAS_PING_TIMEOUT", default_value = "20", value_parser = seconds)]
    ping_timeout: Duration,

    /// The age, give or take a tenth, at which connections are closed, so that clients find new servers behind a balancer;
    /// without it they last
    #[arg(long, value_name = "SECONDS", env = "MAAS_CONNECTION_AGE", value_parser = seconds)]
    connection_age: Option<Duration>,

    /// How long requests are still served when the server is told to end, before it takes no new connections
    #[arg(long, value_name = "SECONDS", env = "MAAS_DRAIN_DELAY", default_value = "0", value_parser = seconds)]
    drain_delay: Duration,

    /// How long what was accepted may take after that
    #[arg(long, value_name = "SECONDS", env = "MAAS_DRAIN_TIMEOUT", default_value = "30", value_parser = seconds)]
    drain_timeout: Duration,
}

impl Limits {
    pub(crate) fn of(&self, server: Server) -> Server {
        let server = server
            .connections(self.connections.get())
            .body_limit(self.body_limit)
            .head_timeout(self.head_timeout)
            .body_timeout(self.body_timeout)
            .idle_timeout(self.idle_timeout)
            .ping_interval(self.ping_interval)
            .ping_timeout(self.ping_timeout)
            .drain_delay(self.drain_delay)
            .drain_timeout(self.drain_timeout);
        match self.connection_age {
            Some(age) => server.connection_age(age),
            None => server,
        }
    }
}
