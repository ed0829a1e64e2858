//! The program `probity` from outside: what it prints, how it ends.

use crate::harness::Served;
use probity_schemas::vkey::VerifierKey;
use probity_schemas::vocabulary::Role;
use std::path::Path;
use std::process::Stdio;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

/// Runs the program to its end: exit code, standard output, standard error.
async fn run(arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_probity"))
        .args(arguments)
        .env_clear()
        .output()
        .await
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}

fn data(directory: &Path) -> String {
    directory.join("new").display().to_string()
}

#[tokio::test]
async fn a_fresh_directory_is_set_up_by_its_first_key() {
    let directory = TempDir::new().unwrap();
    let data = data(directory.path());
    let (code, key, complaint) = run(&[
        "key", "issue", "--data", &data, "--tenant", "acme", "--role", "admin",
    ])
    .await;
    assert_eq!((code, complaint.as_str()), (0, ""));
    assert!(
        key.starts_with("pk_acme_") && key.lines().count() == 1,
        "{key}"
    );
    let (code, vkey, _) = run(&["vkey", "--data", &data, "--tenant", "acme"]).await;
    let vkey: VerifierKey = vkey.trim_end().parse().unwrap();
    assert_eq!((code, vkey.name().ends_with("/acme")), (0, true));
    let out = directory.path().join("log.tar").display().to_string();
    assert_eq!(
        run(&["export", "--data", &data, "--tenant", "acme", "--out", &out])
            .await
            .0,
        0
    );
    let again = run(&[
        "key", "issue", "--data", &data, "--tenant", "acme", "--role", "agent", "--agent", "crew",
    ])
    .await;
    assert_eq!(again.0, 0);
    let id = again
        .1
        .get("pk_acme_".len().."pk_acme_".len() + 36)
        .unwrap();
    let revoke = [
        "key", "revoke", "--data", &data, "--tenant", "acme", "--id", id,
    ];
    assert_eq!((run(&revoke).await.0, run(&revoke).await.0), (0, 1));
}

#[tokio::test]
async fn what_cannot_be_done_ends_in_one_line_that_says_what_to_do() {
    let directory = TempDir::new().unwrap();
    let data = data(directory.path());
    let table: [(&[&str], i32, &str); 7] = [
        (
            &["vkey", "--data", &data, "--tenant", "local"],
            1,
            "check --data and --tenant",
        ),
        (
            &[
                "export", "--data", &data, "--tenant", "local", "--out", "x.tar",
            ],
            1,
            "check --data and --tenant",
        ),
        (
            &[
                "serve",
                "--data",
                &data,
                "--database",
                "mysql://ann:secret@host/db",
            ],
            1,
            "sqlite:PATH",
        ),
        (
            &[
                "key", "issue", "--data", &data, "--tenant", "local", "--role", "king",
            ],
            2,
            "expected admin",
        ),
        (
            &[
                "key", "issue", "--data", &data, "--tenant", "Local", "--role", "admin",
            ],
            2,
            "--tenant",
        ),
        (
            &["key", "issue", "--data", &data, "--role", "admin"],
            2,
            "--tenant",
        ),
        (&["reign"], 2, "reign"),
    ];
    for (arguments, code, words) in table {
        let (found, output, complaint) = run(arguments).await;
        assert_eq!(
            (found, output.as_str()),
            (code, ""),
            "{arguments:?}: {complaint}"
        );
        assert!(
            complaint.contains(words) && !complaint.contains("secret"),
            "{arguments:?}: {complaint}"
        );
    }
}

#[tokio::test]
async fn beside_a_server_a_key_is_issued_through_it_and_a_log_still_exported() {
    let directory = TempDir::new().unwrap();
    let served = Served::on(directory.path(), |_| {}).await;
    served.issue("local", Role::Viewer).await;
    let data = directory.path().display().to_string();
    let (code, output, complaint) = run(&[
        "key", "issue", "--data", &data, "--tenant", "local", "--role", "viewer",
    ])
    .await;
    assert_eq!((code, output.as_str()), (1, ""));
    assert!(
        complaint.contains("running server") && complaint.contains("/v1/logs/local/credentials"),
        "{complaint}"
    );
    let out = directory.path().join("bundle").display().to_string();
    let (code, _, complaint) = run(&[
        "export", "--data", &data, "--tenant", "local", "--out", &out,
    ])
    .await;
    assert_eq!(code, 0, "{complaint}");
    assert!(Path::new(&out).join("records.jsonl").exists());
    let (code, _, complaint) =
        run(&["guard", "accept", "--data", &data, "--tenant", "local"]).await;
    assert!(
        code == 1 && complaint.contains("running server"),
        "{complaint}"
    );
}

#[tokio::test]
async fn a_server_says_where_it_listens_and_stops_when_told() {
    let directory = TempDir::new().unwrap();
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--data"];
    let mut server = Command::new(env!("CARGO_BIN_EXE_probity"))
        .args(arguments)
        .arg(directory.path())
        .env_clear()
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
    let store = lines.next_line().await.unwrap().unwrap();
    assert!(store.starts_with("record store: "), "{store}");
    let line = lines.next_line().await.unwrap().unwrap();
    let url = line.strip_prefix("listening on ").unwrap();
    assert_eq!(
        reqwest::get(format!("{url}/ready")).await.unwrap().status(),
        200
    );
    let id = rustix::process::Pid::from_raw(i32::try_from(server.id().unwrap()).unwrap()).unwrap();
    rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
    assert!(server.wait().await.unwrap().success());
}
