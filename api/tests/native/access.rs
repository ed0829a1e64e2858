//! Who may do what: every path, every role, every tenant.

use crate::harness::{LINE, Served, problem};
use probity_schemas::vocabulary::Role;
use reqwest::Method;
use serde_json::{Value, json};

/// Every operation that the document describes, with something in place of its parameters.
async fn operations(served: &Served) -> Vec<(Method, String, bool)> {
    let document: Value = served.get("/openapi.json", "").await.json().await.unwrap();
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        let path = path
            .replace("{tenant}", "local")
            .replace("{id}", "00000000-0000-7000-8000-000000000000")
            .replace("{blake3}", &"0".repeat(64))
            .replace("{sequence}", "0");
        for (method, operation) in methods.as_object().unwrap() {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            operations.push((method, path.clone(), operation.get("security").is_some()));
        }
    }
    assert!(operations.len() > 15, "{operations:?}");
    operations
}

#[tokio::test]
async fn nothing_is_open_but_health() {
    let (served, _directory) = Served::fresh().await;
    let good = served.issue("local", Role::Admin).await;
    let last = if good.ends_with('A') { 'Q' } else { 'A' };
    let swapped = format!("{}{last}", good.get(..good.len() - 1).unwrap());
    let elsewhere = good.replace("pk_local_", "pk_nobody_");
    let mut open = Vec::new();
    for (method, path, is_open) in operations(&served).await {
        let bare = served
            .http
            .request(method.clone(), format!("{}{path}", served.url))
            .send()
            .await
            .unwrap();
        if is_open {
            open.push(path);
            continue;
        }
        assert_eq!(
            problem(bare).await,
            (401, "unauthorized".to_owned()),
            "{method} {path}"
        );
        for bad in ["", "nonsense", swapped.as_str(), elsewhere.as_str()] {
            let answer = served
                .request(method.clone(), &path, bad)
                .send()
                .await
                .unwrap();
            assert_eq!(problem(answer).await.0, 401, "{method} {path} {bad}");
        }
    }
    assert_eq!(open, ["/health", "/ready"]);
}

#[tokio::test]
async fn another_tenants_log_does_not_exist() {
    let (served, _directory) = Served::fresh().await;
    served.issue("local", Role::Viewer).await;
    let stranger = served.issue("acme", Role::Admin).await;
    for (method, path, _) in operations(&served)
        .await
        .into_iter()
        .filter(|(_, path, _)| path.starts_with("/v1/"))
    {
        let answer = served
            .request(method.clone(), &path, &stranger)
            .send()
            .await
            .unwrap();
        let missing = served
            .request(
                method.clone(),
                &path.replace("/local/", "/nobody/"),
                &stranger,
            )
            .send()
            .await
            .unwrap();
        assert_eq!(
            problem(answer).await,
            problem(missing).await,
            "{method} {path}"
        );
    }
}

/// What each role gets from each kind of request: an allowed one is served, or refused for what it says; never 403.
#[tokio::test]
async fn roles_hold_on_the_wire() {
    use Role::{Admin, Agent, Approver, Auditor, Operator, Viewer};
    let (served, _directory) = Served::fresh().await;
    let id = "00000000-0000-7000-8000-000000000000";
    let table: [(Method, String, Value, &[Role]); 8] = [
        (
            Method::POST,
            "records".to_owned(),
            Value::Null,
            &[Admin, Approver, Operator, Agent],
        ),
        (
            Method::GET,
            "records".to_owned(),
            Value::Null,
            &[Admin, Approver, Operator, Auditor],
        ),
        (Method::GET, "checkpoint".to_owned(), Value::Null, Role::ALL),
        (
            Method::GET,
            "decisions".to_owned(),
            Value::Null,
            &[Admin, Approver, Operator, Auditor, Viewer],
        ),
        (
            Method::POST,
            format!("decisions/{id}/resolve"),
            json!({ "status": "approved" }),
            &[Admin, Approver],
        ),
        (
            Method::POST,
            "credentials".to_owned(),
            json!({ "role": "viewer" }),
            &[Admin],
        ),
        (
            Method::POST,
            "bundles".to_owned(),
            Value::Null,
            &[Admin, Approver, Operator, Auditor],
        ),
        (
            Method::DELETE,
            format!("credentials/{id}"),
            Value::Null,
            &[Admin],
        ),
    ];
    for role in Role::ALL {
        let key = served.issue("local", *role).await;
        for (method, path, body, allowed) in &table {
            let request = match (path.as_str(), body) {
                ("records", _) if *method == Method::POST => served.batch(&key, LINE),
                (_, Value::Null) => {
                    served.request(method.clone(), &format!("/v1/logs/local/{path}"), &key)
                }
                (_, body) => served
                    .request(method.clone(), &format!("/v1/logs/local/{path}"), &key)
                    .json(body),
            };
            let status = request.send().await.unwrap().status().as_u16();
            assert_eq!(
                status != 403,
                allowed.contains(role),
                "{role} {method} {path}: {status}"
            );
        }
    }
}

#[tokio::test]
async fn both_ways_to_carry_a_key_are_one() {
    let (served, _directory) = Served::fresh().await;
    let key = served.issue("local", Role::Viewer).await;
    let url = format!("{}/v1/logs/local/checkpoint", served.url);
    assert_eq!(
        served
            .http
            .get(&url)
            .bearer_auth(&key)
            .send()
            .await
            .unwrap()
            .status(),
        200
    );
    assert_eq!(
        served
            .http
            .get(&url)
            .header("x-api-key", &key)
            .send()
            .await
            .unwrap()
            .status(),
        200
    );
    assert_eq!(
        served
            .http
            .get(format!("{url}?key={key}"))
            .send()
            .await
            .unwrap()
            .status(),
        401
    );
}
