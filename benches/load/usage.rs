//! What the server took, and what others took meanwhile: a figure with neighbours is no figure.

use serde::Serialize;
use std::fmt;
use std::time::Duration;

/// Clock ticks a second in `/proc`.
const TICKS: f64 = 100.0;

/// Where the counters stood.
pub struct Usage {
    server: Option<u32>,
    server_ticks: u64,
    own_ticks: u64,
    busy_ticks: u64,
}

/// In cores.
#[derive(Serialize)]
pub struct Used {
    pub server_cores: f64,
    pub load_cores: f64,
    /// Everything else on the machine, the database server of PostgreSQL among it.
    pub other_cores: f64,
    /// Of the server, at its highest.
    pub memory_kib: u64,
}

impl Usage {
    pub fn of(server: Option<u32>) -> Self {
        Self {
            server,
            server_ticks: server.map_or(0, |id| ticks(&id.to_string())),
            own_ticks: ticks("self"),
            busy_ticks: busy(),
        }
    }

    pub fn until_now(&self, took: Duration) -> Used {
        let now = Self::of(self.server);
        let cores = |before: u64, after: u64| (after - before) as f64 / TICKS / took.as_secs_f64();
        let server_cores = cores(self.server_ticks, now.server_ticks);
        let load_cores = cores(self.own_ticks, now.own_ticks);
        let all = cores(self.busy_ticks, now.busy_ticks);
        Used {
            server_cores,
            load_cores,
            other_cores: (all - server_cores - load_cores).max(0.0),
            memory_kib: self.server.map_or(0, memory),
        }
    }
}

impl fmt::Display for Used {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "server {:.2} cores {} MiB, load {:.2}, others {:.2}",
            self.server_cores,
            self.memory_kib / 1024,
            self.load_cores,
            self.other_cores
        )
    }
}

/// User and system ticks of a process.
fn ticks(process: &str) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let number = |at: usize| fields.split_whitespace().nth(at)?.parse::<u64>().ok();
    number(11).unwrap_or(0) + number(12).unwrap_or(0)
}

/// Ticks that all cores were busy.
fn busy() -> u64 {
    let stat = std::fs::read_to_string("/proc/stat").unwrap_or_default();
    let line = stat.lines().next().unwrap_or_default();
    let fields = line.split_whitespace().skip(1).take(8);
    let fields: Vec<u64> = fields.filter_map(|field| field.parse().ok()).collect();
    // The fourth and fifth are idle and waiting.
    fields.iter().sum::<u64>() - fields.iter().skip(3).take(2).sum::<u64>()
}

/// Of a process, at its highest, KiB.
pub fn memory(process: u32) -> u64 {
    status(process, "VmHWM:")
}

/// Of a process, now, KiB.
pub fn memory_now(process: u32) -> u64 {
    status(process, "VmRSS:")
}

fn status(process: u32, line: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let found = status.lines().find_map(|one| one.strip_prefix(line));
    let found = found.and_then(|rest| rest.trim().trim_end_matches(" kB").parse().ok());
    found.unwrap_or(0)
}
