//! What the system says of this process. Where there is no `/proc`, nothing.

use std::fs;

use super::exposition::{Exposition, Kind};

/// Linux counts processor time for programs in these, whatever its own clock is.
const TICKS_PER_SECOND: f64 = 100.0;

pub(super) fn process(exposition: &mut Exposition) {
    let mut put = |name, kind, help, value: Option<f64>| {
        if let Some(value) = value {
            exposition.family(name, kind, help).sample(&[], value);
        }
    };
    put(
        "process_cpu_seconds_total",
        Kind::Counter,
        "Processor time that the process has taken.",
        cpu_seconds(),
    );
    put(
        "process_resident_memory_bytes",
        Kind::Gauge,
        "Memory of the process that is in RAM.",
        memory("VmRSS:"),
    );
    put(
        "process_virtual_memory_bytes",
        Kind::Gauge,
        "Memory that the process has addresses for.",
        memory("VmSize:"),
    );
    put(
        "process_start_time_seconds",
        Kind::Gauge,
        "When the process began, in Unix time.",
        start_time(),
    );
    put(
        "process_open_fds",
        Kind::Gauge,
        "Open file descriptors.",
        fs::read_dir("/proc/self/fd")
            .ok()
            .map(|open| open.count() as f64),
    );
    put(
        "process_max_fds",
        Kind::Gauge,
        "File descriptors that the process may open.",
        max_fds(),
    );
}

fn cpu_seconds() -> Option<f64> {
    Some((stat(14)? + stat(15)?) / TICKS_PER_SECOND)
}

fn start_time() -> Option<f64> {
    let system = fs::read_to_string("/proc/stat").ok()?;
    let booted: f64 = after(&system, "btime ")?.trim().parse().ok()?;
    Some(booted + stat(22)? / TICKS_PER_SECOND)
}

/// A field by its number in the manual page proc(5).
fn stat(number: usize) -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The second field is a name in parentheses, which may hold anything.
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(number - 3)?.parse().ok()
}

fn memory(key: &str) -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let kibibytes: f64 = after(&status, key)?
        .split_whitespace()
        .next()?
        .parse()
        .ok()?;
    Some(kibibytes * 1024.0)
}

fn max_fds() -> Option<f64> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    after(&limits, "Max open files")?
        .split_whitespace()
        .next()?
        .parse()
        .ok()
}

/// The rest of the line that begins with `key`.
fn after<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(key))
}
