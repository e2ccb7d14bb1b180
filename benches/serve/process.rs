//! A server in a process of its own.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::bodies::Form;
use crate::servers::Kind;

pub(crate) struct Process {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Process {
    pub(crate) fn start(kind: Kind, rows: usize, form: Form) -> Self {
        let program = std::env::current_exe().expect("this program has a path");
        let mut child = Command::new(program)
            .args(["--serve", kind.name(), &rows.to_string(), form.name()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut line = String::new();
        let output = child.stdout.take().expect("it is piped");
        BufReader::new(output)
            .read_line(&mut line)
            .expect("it says where it listens");
        let address = line.trim().parse().expect("an address");
        Self { child, address }
    }

    /// The processor's time that its threads have taken so far, in the kernel and outside; Linux alone keeps it here.
    pub(crate) fn cpu(&self) -> Duration {
        let threads = std::fs::read_dir(format!("/proc/{}/task", self.child.id()));
        let account = |thread: std::io::Result<std::fs::DirEntry>| {
            let path = thread.ok()?.path().join("schedstat");
            let account = std::fs::read_to_string(path).ok()?;
            let nanoseconds = account.split_whitespace().next()?.parse().ok()?;
            Some(Duration::from_nanos(nanoseconds))
        };
        let threads = threads.expect("Linux keeps the account");
        threads.filter_map(account).sum()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
