//! README.md is the operator's manual, so its commands are run here, in order, in an empty directory, and what it says about
//! calls, flags and output is compared with the programs.
//!
//! Marks of its code blocks: `sh first` is the first command (the build was made before), `sh run` are the commands that
//! make one session, `console` is the transcript. The port is replaced by a free one; nothing else is.

use crate::harness::{binary, repository, run};
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

/// The address that README.md serves on.
const ADDRESS: &str = "127.0.0.1:8080";

fn readme() -> String {
    std::fs::read_to_string(repository().join("README.md")).unwrap()
}

/// The texts of the code blocks with this info string.
fn blocks(readme: &str, info: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut lines = readme.lines();
    while let Some(line) = lines.next() {
        let Some(opened) = line.strip_prefix("```") else {
            continue;
        };
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        if opened == info {
            found.push(block.join("\n") + "\n");
        }
    }
    found
}

/// A shell that stops at the first command that fails, with the binaries on its path and nothing of ours in its environment.
fn shell(script: &str, directory: &Path) -> Output {
    let binaries = binary("probity").parent().unwrap().to_owned();
    let path = format!(
        "{}:{}",
        binaries.display(),
        std::env::var("PATH").unwrap_or_default()
    );
    Command::new("bash")
        .args(["-euo", "pipefail", "-c", script])
        .current_dir(directory)
        .env_clear()
        .env("PATH", path)
        .env("HOME", directory)
        .output()
        .unwrap()
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

#[test]
fn the_commands_of_the_readme_run_in_order() {
    let session = blocks(&readme(), "sh run");
    assert!(session.len() > 10, "{} blocks", session.len());
    let directory = tempfile::tempdir().unwrap();
    // A line between the blocks says which of them was running.
    let script: String = session
        .iter()
        .enumerate()
        .map(|(number, block)| format!("echo; echo '== block {number}'\n{block}"))
        .collect();
    let address = format!("127.0.0.1:{}", free_port());
    // A server that a failed command left behind ends with the shell.
    let script = format!("trap 'kill $(jobs -p) 2> /dev/null || true' EXIT\n{script}");
    let output = shell(&script.replace(ADDRESS, &address), directory.path());
    let (said, complained) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    let log = std::fs::read_to_string(directory.path().join("server.log")).unwrap_or_default();
    assert!(
        output.status.success(),
        "{}\n{said}\n{complained}\n{log}",
        output.status
    );
    for words in [
        "VERIFIED",
        "\"allowed\":true",
        "the root is the one that was signed",
        "no record is missing",
        "Signature Verified Successfully",
    ] {
        assert!(said.contains(words), "not said: {words}\n{said}");
    }
    let report = std::fs::read_to_string(directory.path().join("report.json")).unwrap();
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["verdict"], "holds_not_witnessed");
}

#[test]
fn the_first_command_ends_as_the_transcript_shows() {
    let readme = readme();
    let first = blocks(&readme, "sh first");
    assert_eq!(
        first,
        ["cargo build --release --locked && ./target/release/probity quickstart\n"]
    );
    let directory = tempfile::tempdir().unwrap();
    let release = directory.path().join("target/release");
    std::fs::create_dir_all(release.parent().unwrap()).unwrap();
    std::os::unix::fs::symlink(binary("probity").parent().unwrap(), &release).unwrap();
    let listen = format!("127.0.0.1:{}", free_port());
    let output = run(Command::new("./target/release/probity")
        .args(["quickstart", "--once", "--listen", &listen])
        .current_dir(directory.path())
        .env_remove("ADAPTER_JWT_SECRET")
        .env_remove("OPS_LOCAL_API_KEY"));
    let said = String::from_utf8(output.stdout)
        .unwrap()
        .replace(&listen, ADDRESS);
    let transcripts = blocks(&readme, "console");
    let [transcript] = transcripts.as_slice() else {
        panic!("{} transcripts", transcripts.len());
    };
    for line in transcript
        .lines()
        .filter(|line| !line.starts_with('$') && !line.trim().is_empty() && line.trim() != "…")
    {
        assert!(
            said.lines().any(|other| is_the_same(line, other)),
            "the program does not say: {line}\nbut:\n{said}"
        );
    }
}

