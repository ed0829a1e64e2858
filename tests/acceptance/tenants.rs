//! Every endpoint tried from another tenant, and without a credential: nothing is shown and nothing is done.

use crate::harness::{Engine, Home};
use crate::plugin::token;
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn nothing_is_open_and_nothing_leaks_between_tenants() {
    let home = Home::new(Engine::Sqlite).await;
    let ours = home.issue_key("local", "admin");
    let theirs = home.issue_key("other", "admin");
    let server = home.serve().await;
    let id = "01890000-0000-7000-8000-000000000000";
    let native: Vec<(Method, String)> = [
        (Method::GET, "records"),
        (Method::POST, "records"),
        (Method::GET, "checkpoint"),
        (Method::GET, "receipts/0"),
        (Method::POST, "bundles"),
        (Method::GET, "vkey"),
        (Method::GET, "witnesses"),
        (Method::POST, "credentials"),
        (Method::GET, "records/0/disclosures"),
        (Method::POST, "persons/ada/erase"),
        (Method::POST, "holds"),
        (Method::POST, "holds/case-1/lift"),
        (Method::GET, "decisions"),
        (Method::GET, "approvals"),
        (Method::GET, "adapters"),
        (Method::GET, "policies"),
        (Method::GET, "traces"),
        (Method::GET, "audit"),
        (Method::GET, "spend"),
        (Method::GET, "posture"),
        (Method::GET, "budget"),
        (Method::PUT, "budget"),
    ]
    .into_iter()
    .map(|(method, path)| (method, format!("/v1/logs/local/{path}")))
    .chain([
        (Method::GET, format!("/v1/logs/local/decisions/{id}")),
        (
            Method::POST,
            format!("/v1/logs/local/decisions/{id}/resolve"),
        ),
        (Method::DELETE, format!("/v1/logs/local/credentials/{id}")),
    ])
    .collect();
    for (method, path) in native {
        let call = |key: Option<&str>| {
            let call = server
                .http
                .request(method.clone(), format!("{}{path}", server.base))
                .json(&json!({}));
            key.map_or(call.try_clone().unwrap(), |key| call.bearer_auth(key))
        };
        let status = call(None).send().await.unwrap().status().as_u16();
        assert_eq!(status, 401, "{method} {path} without a credential");
        let status = call(Some(
            "pk_local_nobody_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        ))
        .send()
        .await
        .unwrap()
        .status();
        assert_eq!(status.as_u16(), 401, "{method} {path} with an invented key");
        let answer = call(Some(&theirs)).send().await.unwrap();
        assert_eq!(
            answer.status().as_u16(),
            404,
            "{method} {path} from another tenant"
        );
        let missing = path.replace("/local/", "/nothing-there/");
        let nowhere = server
            .http
            .request(method.clone(), format!("{}{missing}", server.base))
            .json(&json!({}));
        let nowhere = nowhere.bearer_auth(&theirs).send().await.unwrap();
        assert_eq!(
            nowhere.status().as_u16(),
            404,
            "{method} {missing}: a log that is not there looks the same"
        );
    }
    let (status, _) = server.get(&ours, "/v1/logs/local/checkpoint").await;
    assert_eq!(status, 200);

    for (method, path) in [
        (Method::POST, "/adapters/register"),
        (Method::POST, "/api/execution/request"),
        (Method::GET, "/api/execution/x"),
        (Method::GET, "/api/decisions/x"),
        (Method::POST, "/api/ingest/trace"),
        (Method::POST, "/api/ingest/audit"),
        (Method::POST, "/api/ingest/cost"),
        (Method::POST, "/api/ingest/metrics"),
        (Method::POST, "/api/ingest/violations"),
        (Method::GET, "/api/adapter/posture"),
        (Method::GET, "/api/adapter/decisions"),
        (Method::POST, "/api/policy/evaluate"),
        (Method::GET, "/ops/api/decisions"),
        (Method::GET, "/ops/api/policies"),
        (Method::POST, "/ops/api/policies"),
    ] {
        let call = |name: &str, value: &str| {
            let call = server
                .http
                .request(method.clone(), format!("{}{path}", server.base))
                .json(&json!({}));
            if name.is_empty() {
                call
            } else {
                call.header(name, value)
            }
        };
        let status = call("", "").send().await.unwrap().status().as_u16();
        assert_eq!(status, 401, "{method} {path} without a credential");
        if path.starts_with("/ops") {
            let status = call("x-ops-api-key", "a guess")
                .send()
                .await
                .unwrap()
                .status()
                .as_u16();
            assert_eq!(status, 403, "{method} {path} with a guessed key");
            continue;
        }
        for (why, secret, tenant) in [
            ("a guessed secret", "a guess", "local"),
            ("another tenant", crate::harness::ADAPTER_SECRET, "other"),
        ] {
            let token = token("stranger", tenant, &[], secret);
            let status = call("x-adapter-token", &token)
                .send()
                .await
                .unwrap()
                .status()
                .as_u16();
            assert_eq!(status, 403, "{method} {path} with {why}");
        }
    }
    let open = server
        .http
        .get(format!("{}/health", server.base))
        .send()
        .await
        .unwrap();
    assert_eq!(open.status().as_u16(), 200, "health is open");
    server.stop();
}
