//! Decisions on a person's values, and a recording of her voice: decided on, shown, erased, gone from everywhere; and every decision, hash,
//! receipt and old bundle stands.

use crate::erasure::{ADA, Keys, bundle, get, nowhere, post};
use crate::harness::{Engine, Home, Server, accepted, binary, judge, run};
use reqwest::Method;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

const MAIL: &str = "ada.lovelace@example.org";
const PHONE: &str = "+44 20 7946 0815";
const VOICE: &str = "the very voice of Ada Lovelace";

#[tokio::test]
async fn decisions_on_a_forgotten_person_stand_on_sqlite() {
    decided_and_forgotten(Engine::Sqlite).await;
}

#[tokio::test]
async fn decisions_on_a_forgotten_person_stand_on_postgres() {
    decided_and_forgotten(Engine::Postgres).await;
}

async fn decided_and_forgotten(engine: Engine) {
    let home = Home::new(engine).await;
    let keys = Keys::issue(&home);
    let vkey = home.vkey("local");
    let calls = r#"decision.made={"person": "/context/customer", "pointers": ["/context/phone"]}"#;
    let server = home.serve_as("data", &["--personal", calls]).await;
    let (decision, subject) = decided(&server, &keys).await;
    called(&server).await;
    let voice = recorded(&server, &home, &keys).await;

    let receipt = home.path("receipt");
    let (_, proof) = get(&server, &keys.auditor, &format!("receipts/{decision}")).await;
    std::fs::write(&receipt, proof).unwrap();
    let path = format!("records?from={decision}&limit=1");
    let (_, line) = get(&server, &keys.auditor, &path).await;
    std::fs::write(home.path("line"), line.trim_end()).unwrap();
    let before = bundle(&server, &keys.auditor, &home, "before.tar")
        .await
        .unwrap();
    assert_eq!(counted(&before, &vkey), (0, 0, 1, 0));

    let basis = json!({"basis": "GDPR article 17(1)(b)", "attachments": [voice]});
    let path = format!("persons/{ADA}/erase");
    let (status, erased) = post(&server, &keys.admin, &path, "once", &basis).await;
    assert_eq!(
        (status, &erased["attachments"]),
        (200, &json!([voice])),
        "{erased}"
    );
    assert_eq!(erased["disclosures"], json!(4), "{erased}");
    let (status, gone) = get(&server, &keys.auditor, &format!("attachments/{voice}")).await;
    let gone: Value = serde_json::from_str(&gone).unwrap();
    assert_eq!((status, &gone["code"]), (410, &json!("erased")), "{gone}");
    let words = format!("record {} says", erased["sequence"]);
    assert!(gone["detail"].as_str().unwrap().contains(&words), "{gone}");
    let (status, _) = post(&server, &keys.admin, &path, "once", &basis).await;
    assert_eq!(status, 200);

    let after = bundle(&server, &keys.auditor, &home, "after.tar")
        .await
        .unwrap();
    assert_eq!(counted(&after, &vkey), (3, 4, 0, 1));
    let text = accepted(&after, &vkey);
    assert!(
        text.contains("4 are not shown: 1 erasures state that they destroyed 4 disclosures"),
        "{text}"
    );
    assert!(
        text.contains("in 3 of the decisions conditions looked at values"),
        "{text}"
    );
    server.stop();
    let part = home.path("part.tar");
    let arguments = ["export", "--tenant", "local", "--subject", &subject];
    run(home.probity(&arguments).arg("--out").arg(&part));
    let (exit, text) = judge(&part, &vkey, &["--partial"]);
    assert_eq!(exit, 0, "{text}");
    let words = "in 1 of the decisions conditions looked at values that are not shown";
    assert!(text.contains(words), "{text}");
    let offline = home.export("local", "offline.tar");
    assert_eq!(counted(&offline, &vkey), (3, 4, 0, 1));

    accepted(&before, &vkey);
    let mut receipts = Command::new(binary("probity-verify"));
    receipts.arg("receipt").arg(&receipt).arg("--record");
    run(receipts.arg(home.path("line")).args(["--key", &vkey]));
    std::fs::remove_file(&before).unwrap();
    nowhere(&home, &[MAIL, PHONE, VOICE, ADA]);
    home.remove().await;
}

