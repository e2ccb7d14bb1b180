//! A server in a process of its own: the test that asks for it is run again there, and finds that it is the child.
#![allow(clippy::unwrap_used, clippy::print_stdout, dead_code)]

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child as Process, Command, ExitStatus, Stdio};
use std::time::Duration;

use maas_server::RunningServer;

const MARK: &str = "MAAS_TEST_CHILD";
const LISTENING: &str = "listening on ";

pub(crate) struct Child {
    process: Process,
    pub(crate) address: SocketAddr,
}

pub(crate) fn is_child() -> bool {
    std::env::var_os(MARK).is_some()
}

/// What the child says once it listens.
pub(crate) fn listening(server: &RunningServer) {
    println!("\n{LISTENING}{}", server.addr());
    std::io::stdout().flush().unwrap();
}

impl Child {
    /// Runs `test` again after the command `before` of the shell.
    pub(crate) fn start(test: &str, before: &str) -> Self {
        let mut process = Command::new("sh")
            .args(["-c", &format!("{before}\nexec \"$0\" \"$@\"")])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture", "--include-ignored"])
            .env(MARK, "1")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let address = lines
            .find_map(|line| line.unwrap().strip_prefix(LISTENING)?.parse().ok())
            .unwrap();
        std::thread::spawn(move || lines.for_each(drop));
        Self { process, address }
    }

    /// Bytes of memory that it has; Linux alone says so here.
    pub(crate) fn memory(&self) -> usize {
        let path = format!("/proc/{}/status", self.process.id());
        let status = std::fs::read_to_string(path).unwrap();
        let mut lines = status
            .lines()
            .filter_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = lines.next().unwrap().trim().strip_suffix(" kB").unwrap();
        1024 * kilobytes.parse::<usize>().unwrap()
    }

    pub(crate) fn signal(&self, name: &str) {
        let id = self.process.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).status();
        assert!(sent.unwrap().success());
    }

    pub(crate) fn ends(&mut self) -> ExitStatus {
        for _ in 0..2000 {
            if let Some(status) = self.process.try_wait().unwrap() {
                return status;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("the child does not end");
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
