//! An answer that a person signs on their own machine, and an insider who holds the log's key and invents one.

use crate::forger::{lines, reseal};
use crate::harness::{Engine, Home, binary, judge, run};
use crate::judges::oracle;
use probity_schemas::time::Time;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;

#[tokio::test]
async fn an_insider_with_the_logs_key_invents_no_approval_of_a_person_whose_key_the_auditor_holds()
{
    let home = Home::new(Engine::Sqlite).await;
    let token = home.issue_key("local", "approver");
    let ann = format!("user:{}", &token["pk_local_".len()..][..36]);
    let key = home.path("ann.key");
    let made = run(Command::new(binary("probity"))
        .args(["key", "approver", "--out"])
        .arg(&key));
    let public = String::from_utf8(made.stdout).unwrap().trim().to_owned();
    run(home
        .probity(&["key", "register", "--tenant", "local"])
        .args(["--actor", &ann, "--public", &public]));

    let server = home.serve().await;
    let plugin = server.plugin("acceptance-plugin", &["tool"]);
    plugin.register(&plugin.registration()).await;
    let policy = json!({"policy_id": "pay", "subject": {"type": "tool", "name": "pay"},
        "effect": {"decision": "require_approval"}, "precedence": 20});
    server.operator().publish(&policy).await;
    let mut asked = Vec::new();
    for execution in ["e-1", "e-2"] {
        let body = plugin.body(execution, "pay", json!({}));
        let pending = plugin.request(&body).await;
        asked.push(pending["decision_id"].as_str().unwrap().to_owned());
    }
    let approved = run(Command::new(binary("probity"))
        .args(["approve", &asked[0], "--url", &server.base, "--key"])
        .arg(&key)
        .env("PROBITY_TOKEN", &token));
    let said = String::from_utf8(approved.stdout).unwrap();
    assert!(
        said.contains("asks: pay") && said.contains("approved and signed by"),
        "{said}"
    );
    assert_eq!(plugin.poll("e-1").await["effect"], json!("allow"));
    server.stop();

    let (honest, vkey) = (home.export("local", "honest"), home.vkey("local"));
    let held = format!("{ann}={public}");
    let (code, text) = judge(&honest, &vkey, &["--actor-key", &held]);
    assert_eq!(code, 0, "{text}");
    assert!(
        text.contains("1 signed by a key the auditor brought"),
        "{text}"
    );

    let (code, text) = oracle(&honest, &vkey, &["--actor-key", &held]);
    assert_eq!(code, 0, "{text}");
    assert!(
        text.contains("1 signed by a key that was brought"),
        "{text}"
    );

    // Handed out alone, the case brings the key along.
    let (case, alone) = (format!("decision/{}", asked[0]), home.path("alone"));
    let part = ["export", "--tenant", "local", "--subject", case.as_str()];
    run(home.probity(&part).arg("--out").arg(&alone));
    let asking = ["--partial", "--actor-key", held.as_str()];
    let (code, text) = judge(&alone, &vkey, &asking);
    assert_eq!(code, 0, "{text}");
    let counted = "1 signed by a key the auditor brought";
    assert!(text.contains(counted), "{text}");
    let (code, text) = oracle(&alone, &vkey, &asking);
    assert_eq!(code, 0, "{text}");
    let counted = "1 signed by a key that was brought";
    assert!(text.contains(counted), "{text}");

    let forged = forge(&home, &honest, &ann, &asked[1]);
    let (code, text) = judge(&forged, &vkey, &[]);
    assert_eq!(code, 0, "without her key nobody can tell: {text}");
    let (code, text) = judge(&forged, &vkey, &["--actor-key", &held]);
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("signatures.missing"), "{text}");
    let (code, text) = oracle(&forged, &vkey, &["--actor-key", &held]);
    assert!(code == 1 && text.contains("NotSigned"), "{code}: {text}");
}

/// The honest bundle, and at its end an approval that was never given, sealed with the log's own key.
fn forge(home: &Home, honest: &Path, person: &str, decision: &str) -> PathBuf {
    let of = |line: &String| serde_json::from_str::<Value>(line).unwrap();
    let lines = lines(honest);
    let subject = format!("decision/{decision}");
    let mut made = lines
        .iter()
        .map(of)
        .find(|record| record["subject"] == subject.as_str())
        .unwrap();
    let last = of(lines.last().unwrap());
    let facts = &made["data"]["facts"];
    let time = Time::parse(last["time"].as_str().unwrap()).unwrap();
    let expires = time.plus_seconds(facts["grant_seconds"].as_i64().unwrap());
    let data =
        json!({"expires": expires, "request_digest": facts["request_digest"], "role": "approver"});
    made["actor"] = person.into();
    made["type"] = "approval.granted.v1".into();
    made["surface"] = "native".into();
    reseal(home, honest, "forged", &made, data)
}
