//! HTTP/1.1 over one blocking connection, as much of it as a client of the protocol needs.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

/// Answers beyond this are not read.
const ANSWER_LIMIT: u64 = 1 << 30;
const LINE_LIMIT: u64 = 16 << 10;
const HEADERS: usize = 128;

pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
    pub(crate) keep_alive: bool,
}

/// Whether a failed exchange may have reached the server.
pub(crate) enum Failure {
    /// The server closed the connection before it answered a byte, as it does with idle ones.
    Closed(io::Error),
    Broken(io::Error),
}

impl Connection {
    pub(crate) fn open(address: &str, timeout: Duration) -> io::Result<Self> {
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
        for address in address.to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, timeout) {
                Ok(stream) => {
                    stream.set_nodelay(true)?;
                    stream.set_read_timeout(Some(timeout))?;
                    stream.set_write_timeout(Some(timeout))?;
                    return Ok(Self {
                        stream: BufReader::new(stream),
                    });
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// Sends one request and reads its answer.
    pub(crate) fn exchange(&mut self, head: &str, body: &[u8]) -> Result<Answer, Failure> {
        let mut message = Vec::with_capacity(head.len() + body.len());
        message.extend_from_slice(head.as_bytes());
        message.extend_from_slice(body);
        // The server may refuse a request before it has read it: its answer says more than the broken pipe.
        let sent = self.stream.get_mut().write_all(&message);
        match self.stream.fill_buf() {
            Ok([]) => Err(Failure::Closed(
                sent.err()
                    .unwrap_or_else(|| io::ErrorKind::UnexpectedEof.into()),
            )),
            Ok(_) => self.read_answer().map_err(Failure::Broken),
            Err(error) if closed(&error) => Err(Failure::Closed(error)),
            Err(error) => Err(Failure::Broken(error)),
        }
    }

    fn read_answer(&mut self) -> io::Result<Answer> {
        let status_line = self.line()?;
        let mut words = status_line.split_ascii_whitespace();
        let version = words.next().unwrap_or_default();
        let status = words
            .next()
            .and_then(|status| status.parse().ok())
            .ok_or_else(|| invalid("no status line"))?;
        let (mut length, mut chunked, mut keep_alive) = (None, false, version == "HTTP/1.1");
        for number in 0.. {
            let line = self.line()?;
            if line.is_empty() {
                break;
            }
            if number == HEADERS {
                return Err(invalid("too many headers"));
            }
            let (name, value) = line
                .split_once(':')
                .ok_or_else(|| invalid("a header without a colon"))?;
            let value = value.trim();
            match name.to_ascii_lowercase().as_str() {
                "content-length" => {
                    length = Some(value.parse().map_err(|_| invalid("a bad Content-Length"))?);
                }
                "transfer-encoding" => chunked = value.eq_ignore_ascii_case("chunked"),
                "connection" => keep_alive = keep_alive && !value.eq_ignore_ascii_case("close"),
                _ => {}
            }
        }
        let body = match length {
            _ if chunked => self.chunks()?,
            Some(length) => self.bytes(length)?,
            None => {
                keep_alive = false;
                let mut body = Vec::new();
                self.stream
                    .by_ref()
                    .take(ANSWER_LIMIT)
                    .read_to_end(&mut body)?;
                body
            }
        };
        Ok(Answer {
            status,
            body,
            keep_alive,
        })
    }

    fn chunks(&mut self) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let line = self.line()?;
            let size = line.split(';').next().unwrap_or_default().trim();
            let size = u64::from_str_radix(size, 16).map_err(|_| invalid("a bad chunk size"))?;
            if size == 0 {
                while !self.line()?.is_empty() {}
                return Ok(body);
            }
            if size > ANSWER_LIMIT - body.len() as u64 {
                return Err(invalid("an answer that is too large"));
            }
            body.extend(self.bytes(size)?);
            self.line()?;
        }
    }

    fn bytes(&mut self, length: u64) -> io::Result<Vec<u8>> {
        if length > ANSWER_LIMIT {
            return Err(invalid("an answer that is too large"));
        }
        let mut bytes = Vec::new();
        self.stream.by_ref().take(length).read_to_end(&mut bytes)?;
        if (bytes.len() as u64) < length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(bytes)
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        self.stream.by_ref().take(LINE_LIMIT).read_line(&mut line)?;
        if !line.ends_with('\n') {
            return Err(invalid("a line that does not end"));
        }
        line.truncate(line.trim_end().len());
        Ok(line)
    }
}

fn closed(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
    )
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("the server sent {what}"),
    )
}
