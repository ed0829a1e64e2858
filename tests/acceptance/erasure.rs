//! A person's values in a log: shown to who may see them, handed out, held, and forgotten for good, while everything that was handed
//! out before goes on being true.

use crate::harness::{Engine, Home, Server, accepted, binary, judge, run};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use reqwest::Method;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

pub(crate) const ADA: &str = "customer-ada-4711";
const ADAS: [&str; 2] = ["ada.lovelace@example.org", "+44 20 7946 0815"];
const BOB: &str = "customer-bob-4712";
const BOBS: &str = "bob.babbage@example.org";

#[tokio::test]
async fn a_person_is_forgotten_and_every_proof_stands_on_sqlite() {
    forgotten(Engine::Sqlite).await;
}

#[tokio::test]
async fn a_person_is_forgotten_and_every_proof_stands_on_postgres() {
    forgotten(Engine::Postgres).await;
}

/// Who asks.
pub(crate) struct Keys {
    pub(crate) admin: String,
    pub(crate) operator: String,
    pub(crate) auditor: String,
    agent: String,
    stranger: String,
}

impl Keys {
    pub(crate) fn issue(home: &Home) -> Self {
        let [admin, operator, auditor, agent] =
            ["admin", "operator", "auditor", "agent"].map(|role| home.issue_key("local", role));
        Self {
            admin,
            operator,
            auditor,
            agent,
            stranger: home.issue_key("other", "admin"),
        }
    }
}

async fn forgotten(engine: Engine) {
    let home = Home::new(engine).await;
    let keys = Keys::issue(&home);
    let vkey = home.vkey("local");
    let invoices = r#"invoice={"person": "/customer", "pointers": ["/mail"]}"#;
    let server = home.serve_as("data", &["--personal", invoices]).await;
    let (record, line) = report(&server, &keys).await;
    shown_to_the_entitled(&server, &keys, record).await;
    let receipt = home.path("receipt");
    let (_, proof) = get(&server, &keys.auditor, &format!("receipts/{record}")).await;
    std::fs::write(&receipt, proof).unwrap();
    std::fs::write(home.path("line"), &line).unwrap();
    let before = bundle(&server, &keys.auditor, &home, "before.tar").await;
    let redacted = bundle(&server, &keys.agent, &home, "agent.tar").await;
    assert!(redacted.is_none(), "an agent makes no bundle");
    let before = before.unwrap();
    assert_eq!(disclosed(&before, &vkey), (4, 0));
    assert!(find(&std::fs::read(&before).unwrap(), ADAS[0]));

    held_and_released(&server, &keys).await;
    erased_once(&server, &keys, record).await;

    let after = bundle(&server, &keys.auditor, &home, "after.tar").await;
    let after = after.unwrap();
    assert_eq!(disclosed(&after, &vkey), (2, 2));
    server.stop();
    let offline = home.export("local", "offline.tar");
    assert_eq!(disclosed(&offline, &vkey), (2, 2));
    let bundled = std::fs::read(&after).unwrap();
    assert!(find(&bundled, BOBS), "Bob's address is there still");

    accepted(&before, &vkey);
    let mut receipts = Command::new(binary("probity-verify"));
    receipts.arg("receipt").arg(&receipt).arg("--record");
    run(receipts.arg(home.path("line")).args(["--key", &vkey]));
    std::fs::remove_file(&before).unwrap();
    nowhere(&home, &[ADAS[0], ADAS[1], ADA]);
    home.remove().await;
}

/// Ada and Bob are spoken of; gives the record about Ada, and its line.
async fn report(server: &Server, keys: &Keys) -> (u64, String) {
    let ada = json!({"kind": "complaint", "subject": "ticket/1",
        "data": {"customer": {"mail": ADAS[0], "since": 2019}, "numbers": ["none", ADAS[1]]},
        "personal": [{"pointer": "/customer/mail", "person": ADA}, {"pointer": "/numbers/1", "person": ADA}]});
    let bob =
        json!({"kind": "invoice", "subject": "ticket/2", "data": {"customer": BOB, "mail": BOBS}});
    let answer = server
        .http
        .post(format!("{}/v1/logs/local/records", server.base))
        .bearer_auth(&keys.operator)
        .header("content-type", "application/x-ndjson")
        .header("idempotency-key", "report-1")
        .body(format!("{ada}\n{bob}\n"))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 201);
    let answer: Value = answer.json().await.unwrap();
    let first = answer["first"].as_u64().unwrap();
    let (_, line) = get(
        server,
        &keys.auditor,
        &format!("records?from={first}&limit=1"),
    )
    .await;
    assert!(line.contains("_sd") && line.contains("2019"), "{line}");
    assert!(!find(line.as_bytes(), ADAS[0]) && !find(line.as_bytes(), ADA));
    (first, line.trim_end().to_owned())
}

async fn shown_to_the_entitled(server: &Server, keys: &Keys, record: u64) {
    let path = format!("records/{record}/disclosures");
    let (status, text) = get(server, &keys.auditor, &path).await;
    let shown: Value = serde_json::from_str(&text).unwrap();
    let values: Vec<&str> = shown["disclosures"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["value"].as_str().unwrap())
        .collect();
    assert_eq!(
        (status, values.as_slice()),
        (200, ADAS.as_slice()),
        "{text}"
    );
    assert_eq!(get(server, &keys.agent, &path).await.0, 403);
    assert_eq!(get(server, &keys.stranger, &path).await.0, 404);
}

