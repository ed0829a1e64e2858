//! A running `probity serve`: how it is asked, stopped and killed.

use super::{Home, PATIENCE, tail};
use crate::plugin::{Operator, Plugin};
use reqwest::Client;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};

/// A running `probity serve`.
pub(crate) struct Server {
    child: Child,
    pub(crate) base: String,
    pub(crate) http: Client,
}

impl Server {
    pub(super) fn start(home: &Home, node: &str, more: &[&str]) -> Self {
        let mut child = home.server(node, more).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let base = loop {
            let line = lines
                .next()
                .unwrap_or_else(|| panic!("{node} ended; see its log: {}", tail(home, node)))
                .unwrap();
            if let Some((_, address)) = line.split_once("listening on ") {
                break address.trim().to_owned();
            }
        };
        // The rest of its output is read so that it never waits for us.
        std::thread::spawn(move || lines.for_each(drop));
        let http = Client::builder().timeout(PATIENCE).build().unwrap();
        Self { child, base, http }
    }

    pub(super) async fn ready(&self) {
        let begun = Instant::now();
        loop {
            let answer = self.http.get(format!("{}/ready", self.base)).send().await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                return;
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "the server did not become ready"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub(crate) fn plugin(&self, adapter: &str, capabilities: &[&str]) -> Plugin {
        Plugin::new(&self.base, &self.http, adapter, capabilities)
    }

    pub(crate) fn operator(&self) -> Operator {
        Operator {
            base: self.base.clone(),
            http: self.http.clone(),
        }
    }

    /// A call of the native API; status and body.
    pub(crate) async fn get(&self, key: &str, path: &str) -> (u16, String) {
        let answer = self
            .http
            .get(format!("{}{path}", self.base))
            .bearer_auth(key)
            .send()
            .await
            .unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// A bundle over the API, and how far the answer says that it is witnessed.
    pub(crate) async fn bundle(&self, key: &str, to: &Path) -> String {
        let url = format!("{}/v1/logs/local/bundles", self.base);
        let answer = self.http.post(url).bearer_auth(key).send().await.unwrap();
        let answer = answer.error_for_status().unwrap();
        let witnessed = answer.headers()["x-probity-witnessed"].to_str().unwrap();
        let witnessed = witnessed.to_owned();
        std::fs::write(to, answer.bytes().await.unwrap()).unwrap();
        witnessed
    }

    /// One more record: status and answer.
    pub(crate) async fn observe(&self, key: &str) -> (u16, String) {
        let url = format!("{}/v1/logs/local/records", self.base);
        let call = self.http.post(url).bearer_auth(key);
        let call = call.header("content-type", "application/x-ndjson");
        let line = "{\"kind\":\"note\",\"subject\":\"note/1\",\"data\":{}}\n";
        let answer = call.body(line).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// The most memory that the process ever had.
    pub(crate) fn peak_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:"));
        let kilobytes = line.unwrap().split_whitespace().nth(1).unwrap();
        kilobytes.parse::<u64>().unwrap() * 1024
    }

    /// Its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// kill -9.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM, and waits for a clean end.
    pub(crate) fn stop(mut self) {
        self.signal(rustix::process::Signal::TERM);
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait().unwrap() {
                assert!(status.success(), "the server ended with {status}");
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("the server did not stop");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
