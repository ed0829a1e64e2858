//! Clients that ask without a pause, remember what was acknowledged, and send again what was not: and the check that all of it is there.
//!
//! One in four sends batches, one in four asks for decisions, the others append single observations. What is put off (503) is sent
//! again with the same idempotency key, as the answer says.

use crate::harness::{PATIENCE, Server};
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// Observations of one batch.
const BATCH_LINES: u64 = 200;

/// What begins every marker.
const MARK: &str = "load-";

/// What the clients were told.
#[derive(Clone, Debug, Default)]
pub(crate) struct Heard {
    /// The marker inside each acknowledged record, by its place.
    pub(crate) acknowledged: BTreeMap<u64, String>,
    /// How often each reason was given for putting off.
    pub(crate) put_off: BTreeMap<String, u64>,
}

/// Clients at work.
pub(crate) struct Load {
    heard: Arc<Mutex<Heard>>,
    answered: Arc<Notify>,
    enough: Arc<AtomicBool>,
    clients: Vec<JoinHandle<()>>,
}

impl Load {
    /// Starts so many clients; `name` tells their records from those of another load.
    pub(crate) fn start(server: &Server, key: &str, name: &str, clients: usize) -> Self {
        let (heard, enough) = (Arc::<Mutex<Heard>>::default(), Arc::<AtomicBool>::default());
        let answered = Arc::<Notify>::default();
        let client = |number| Asker {
            base: server.base.clone(),
            http: server.http.clone(),
            key: key.to_owned(),
            name: format!("{MARK}{name}-{number}"),
            kind: number % 4,
            heard: Arc::clone(&heard),
            answered: Arc::clone(&answered),
            enough: Arc::clone(&enough),
        };
        let clients = (0..clients).map(client);
        let clients = clients
            .map(|client| tokio::spawn(client.ask_on()))
            .collect();
        Self {
            heard,
            answered,
            enough,
            clients,
        }
    }

    pub(crate) fn heard(&self) -> Heard {
        self.heard.lock().unwrap().clone()
    }

    /// Waits until so many more records are acknowledged than are now.
    pub(crate) async fn goes_on(&self, more: usize) {
        let until = self.heard().acknowledged.len() + more;
        self.wait("nothing is acknowledged", |heard| {
            heard.acknowledged.len() >= until
        })
        .await;
    }

    /// Waits for the moment when something is acknowledged.
    pub(crate) async fn is_acknowledged(&self) {
        self.answered.notified().await;
    }

    /// Waits until so many more requests are put off than are now.
    pub(crate) async fn is_put_off(&self, more: u64) {
        let count = |heard: &Heard| heard.put_off.values().sum::<u64>();
        let until = count(&self.heard()) + more;
        self.wait("nothing is put off", |heard| count(heard) >= until)
            .await;
    }

