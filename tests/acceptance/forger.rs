//! An insider who took the log's key: seals any lines as the log would.

use crate::harness::Home;
use probity_ledger::signer::{FileSigner, Signer as _, sign_checkpoint};
use probity_schemas::checkpoint::Checkpoint;
use probity_schemas::hash::{Hash, leaf_hash};
use probity_schemas::subject::Tenant;
use probity_schemas::tree::root_of;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

pub(crate) struct Forger(FileSigner);

impl Forger {
    /// The key of the tenant `local`.
    pub(crate) fn new(home: &Home) -> Self {
        let tenant = Tenant::parse("local").unwrap();
        let keys = match home.postgres_url() {
            Some(_) => home.path("keys"),
            None => home.data().join("keys"),
        };
        let stolen = FileSigner::load(&keys, &tenant);
        Self(stolen.unwrap().unwrap())
    }

    /// A signed checkpoint over the lines.
    pub(crate) fn checkpoint(&self, lines: &[String]) -> String {
        let checkpoint = Checkpoint {
            origin: self.0.verifier_key().name().to_owned(),
            size: lines.len() as u64,
            root: root_of(lines.iter().map(|line| leaf_hash(line.as_bytes()))),
        };
        sign_checkpoint(&[&self.0], &checkpoint).unwrap()
    }

    /// A bundle of the lines, in place of the honest one's.
    pub(crate) fn bundle(&self, honest: &Path, lines: &[String], to: &Path) -> PathBuf {
        let _ = std::fs::remove_dir_all(to);
        std::fs::create_dir(to).unwrap();
        std::fs::copy(honest.join("bundle.json"), to.join("bundle.json")).unwrap();
        let records: String = lines.iter().map(|line| format!("{line}\n")).collect();
        std::fs::write(to.join("records.jsonl"), records).unwrap();
        std::fs::write(to.join("checkpoint"), self.checkpoint(lines)).unwrap();
        to.to_owned()
    }
}

/// The lines of a bundle that is a directory.
pub(crate) fn lines(bundle: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(bundle.join("records.jsonl")).unwrap();
    text.lines().map(str::to_owned).collect()
}

/// The same history with each record changed so, and every link made anew.
pub(crate) fn rewrite(lines: &[String], change: impl Fn(&mut Value)) -> Vec<String> {
    let mut written: Vec<String> = Vec::new();
    let mut newest: HashMap<String, Hash> = HashMap::new();
    for line in lines {
        let mut record: Value = serde_json::from_str(line).unwrap();
        change(&mut record);
        if let Some(before) = written.last() {
            record["previous"] = json!(leaf_hash(before.as_bytes()));
        }
        let subject = record["subject"].as_str().unwrap().to_owned();
        if let Some(before) = newest.get(&subject) {
            record["subjectprevious"] = json!(before);
        }
        let line = record.to_string();
        newest.insert(subject, leaf_hash(line.as_bytes()));
        written.push(line);
    }
    written
}

/// An honest bundle, and at its end one more record with this body, of the subject, actor and type of another, sealed with the
/// log's own key.
pub(crate) fn reseal(home: &Home, honest: &Path, name: &str, like: &Value, data: Value) -> PathBuf {
    let mut lines = lines(honest);
    let of = |line: &String| serde_json::from_str::<Value>(line).unwrap();
    let of_subject = |line: &&String| of(line)["subject"] == like["subject"];
    let before = lines.iter().rev().find(of_subject).unwrap();
    let revision: u64 = of(before)["revision"].as_str().unwrap().parse().unwrap();
    let last = of(lines.last().unwrap());
    let forged = json!({
        "actor": like["actor"],
        "data": data,
        "id": uuid::Uuid::now_v7().to_string(),
        "previous": leaf_hash(lines.last().unwrap().as_bytes()),
        "revision": (revision + 1).to_string(),
        "sequence": format!("{:016}", lines.len()),
        "source": last["source"],
        "specversion": "1.0",
        "subject": like["subject"],
        "subjectprevious": leaf_hash(before.as_bytes()),
        "surface": like["surface"],
        "time": last["time"],
        "type": like["type"],
    });
    lines.push(forged.to_string());
    Forger::new(home).bundle(honest, &lines, &home.path(name))
}