/// A letter is refused for whom it goes to; another waits for a person and is then resumed. Gives the record of the refusal, and its
/// subject.
async fn decided(server: &Server, keys: &Keys) -> (u64, String) {
    let operator = server.operator();
    for (id, prefix, decision) in [
        ("not-to-ada", "ada.", "deny"),
        ("to-others", "", "require_approval"),
    ] {
        let policy = json!({"policy_id": id, "subject": {"type": "tool", "name": "send_letter"}, "precedence": 10,
            "conditions": {"context.to.0": {"exists": false}, "context.recipient.mail": {"prefix": prefix}},
            "effect": {"decision": decision}});
        operator.publish(&policy).await;
    }
    let (status, refused) = ask(server, keys, "letter-1", MAIL).await;
    assert_eq!(
        (status, &refused["standing"]),
        (201, &json!("refused")),
        "{refused}"
    );
    let (_, pending) = ask(server, keys, "letter-2", "bob@example.org").await;
    assert_eq!(pending["standing"], json!("pending"), "{pending}");
    let (status, again) = ask(server, keys, "letter-2", "bob@example.org").await;
    assert_eq!(
        (status, &again["decision"]),
        (200, &pending["decision"]),
        "{again}"
    );
    operator
        .resolve(pending["decision"].as_str().unwrap(), "approved")
        .await;
    let (status, resumed) = ask(server, keys, "letter-2", "bob@example.org").await;
    assert_eq!(
        (status, &resumed["standing"]),
        (201, &json!("consumed")),
        "{resumed}"
    );
    let bad = json!({"action": "send_letter", "personal": [{"pointer": "/intent", "person": ADA}]});
    assert_eq!(
        post(server, &keys.operator, "decisions", "", &bad).await.0,
        422
    );
    let subject = format!("decision/{}", refused["decision"].as_str().unwrap());
    (refused["sequence"].as_u64().unwrap(), subject)
}

async fn ask(server: &Server, keys: &Keys, execution: &str, mail: &str) -> (u16, Value) {
    let asked = json!({"action": "send_letter", "execution": execution, "context": {"recipient": {"mail": mail}, "pages": 2},
        "personal": [{"pointer": "/context/recipient/mail", "person": ADA}]});
    post(server, &keys.operator, "decisions", "", &asked).await
}

/// An adapter that knows nothing of persons asks to call her; a setting says what is personal.
async fn called(server: &Server) {
    let plugin = server.plugin("phone", &["tool"]);
    plugin.register(&plugin.registration()).await;
    let policy = json!({"policy_id": "calls", "subject": {"type": "tool", "name": "call"}, "precedence": 10,
        "conditions": {"context.phone": {"prefix": "+44"}}, "effect": {"decision": "allow"}});
    server.operator().publish(&policy).await;
    let context = json!({"customer": ADA, "phone": PHONE});
    let answer = plugin
        .request(&plugin.body("call-1", "call", context))
        .await;
    assert_eq!(answer["decision"], json!("allow"), "{answer}");
    let nobody = plugin.body("call-2", "call", json!({"phone": PHONE}));
    let path = "/api/execution/request";
    let (status, refused) = plugin.call(Method::POST, path, Some(&nobody)).await;
    assert!(
        (400..500).contains(&status),
        "whose is it? {status} {refused}"
    );
}

/// Uploads a recording and names it; gives its name.
async fn recorded(server: &Server, home: &Home, keys: &Keys) -> String {
    let (file, content) = (home.path("voice"), VOICE.repeat(20_000));
    std::fs::write(&file, &content).unwrap();
    let said = run(Command::new(binary("probity")).arg("blake3").arg(&file));
    std::fs::remove_file(&file).unwrap();
    let name = String::from_utf8(said.stdout).unwrap().trim().to_owned();
    let bytes = content.len();
    let url = format!("{}/v1/logs/local/attachments/{name}", server.base);
    let put = server
        .http
        .put(url)
        .bearer_auth(&keys.operator)
        .body(content);
    assert_eq!(put.send().await.unwrap().status().as_u16(), 201);
    let line = json!({"kind": "call", "subject": "call/1", "data": {},
        "attachments": [{"blake3": name, "bytes": bytes, "media_type": "audio/ogg"}]});
    let answer = server
        .http
        .post(format!("{}/v1/logs/local/records", server.base))
        .bearer_auth(&keys.operator)
        .header("content-type", "application/x-ndjson")
        .body(line.to_string());
    assert_eq!(answer.send().await.unwrap().status().as_u16(), 201);
    name
}

/// Of a bundle that is accepted: decisions on what is not shown, values not shown, attachments shown, attachments erased.
fn counted(bundle: &Path, vkey: &str) -> (u64, u64, u64, u64) {
    let (exit, text) = judge(bundle, vkey, &["--json"]);
    assert_eq!(exit, 0, "{text}");
    let report: Value = serde_json::from_str(&text).unwrap();
    let count = |name: &str| report["counts"][name].as_u64().unwrap();
    (
        count("decisions_on_withheld"),
        count("disclosures_withheld"),
        count("attachments"),
        count("attachments_erased"),
    )
}
