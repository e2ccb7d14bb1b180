use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::connection::Connection;

/// Connections that wait for their next request.
#[derive(Debug)]
pub(in crate::client) struct Idle {
    connections: Mutex<Vec<(Connection, Instant)>>,
    /// More than this many are not kept,
    pub(in crate::client) most: usize,
    /// and none for longer.
    pub(in crate::client) age: Duration,
}

const MOST: usize = 64;
/// Less than servers keep them.
const AGE: Duration = Duration::from_secs(20);

impl Default for Idle {
    fn default() -> Self {
        Self {
            connections: Mutex::default(),
            most: MOST,
            age: AGE,
        }
    }
}

impl Idle {
    /// The connection that was used last, if it is open.
    pub(super) async fn take(&self) -> Option<Connection> {
        loop {
            let (mut connection, since) = self.lock().pop()?;
            if since.elapsed() > self.age {
                // All others have waited for longer.
                self.lock().clear();
                return None;
            }
            if connection.ready().await.is_ok() {
                return Some(connection);
            }
        }
    }

    pub(super) fn keep(&self, connection: Connection) {
        let mut connections = self.lock();
        connections.retain(|(connection, _)| !connection.is_closed());
        if connections.len() < self.most && !connection.is_closed() {
            connections.push((connection, Instant::now()));
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<(Connection, Instant)>> {
        self.connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
