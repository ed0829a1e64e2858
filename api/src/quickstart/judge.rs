//! The end of the story: the log leaves the server as a bundle, and another program judges it, twice.
//!
//! The judge is given the bundle and the verifier key, nothing else. It is run as a process of its own because that is the
//! point: whoever ran the ledger has no part in the verdict.

use super::client::Client;
use crate::cli::Failure;
use crate::output::say;
use futures_util::StreamExt as _;
use std::path::{Path, PathBuf};
use std::process::Output;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

/// The judge, beside this program.
pub(super) const JUDGE: &str = "probity-verify";

/// What stands in a record before the digit that is changed.
const BEFORE_DIGIT: &[u8] = b"\"cost_micros\":";

/// Fetches a bundle of the whole log.
pub(super) async fn export(data: &Path, client: &Client) -> Result<PathBuf, Failure> {
    let path = data.join(format!("{}.tar", client.tenant()));
    let mut file = tokio::fs::File::create(&path).await?;
    let mut pieces = client.bundle().await?.bytes_stream();
    while let Some(piece) = pieces.next().await {
        file.write_all(&piece?).await?;
    }
    file.flush().await?;
    file.sync_all().await?;
    say(format_args!("\nexported   {}", path.display()));
    Ok(path)
}

/// Has the bundle judged, and a copy with one byte changed; gives what did not go as expected.
pub(super) async fn judge_twice(bundle: &Path, key: &str) -> Vec<String> {
    let mut surprises = Vec::new();
    say(format_args!(
        "\n$ {JUDGE} {} --key '{key}'",
        bundle.display()
    ));
    match judge(bundle, key).await {
        Ok(output) if output.status.code() == Some(0) => {}
        other => surprises.push(format!(
            "the judge did not accept the bundle: {}",
            ending(&other)
        )),
    }
    match change_one_byte(bundle).await {
        Ok(copy) => {
            say(format_args!("\n$ {JUDGE} {} --key '{key}'", copy.display()));
            let verdict = judge(&copy, key).await;
            if !names_record_and_rule(&verdict) {
                surprises.push(format!(
                    "the judge did not name the changed byte: {}",
                    ending(&verdict)
                ));
            }
        }
        Err(error) => surprises.push(format!("no byte could be changed: {error}")),
    }
    surprises
}

/// Runs the judge and shows its report.
async fn judge(bundle: &Path, key: &str) -> std::io::Result<Output> {
    let program = std::env::current_exe()?.with_file_name(JUDGE);
    let output = Command::new(program)
        .arg(bundle)
        .arg("--key")
        .arg(key)
        .output()
        .await?;
    for stream in [&output.stdout, &output.stderr] {
        let report = String::from_utf8_lossy(stream);
        report
            .lines()
            .for_each(|line| say(format_args!("  {line}")));
    }
    Ok(output)
}

/// Whether the verdict is "false", with a record named.
fn names_record_and_rule(verdict: &std::io::Result<Output>) -> bool {
    verdict.as_ref().is_ok_and(|output| {
        output.status.code() == Some(1)
            && String::from_utf8_lossy(&output.stdout).contains("record")
    })
}

fn ending(verdict: &std::io::Result<Output>) -> String {
    match verdict {
        Ok(output) => format!("it ended with {}", output.status),
        Err(error) => format!("{JUDGE} could not be run ({error}); build it beside this program"),
    }
}

/// Copies a bundle with one digit of a reported cost changed: well formed, plausible, and false.
async fn change_one_byte(bundle: &Path) -> std::io::Result<PathBuf> {
    let mut bytes = tokio::fs::read(bundle).await?;
    let found =
        digit(&bytes).ok_or_else(|| std::io::Error::other("the bundle tells of no cost"))?;
    let old = bytes[found];
    bytes[found] = if old == b'1' { b'9' } else { b'1' };
    let copy = bundle.with_file_name("tampered.tar");
    tokio::fs::write(&copy, &bytes).await?;
    say(format_args!(
        "\ntampered   byte {found} of a copy: a reported cost begins with {} instead of {}",
        char::from(bytes[found]),
        char::from(old)
    ));
    Ok(copy)
}

/// Where the first digit of a cost stands that is not nothing.
fn digit(bytes: &[u8]) -> Option<usize> {
    let ends = bytes
        .windows(BEFORE_DIGIT.len())
        .enumerate()
        .filter(|(_, window)| *window == BEFORE_DIGIT);
    ends.map(|(at, _)| at + BEFORE_DIGIT.len()).find(|at| {
        bytes
            .get(*at)
            .is_some_and(|byte| (b'1'..=b'9').contains(byte))
    })
}

#[cfg(test)]
mod tests {
    use super::digit;

    #[test]
    fn a_cost_that_is_something_is_found() {
        assert_eq!(digit(b"{\"cost_micros\":0}{\"cost_micros\":47}"), Some(32));
        assert_eq!(digit(b"{\"cost_micros\":0}"), None);
    }
}