    async fn wait(&self, otherwise: &str, until: impl Fn(&Heard) -> bool) {
        let begun = Instant::now();
        while !until(&self.heard()) {
            let heard = self.heard();
            assert!(
                begun.elapsed() < PATIENCE,
                "{otherwise}: {:?}",
                heard.put_off
            );
            assert!(
                !self.clients.iter().any(JoinHandle::is_finished),
                "a client gave up"
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Lets every client come to an end; what they were told.
    pub(crate) async fn stop(self) -> Heard {
        self.enough.store(true, Ordering::Relaxed);
        self.end().await
    }

    /// Waits until every client found that the server is gone; what they were told.
    pub(crate) async fn end(self) -> Heard {
        for client in self.clients {
            client.await.unwrap();
        }
        self.heard.lock().unwrap().clone()
    }
}

struct Asker {
    base: String,
    http: Client,
    key: String,
    name: String,
    kind: usize,
    heard: Arc<Mutex<Heard>>,
    answered: Arc<Notify>,
    enough: Arc<AtomicBool>,
}

impl Asker {
    /// Asks until it is enough, or the server is gone.
    async fn ask_on(self) {
        for turn in 0u64.. {
            let marker = format!("{}-{turn}", self.name);
            loop {
                if self.enough.load(Ordering::Relaxed) {
                    return;
                }
                let Ok(answer) = self.request(&marker).send().await else {
                    return;
                };
                let (status, wait) = (
                    answer.status(),
                    answer.headers().contains_key("retry-after"),
                );
                let Ok(body) = answer.json::<Value>().await else {
                    return;
                };
                if status.is_success() {
                    self.acknowledged(&marker, &body);
                    self.answered.notify_waiters();
                    break;
                }
                self.put_off(status.as_u16(), wait, &body);
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }

    fn request(&self, marker: &str) -> RequestBuilder {
        let call = |path: &str| {
            let url = format!("{}/v1/logs/local/{path}", self.base);
            let call = self.http.post(url).bearer_auth(&self.key);
            call.header("idempotency-key", marker)
        };
        let lines = |count: u64| -> String {
            let line = |at| {
                let marker = place(marker, at);
                json!({"kind": "note", "subject": format!("note/{marker}"), "data": {"marker": marker}})
            };
            (0..count).map(|at| format!("{}\n", line(at))).collect()
        };
        let notes = |count| {
            let call = call("records").header("content-type", "application/x-ndjson");
            call.body(lines(count))
        };
        match self.kind {
            0 => call("decisions").json(&json!({"action": "send_letter", "execution": marker})),
            1 => notes(BATCH_LINES),
            _ => notes(1),
        }
    }

    fn acknowledged(&self, marker: &str, body: &Value) {
        let mut heard = self.heard.lock().unwrap();
        let mut note = |at: u64, marker: String| {
            let before = heard.acknowledged.insert(at, marker);
            assert_eq!(before, None, "place {at} was given away twice");
        };
        if self.kind == 0 {
            return note(body["sequence"].as_u64().unwrap(), marker.to_owned());
        }
        let (first, last) = (
            body["first"].as_u64().unwrap(),
            body["last"].as_u64().unwrap(),
        );
        (first..=last).for_each(|at| note(at, place(marker, at - first)));
    }

    fn put_off(&self, status: u16, wait: bool, body: &Value) {
        let code = body["code"].as_str().unwrap_or_default().to_owned();
        let said = status == 503 && wait || code == "idempotency_in_flight";
        assert!(said, "neither done nor put off: {status} {body}");
        *self.heard.lock().unwrap().put_off.entry(code).or_default() += 1;
    }
}

/// The marker of one line of a batch.
fn place(marker: &str, at: u64) -> String {
    format!("{marker}.{at}")
}

/// Everything acknowledged stands at its acknowledged place, and nothing that was sent again stands twice.
pub(crate) async fn all_there(
    server: &Server,
    auditor: &str,
    acknowledged: &BTreeMap<u64, String>,
) {
    let (mut from, mut found) = (0, 0);
    let mut seen = BTreeSet::new();
    loop {
        let path = format!("/v1/logs/local/records?from={from}&limit=5000");
        let (status, page) = server.get(auditor, &path).await;
        assert_eq!(status, 200, "{page}");
        if page.is_empty() {
            break;
        }
        for line in page.lines() {
            let marker = marker_of(line);
            if let Some(expected) = acknowledged.get(&from) {
                assert_eq!(marker, Some(expected.as_str()), "record {from}: {line}");
                found += 1;
            }
            if let Some(marker) = marker {
                assert!(
                    seen.insert(marker.to_owned()),
                    "{marker} stands twice: {line}"
                );
            }
            from += 1;
        }
    }
    assert_eq!(
        found,
        acknowledged.len(),
        "acknowledged records are missing"
    );
}

fn marker_of(line: &str) -> Option<&str> {
    let begin = line.find(&format!("\"{MARK}"))? + 1;
    line[begin..].split('"').next()
}