async fn held_and_released(server: &Server, keys: &Keys) {
    let hold = json!({"id": "case-1", "person": ADA, "reason": "a claim before court"});
    let (status, _) = post(server, &keys.admin, "holds", "", &hold).await;
    assert_eq!(status, 201);
    let (status, refused) = erase(server, &keys.admin, ADA, "refused").await;
    assert_eq!(
        (status, &refused["code"]),
        (409, &json!("held")),
        "{refused}"
    );
    let (_, records) = get(server, &keys.auditor, "records?from=0&limit=1000").await;
    let refusal = records.lines().last().unwrap();
    assert!(refusal.contains("erasure.refused.v1") && refusal.contains("case-1"));
    let lifting = json!({"reason": "settled"});
    let (status, _) = post(server, &keys.admin, "holds/case-1/lift", "", &lifting).await;
    assert_eq!(status, 200);
}

async fn erased_once(server: &Server, keys: &Keys, record: u64) {
    assert_eq!(erase(server, &keys.stranger, ADA, "s").await.0, 404);
    assert_eq!(erase(server, &keys.operator, ADA, "o").await.0, 403);
    let (status, first) = erase(server, &keys.admin, ADA, "once").await;
    assert_eq!((status, &first["disclosures"]), (200, &json!(2)), "{first}");
    assert!(first["effective"].is_string(), "{first}");
    let (status, retry) = erase(server, &keys.admin, ADA, "once").await;
    assert_eq!((status, &retry["replayed"]), (200, &json!(true)), "{retry}");
    assert_eq!(retry["sequence"], first["sequence"]);
    let (status, other) = erase(server, &keys.admin, BOB, "once").await;
    assert_eq!(status, 422, "the key stands for another person: {other}");
    let path = format!("records/{record}/disclosures");
    let (_, text) = get(server, &keys.auditor, &path).await;
    assert_eq!(text, r#"{"disclosures":[]}"#);
}

async fn erase(server: &Server, key: &str, person: &str, idempotency: &str) -> (u16, Value) {
    let basis = json!({"basis": "GDPR article 17(1)(b)"});
    post(
        server,
        key,
        &format!("persons/{person}/erase"),
        idempotency,
        &basis,
    )
    .await
}

pub(crate) async fn get(server: &Server, key: &str, path: &str) -> (u16, String) {
    server.get(key, &format!("/v1/logs/local/{path}")).await
}

pub(crate) async fn post(
    server: &Server,
    key: &str,
    path: &str,
    idempotency: &str,
    body: &Value,
) -> (u16, Value) {
    let mut call = server
        .http
        .request(
            Method::POST,
            format!("{}/v1/logs/local/{path}", server.base),
        )
        .bearer_auth(key)
        .json(body);
    if !idempotency.is_empty() {
        call = call.header("idempotency-key", idempotency);
    }
    let answer = call.send().await.unwrap();
    (
        answer.status().as_u16(),
        answer.json().await.unwrap_or_default(),
    )
}

/// A bundle over HTTP, if one is given.
pub(crate) async fn bundle(
    server: &Server,
    key: &str,
    home: &Home,
    name: &str,
) -> Option<std::path::PathBuf> {
    let url = format!("{}/v1/logs/local/bundles", server.base);
    let answer = server.http.post(url).bearer_auth(key).send().await.unwrap();
    if !answer.status().is_success() {
        return None;
    }
    let path = home.path(name);
    std::fs::write(&path, answer.bytes().await.unwrap()).unwrap();
    Some(path)
}

/// How many disclosures the judge saw, and how many were withheld, in a bundle that it accepts.
fn disclosed(bundle: &Path, vkey: &str) -> (u64, u64) {
    let (exit, text) = judge(bundle, vkey, &["--json"]);
    assert_eq!(exit, 0, "{text}");
    let report: Value = serde_json::from_str(&text).unwrap();
    let count = |name: &str| report["counts"][name].as_u64().unwrap();
    (count("disclosures"), count("disclosures_withheld"))
}

/// None of these texts is in any file, nor in any table; and what looks for them finds the log's own words.
pub(crate) fn nowhere(home: &Home, secrets: &[&str]) {
    let mut files = 0;
    let mut contents = vec![home.path("")];
    while let Some(directory) = contents.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                contents.push(path);
                continue;
            }
            files += 1;
            let content = std::fs::read(&path).unwrap();
            without(&content, secrets, &path.display().to_string());
        }
    }
    assert!(files > 8, "only {files} files");
    if let Some(url) = home.postgres_url() {
        let dump = run(Command::new("pg_dump").arg(url)).stdout;
        assert!(
            find(&dump, "GDPR article 17(1)(b)"),
            "records are in the dump"
        );
        without(&dump, secrets, "the tables");
    }
}

fn without(content: &[u8], secrets: &[&str], place: &str) {
    for secret in secrets {
        assert!(!find(content, secret), "{secret} is in {place}");
    }
}

/// Whether a text is there: plain, in hexadecimal, or in base64 at any of its three alignments.
fn find(content: &[u8], text: &str) -> bool {
    let hexadecimal: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    let mut forms = vec![text.to_owned(), hexadecimal];
    for (before, skipped) in [("", 0), ("x", 2), ("xx", 3)] {
        let padded = format!("{before}{text}");
        let whole = padded.len() / 3 * 4;
        forms.push(STANDARD_NO_PAD.encode(&padded)[skipped..whole].to_owned());
        forms.push(URL_SAFE_NO_PAD.encode(&padded)[skipped..whole].to_owned());
    }
    let content = String::from_utf8_lossy(content);
    forms.iter().any(|form| content.contains(form.as_str()))
}
