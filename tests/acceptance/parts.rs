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
