//! Writing: batches, receipts, idempotency, credentials, budgets, bundles, and a stop in between.

use crate::harness::{LINE, Served, problem, tenant};
use probity_schemas::hash::leaf_hash;
use probity_schemas::proof::TlogProof;
use probity_schemas::vkey::VerifierKey;
use probity_schemas::vocabulary::Role;
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn a_batch_is_recorded_and_its_receipt_verifies_offline() {
    let (served, _directory) = Served::fresh().await;
    let key = served.issue("local", Role::Operator).await;
    let answer = served
        .batch(&key, format!("{LINE}\n{LINE}\n"))
        .header("prefer", "receipts")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 201);
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(
        (answer["count"].as_u64(), answer["replayed"].as_bool()),
        (Some(2), Some(false))
    );
    assert_eq!(
        answer["last"].as_u64(),
        answer["first"].as_u64().map(|first| first + 1)
    );

    let vkey = served
        .get("/v1/logs/local/vkey", &key)
        .await
        .text()
        .await
        .unwrap();
    let vkey: VerifierKey = vkey.trim_end().parse().unwrap();
    let lines = served
        .get(
            &format!("/v1/logs/local/records?from={}", answer["first"]),
            &key,
        )
        .await
        .text()
        .await
        .unwrap();
    assert_eq!(lines.lines().count(), 2);
    for (line, receipt) in lines.lines().zip(answer["receipts"].as_array().unwrap()) {
        let proof = TlogProof::parse(receipt.as_str().unwrap()).unwrap();
        let checkpoint = proof
            .verify(&leaf_hash(line.as_bytes()), std::slice::from_ref(&vkey))
            .unwrap();
        assert_eq!(checkpoint.origin, "ledger.example/local");
        assert!(
            proof
                .verify(&leaf_hash(b"another line"), std::slice::from_ref(&vkey))
                .is_err()
        );
    }
}

#[tokio::test]
async fn a_batch_is_all_or_nothing_and_the_bad_line_is_named() {
    let (served, _directory) = Served::fresh().await;
    let key = served.issue("local", Role::Agent).await;
    let before = served.size().await;
    let answer = served
        .batch(&key, format!("{LINE}\n{{\"kind\":\"seen\"}}\n{LINE}\n"))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 422);
    let body: Value = answer.json().await.unwrap();
    assert_eq!(
        (body["line"].as_u64(), body["code"].as_str()),
        (Some(2), Some("invalid"))
    );
    assert_eq!(served.size().await, before);
}

#[tokio::test]
async fn a_retry_with_the_same_key_is_answered_the_same() {
    let (served, _directory) = Served::fresh().await;
    let key = served.issue("local", Role::Agent).await;
    let send = |body: String| {
        served
            .batch(&key, body)
            .header("idempotency-key", "one")
            .send()
    };
    let first: Value = send(LINE.to_owned()).await.unwrap().json().await.unwrap();
    let size = served.size().await;
    let again: Value = send(LINE.to_owned()).await.unwrap().json().await.unwrap();
    assert_eq!(
        (&again["first"], &again["last"], &again["replayed"]),
        (&first["first"], &first["last"], &json!(true))
    );
    let other = send(LINE.replace("ticket/1", "ticket/2")).await.unwrap();
    assert_eq!(
        problem(other).await,
        (422, "idempotency_mismatch".to_owned())
    );
    assert_eq!(served.size().await, size);
}

#[tokio::test]
async fn a_key_is_issued_used_and_revoked() {
    let (served, _directory) = Served::fresh().await;
    let admin = served.issue("local", Role::Admin).await;
    let path = "/v1/logs/local/credentials";
    let issued = served
        .request(Method::POST, path, &admin)
        .json(&json!({ "role": "agent", "agent": "crew 7" }))
        .send()
        .await
        .unwrap();
    assert_eq!(
        (issued.status().as_u16(), &issued.headers()["cache-control"]),
        (201, &"no-store".parse().unwrap())
    );
    let issued: Value = issued.json().await.unwrap();
    assert_eq!(issued["actor"], "agent:crew%207");
    let key = issued["key"].as_str().unwrap();
    assert_eq!(served.batch(key, LINE).send().await.unwrap().status(), 201);

    let revoke = |id: &str| {
        served
            .request(Method::DELETE, &format!("{path}/{id}?reason=left"), &admin)
            .send()
    };
    let id = issued["id"].as_str().unwrap();
    assert_eq!(revoke(id).await.unwrap().status(), 200);
    assert_eq!(
        problem(served.batch(key, LINE).send().await.unwrap()).await,
        (401, "unauthorized".to_owned())
    );
    assert_eq!(
        problem(revoke(id).await.unwrap()).await,
        (404, "not_found".to_owned())
    );
}

