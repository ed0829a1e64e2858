//! One case of an agent's day, handed out alone: the judge says that it is whole, and names what is taken from it.

use crate::harness::{Engine, Home, judge, run};
use crate::judges::oracle;
use crate::player::play;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;

#[tokio::test]
async fn a_case_alone_is_whole_or_refused_on_sqlite() {
    one_case(Engine::Sqlite).await;
}

#[tokio::test]
async fn a_case_alone_is_whole_or_refused_on_postgres() {
    one_case(Engine::Postgres).await;
}

async fn one_case(engine: Engine) {
    let home = Home::new(engine).await;
    let key = home.issue_key("local", "auditor");
    let server = home.serve().await;
    play(&server, "refund_agent").await;
    let (_, records) = server
        .get(&key, "/v1/logs/local/records?from=0&limit=1000")
        .await;
    let case = longest_case(&records);
    let answer = server
        .http
        .post(format!("{}/v1/logs/local/bundles", server.base))
        .bearer_auth(&key)
        .json(&json!({ "subject": case }))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    let tar = home.path("case.tar");
    std::fs::write(&tar, answer.bytes().await.unwrap()).unwrap();
    server.stop();

    let vkey = home.vkey("local");
    assert_eq!(
        judge(&tar, &vkey, &[]).0,
        2,
        "nobody said that it is a part"
    );
    let (exit, text) = judge(&tar, &vkey, &["--partial", "--json"]);
    assert_eq!(exit, 0, "{text}");
    let report: Value = serde_json::from_str(&text).unwrap();
    let subjects = report["subjects"].as_array().unwrap();
    let own = subjects.iter().find(|one| one["subject"] == case.as_str());
    let size = own.unwrap()["complete_as_of"].as_u64().unwrap();
    let (exit, text) = oracle(&tar, &vkey, &["--partial"]);
    let whole = format!("{case}: complete as of size {size}");
    assert!(exit == 0 && text.contains(&whole), "{text}");

    let cut = home.path("cut");
    let part = ["export", "--tenant", "local", "--subject", case.as_str()];
    run(home.probity(&part).arg("--out").arg(&cut));
    assert_eq!(judge(&cut, &vkey, &["--partial"]).0, 0);
    drop_last_of(&cut, &case);
    let (exit, text) = judge(&cut, &vkey, &["--partial"]);
    assert!(exit == 1 && text.contains("cases.missing"), "{text}");
    let (exit, text) = oracle(&cut, &vkey, &["--partial"]);
    assert!(exit == 1 && text.contains("CaseIncomplete"), "{text}");
    home.remove().await;
}

#[tokio::test]
async fn a_trace_alone_is_all_that_carries_its_id_on_sqlite() {
    one_trace(Engine::Sqlite).await;
}

#[tokio::test]
async fn a_trace_alone_is_all_that_carries_its_id_on_postgres() {
    one_trace(Engine::Postgres).await;
}

async fn one_trace(engine: Engine) {
    let home = Home::new(engine).await;
    let (key, auditor) = (
        home.issue_key("local", "operator"),
        home.issue_key("local", "auditor"),
    );
    let server = home.serve().await;
    let line = |subject: &str, of: &str| {
        json!({ "kind": "step", "subject": subject, "data": {}, "correlationid": of }).to_string()
    };
    let seven = "case \u{fc}\"7";
    let batch = [
        line("deploy/1", seven),
        line("deploy/1", "another"),
        line("ticket/1", "another"),
        line("deploy/1", seven),
        line("ticket/1", seven),
    ];
    let url = format!("{}/v1/logs/local", server.base);
    let post = |path: &str, key: &str| {
        let call = server.http.post(format!("{url}/{path}")).bearer_auth(key);
        call.header("content-type", "application/x-ndjson")
    };
    let answer = post("records", &key).body(batch.join("\n")).send().await;
    assert_eq!(answer.unwrap().status().as_u16(), 201);
    let bundle = async |body: Value| {
        let call = server.http.post(format!("{url}/bundles")).json(&body);
        call.bearer_auth(&auditor).send().await.unwrap()
    };
    assert_eq!(bundle(json!({ "trace": "nobody" })).await.status(), 404);
    let answer = bundle(json!({ "trace": seven })).await;
    let tar = home.path("trace.tar");
    std::fs::write(&tar, answer.bytes().await.unwrap()).unwrap();
    server.stop();

    let vkey = home.vkey("local");
    let (exit, text) = judge(&tar, &vkey, &["--partial", "--json"]);
    assert_eq!(exit, 0, "{text}");
    let report: Value = serde_json::from_str(&text).unwrap();
    let subjects = report["subjects"].as_array().unwrap().iter();
    let told: Vec<(&str, u64)> = subjects
        .inspect(|one| assert!(one["complete_as_of"].is_null(), "{one}"))
        .map(|one| {
            (
                one["subject"].as_str().unwrap(),
                one["records"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(told, [("deploy/1", 2), ("ticket/1", 1)]);
    let (exit, text) = oracle(&tar, &vkey, &["--partial"]);
    assert!(exit == 0 && text.contains("deploy/1: not shown"), "{text}");

    let cut = home.path("cut");
    let trace = |id| ["export", "--tenant", "local", "--trace", id];
    run(home.probity(&trace(seven)).arg("--out").arg(&cut));
    let records = std::fs::read_to_string(cut.join("records.jsonl")).unwrap();
    let of_case = json!(seven).to_string();
    assert_eq!(records.lines().count(), 3);
    assert!(records.lines().all(|line| line.contains(&of_case)));
    let bounded = home.path("bounded");
    let mut command = home.probity(&trace("nobody"));
    let status = command.arg("--out").arg(&bounded).status().unwrap();
    assert!(!status.success());
    home.remove().await;
}

fn longest_case(records: &str) -> String {
    let mut cases: BTreeMap<String, usize> = BTreeMap::new();
    for line in records.lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        let subject = record["subject"].as_str().unwrap();
        if subject.starts_with("decision/") {
            *cases.entry(subject.to_owned()).or_default() += 1;
        }
    }
    let longest = cases.into_iter().max_by_key(|(_, count)| *count).unwrap();
    assert!(longest.1 > 2, "a case with an end to cut off");
    longest.0
}

/// Takes the last record of a case, and its proof, out of a bundle.
fn drop_last_of(bundle: &Path, case: &str) {
    let read = |name: &str| std::fs::read_to_string(bundle.join(name)).unwrap();
    let (records, proofs) = (read("records.jsonl"), read("proofs.jsonl"));
    let is_own = |line: &str| line.contains(&format!("\"subject\":\"{case}\""));
    let last = records
        .lines()
        .collect::<Vec<_>>()
        .iter()
        .rposition(|line| is_own(line));
    for (name, text) in [("records.jsonl", records), ("proofs.jsonl", proofs)] {
        let rest = text.lines().enumerate().filter(|(at, _)| Some(*at) != last);
        let rest: String = rest.map(|(_, line)| format!("{line}\n")).collect();
        std::fs::write(bundle.join(name), rest).unwrap();
    }
}
