//! Judges nobody here wrote, on our own exports: Go's `sumdb/note` and `sumdb/tlog`, and the second implementation in Python.

use crate::harness::{Engine, Home, accepted, repository};
use crate::player::play;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A tool that `tests/run` put under the target directory.
pub(crate) fn tool(path: &str) -> PathBuf {
    let tool = repository().join("target").join(path);
    assert!(
        tool.exists(),
        "{} is missing: tests/run installs it",
        tool.display()
    );
    tool
}

/// The second implementation's exit code and words.
pub(crate) fn oracle(bundle: &Path, vkey: &str, more: &[&str]) -> (i32, String) {
    let output = Command::new(tool("venv/bin/python"))
        .arg(repository().join("tests/oracle/oracle.py"))
        .args(["bundle".as_ref(), bundle.as_os_str()])
        .args(["--key", vkey])
        .args(more)
        .output()
        .unwrap();
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    (output.status.code().unwrap_or(-1), text)
}

/// The foreign judge's exit code and words.
fn foreign(bundle: &Path, vkey: &str) -> (i32, String) {
    let output = Command::new(tool("judges/tlog"))
        .args([bundle.join("checkpoint"), bundle.join("records.jsonl")])
        .arg(vkey)
        .output()
        .unwrap();
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    (output.status.code().unwrap_or(-1), text)
}

#[tokio::test]
async fn judges_nobody_here_wrote_accept_an_honest_export_and_refuse_a_changed_one() {
    let home = Home::new(Engine::Sqlite).await;
    let server = home.serve().await;
    play(&server, "pipeline_agent").await;
    server.stop();
    let bundle = home.export("local", "bundle");
    let vkey = home.vkey("local");
    accepted(&bundle, &vkey);
    let (code, text) = foreign(&bundle, &vkey);
    assert_eq!(code, 0, "{text}");
    let (code, text) = oracle(&bundle, &vkey, &[]);
    assert_eq!(code, 0, "{text}");

    let records = bundle.join("records.jsonl");
    let mut bytes = std::fs::read(&records).unwrap();
    let at = bytes.len() / 2;
    let place = at + bytes[at..].iter().position(u8::is_ascii_lowercase).unwrap();
    bytes[place] ^= 1;
    std::fs::write(&records, &bytes).unwrap();
    assert_eq!(foreign(&bundle, &vkey).0, 1);
    assert_eq!(oracle(&bundle, &vkey, &[]).0, 1);
}