#[tokio::test]
async fn a_key_is_in_no_record() {
    let (served, _directory) = Served::fresh().await;
    let admin = served.issue("local", Role::Admin).await;
    let lines = served
        .get("/v1/logs/local/records", &admin)
        .await
        .text()
        .await
        .unwrap();
    let secret = admin.get(admin.len() - 43..).unwrap();
    assert!(lines.contains("credential.issued.v1") && !lines.contains(secret));
}

#[tokio::test]
async fn a_budget_is_set_and_read_from_state() {
    let (served, _directory) = Served::fresh().await;
    let admin = served.issue("local", Role::Admin).await;
    let path = "/v1/logs/local/budget";
    assert_eq!(
        problem(served.get(path, &admin).await).await,
        (404, "not_found".to_owned())
    );
    let set = |body: Value| served.request(Method::PUT, path, &admin).json(&body).send();
    let period = json!({ "micros": 5_000_000, "period_start": "2026-11-01T00:00:00Z", "period_end": "2026-12-01T00:00:00Z" });
    assert_eq!(set(period).await.unwrap().status(), 200);
    let budget: Value = served.get(path, &admin).await.json().await.unwrap();
    assert_eq!(
        (
            budget["remaining_micros"].as_u64(),
            budget["hard"].as_bool()
        ),
        (Some(5_000_000), Some(true))
    );
    let backwards = json!({ "micros": 1, "period_start": "2026-12-01T00:00:00Z", "period_end": "2026-11-01T00:00:00Z" });
    assert_eq!(
        problem(set(backwards).await.unwrap()).await,
        (422, "invalid".to_owned())
    );
}

#[tokio::test]
async fn a_bundle_is_streamed_and_the_log_tells_of_it() {
    let (served, _directory) = Served::fresh().await;
    let auditor = served.issue("local", Role::Auditor).await;
    let before = served.size().await;
    let answer = served
        .request(Method::POST, "/v1/logs/local/bundles", &auditor)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.headers()["content-type"], "application/x-tar");
    let tar = answer.bytes().await.unwrap();
    let mut archive = tar::Archive::new(tar.as_ref());
    let names: Vec<String> = archive
        .entries()
        .unwrap()
        .map(|entry| entry.unwrap().path().unwrap().display().to_string())
        .collect();
    assert_eq!(
        names.get(..3).unwrap(),
        ["bundle.json", "checkpoint", "records.jsonl"]
    );
    let last = served
        .get(&format!("/v1/logs/local/records?from={before}"), &auditor)
        .await
        .text()
        .await
        .unwrap();
    let last: Value = serde_json::from_str(&last).unwrap();
    assert_eq!(last["type"], "bundle.exported.v1");
    assert_eq!(
        last["data"],
        json!({ "count": before, "first": 0, "size": before })
    );
}

#[tokio::test]
async fn a_part_without_a_record_is_not_found_before_it_is_streamed() {
    let (served, _directory) = Served::fresh().await;
    let key = served.issue("local", Role::Operator).await;
    assert_eq!(served.batch(&key, LINE).send().await.unwrap().status(), 201);
    let ask = |filter: &Value| {
        let call = served.request(Method::POST, "/v1/logs/local/bundles", &key);
        call.json(filter).send()
    };
    for nothing in [
        json!({ "from": u64::MAX }),
        json!({ "subject": "ticket/9" }),
        json!({ "subject": "ticket/1", "to": 0 }),
        json!({ "trace": "none" }),
        json!({ "subject": "ticket/1", "trace": "none" }),
    ] {
        let answer = problem(ask(&nothing).await.unwrap()).await;
        assert_eq!(answer, (404, "not_found".to_owned()), "{nothing}");
    }
    let some = ask(&json!({ "subject": "ticket/1", "from": 1 }));
    assert!(!some.await.unwrap().bytes().await.unwrap().is_empty());
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_a_stop() {
    let (served, directory) = Served::fresh().await;
    let key = served.issue("local", Role::Operator).await;
    let writes = (0..20).map(|_| served.batch(&key, LINE).send());
    for answer in futures_util::future::join_all(writes).await {
        assert_eq!(answer.unwrap().status(), 201);
    }
    let size = served.size().await;
    served.stop().await;
    let again = Served::on(directory.path(), |_| {}).await;
    assert_eq!(again.size().await, size);
    assert_eq!(again.batch(&key, LINE).send().await.unwrap().status(), 201);
    assert!(
        again
            .app
            .ledger
            .reader()
            .log(&tenant("local"))
            .await
            .unwrap()
            .is_some()
    );
}