/// The same words, but for names, hashes and places that differ from run to run. A line may be cut with `…`.
fn is_the_same(shown: &str, said: &str) -> bool {
    let (shown, cut) = match shown.strip_suffix('…') {
        Some(start) => (start, true),
        None => (shown, false),
    };
    let shown: Vec<&str> = shown.split_whitespace().collect();
    let said: Vec<&str> = said.split_whitespace().collect();
    let long_enough = said.len() == shown.len() || cut && said.len() > shown.len();
    let own = |word: &str| {
        word.contains(".local/")
            || word.len() >= 44
            || word.len() >= 5 && word.bytes().all(|byte| byte.is_ascii_digit())
    };
    long_enough
        && shown
            .iter()
            .zip(said)
            .all(|(shown, said)| *shown == said || own(shown) && own(said))
}

#[test]
fn every_native_call_is_shown() {
    let document = repository().join("schemas/openapi/native.json");
    let document: Value =
        serde_json::from_str(&std::fs::read_to_string(document).unwrap()).unwrap();
    let commands = blocks(&readme(), "sh run").concat().replace("\\\n", " ");
    let commands = commands.replace("$LOG", "http://127.0.0.1:8080/v1/logs/local");
    let mut calls = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            let shown = commands.lines().any(|line| is_call(line, method, path));
            assert!(shown, "no command shows {method} {path}");
            calls += 1;
        }
    }
    assert!(calls > 15, "{calls} calls");
}

/// Whether a line of shell makes this call.
fn is_call(line: &str, method: &str, path: &str) -> bool {
    if !line.contains("curl ") {
        return false;
    }
    let used = match line.split_once("-X ") {
        Some((_, rest)) => rest
            .split_whitespace()
            .next()
            .unwrap_or_default()
            .to_lowercase(),
        None if line.contains(" -d ") => "post".to_owned(),
        None => "get".to_owned(),
    };
    let address = line.split_whitespace().find_map(|word| {
        let word = word.trim_matches(['"', '\'', ')']);
        let path = word.strip_prefix("http://127.0.0.1:8080")?;
        Some(path.split(['?', '"', '\'']).next().unwrap_or_default())
    });
    let Some(address) = address else { return false };
    let wanted: Vec<&str> = path.split('/').collect();
    // `{path}` is the only part of an address that may have slashes of its own: a tile's name.
    let steps: Vec<&str> = match wanted.last() {
        Some(&"{path}") => address.splitn(wanted.len(), '/').collect(),
        _ => address.split('/').collect(),
    };
    used == method
        && steps.len() == wanted.len()
        && steps
            .iter()
            .zip(wanted)
            .all(|(step, wanted)| *step == wanted || wanted.starts_with('{') && !step.is_empty())
}

#[test]
fn every_flag_of_the_server_is_in_the_table() {
    let readme = readme();
    let help = run(Command::new(binary("probity")).args(["serve", "--help"]));
    let help = String::from_utf8(help.stdout).unwrap();
    let mut flags = 0;
    for option in help
        .split("\n      --")
        .skip(1)
        .map(|text| format!("--{text}"))
    {
        let flag = option.split_whitespace().next().unwrap();
        let Some((_, variable)) = option.split_once("[env: ") else {
            continue;
        };
        let variable = variable.split(['=', ']']).next().unwrap();
        let row = readme
            .lines()
            .find(|line| {
                let cell = line.strip_prefix(&format!("| `{flag}"));
                cell.is_some_and(|rest| rest.starts_with([' ', '`']))
            })
            .unwrap_or_else(|| panic!("{flag} is not in the table"));
        assert!(row.contains(&format!("`{variable}`")), "{flag}: {row}");
        if let Some((_, default)) = option.split_once("[default: ") {
            let default = default.split(']').next().unwrap();
            assert!(
                row.contains(&format!("`{default}`")),
                "{flag}: {default}: {row}"
            );
        }
        flags += 1;
    }
    assert!(flags > 10, "{flags} flags");
}
