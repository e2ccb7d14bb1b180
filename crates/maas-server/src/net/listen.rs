use std::io;
use std::net::TcpListener;

use socket2::SockRef;

/// Connections that may wait until they are accepted; the system may have a lower limit. With the 128 of the standard library,
/// some of many clients that come at once try again after a second.
const WAITING: i32 = 4096;

pub(crate) fn listen(address: &str) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(address)?;
    SockRef::from(&listener).listen(WAITING)?;
    Ok(listener)
}
