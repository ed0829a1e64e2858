//! A decision that waits for a person, over the native surface: listed, resolved, resolved once, told by the view.

use crate::harness::{Served, problem, submission, tenant};
use probity_governance::command::{Command, Operation};
use probity_schemas::event::decision::Request;
use probity_schemas::event::registry::AdapterRegistered;
use probity_schemas::policy::{Policy, PolicySubject, Scope, SubjectKind};
use probity_schemas::vocabulary::{Effect, RiskClass, Role};
use reqwest::Method;
use serde_json::{Value, json};

/// A person looks at every deployment.
fn policy() -> Policy {
    Policy {
        conditions: Vec::new(),
        effect: Effect::RequireApproval,
        enabled: true,
        explanation: Some("A person looks at every deployment.".to_owned()),
        id: "deployments".to_owned(),
        precedence: 1,
        scope: Scope::default(),
        subject: PolicySubject {
            kind: SubjectKind::Tool,
            name: Some("deploy".to_owned()),
        },
    }
}

fn adapter() -> AdapterRegistered {
    AdapterRegistered {
        capabilities: vec!["deploy".to_owned()],
        certification: "verified".to_owned(),
        display_name: "Deployer".to_owned(),
        enabled: true,
        id: "deployer".to_owned(),
        risk_class: RiskClass::Low,
        tool_capabilities: vec!["deploy".to_owned()],
        version: "1".to_owned(),
    }
}

/// Has an agent ask to deploy; gives the id of the decision.
async fn ask(served: &Served, agent: &str) -> String {
    let ledger = &served.app.ledger;
    for operation in [
        Operation::PublishPolicy(Box::new(policy())),
        Operation::RegisterAdapter(Box::new(adapter())),
    ] {
        ledger
            .submit(&tenant("local"), submission(operation))
            .await
            .unwrap();
    }
    let request = Request {
        action: "deploy".to_owned(),
        adapter: Some("deployer".to_owned()),
        execution: Some("run-1".to_owned()),
        ..Request::default()
    };
    let mut asked = submission(Operation::RequestDecision(Box::new(request)));
    asked.command = Command {
        actor: agent.to_owned(),
        ..asked.command
    };
    let receipt = ledger.submit(&tenant("local"), asked).await.unwrap();
    let record = receipt.records.first().unwrap();
    record
        .record()
        .unwrap()
        .envelope
        .subject
        .strip_prefix("decision/")
        .unwrap()
        .to_owned()
}

/// The actor behind a key.
fn actor(kind: &str, key: &str) -> String {
    format!(
        "{kind}:{}",
        key.get("pk_local_".len().."pk_local_".len() + 36).unwrap()
    )
}

#[tokio::test]
async fn a_person_approves_once_and_the_view_tells_it() {
    let (served, _directory) = Served::fresh().await;
    let (agent, approver) = (
        served.issue("local", Role::Agent).await,
        served.issue("local", Role::Approver).await,
    );
    let decision = ask(&served, &actor("agent", &agent)).await;

    let size = served.size().await;
    let waiting = served
        .get(
            &format!("/v1/logs/local/approvals?min_position={size}"),
            &approver,
        )
        .await;
    let waiting: Value = waiting.json().await.unwrap();
    assert_eq!(waiting["items"][0]["id"], decision.as_str());
    assert_eq!(
        waiting["items"][0]["explanation"],
        "A person looks at every deployment."
    );

    let path = format!("/v1/logs/local/decisions/{decision}/resolve");
    let approve = |key: &str| {
        let body = json!({ "status": "approved", "justification": "checked" });
        served
            .request(Method::POST, &path, key)
            .header("idempotency-key", "once")
            .json(&body)
            .send()
    };
    assert_eq!(
        problem(approve(&agent).await.unwrap()).await,
        (403, "forbidden".to_owned())
    );
    let resolved: Value = approve(&approver).await.unwrap().json().await.unwrap();
    assert_eq!(
        (&resolved["status"], &resolved["replayed"]),
        (&json!("approved"), &json!(false))
    );
    let again: Value = approve(&approver).await.unwrap().json().await.unwrap();
    assert_eq!(
        (&again["sequence"], &again["replayed"]),
        (&resolved["sequence"], &json!(true))
    );
    let deny = served
        .request(Method::POST, &path, &approver)
        .json(&json!({ "status": "denied" }))
        .send()
        .await
        .unwrap();
    assert_eq!(problem(deny).await, (409, "already_resolved".to_owned()));

    let seen = format!(
        "/v1/logs/local/decisions/{decision}?min_position={}",
        served.size().await
    );
    let seen: Value = served.get(&seen, &approver).await.json().await.unwrap();
    assert_eq!(
        (&seen["status"], &seen["justification"]),
        (&json!("approved"), &json!("checked"))
    );
    assert_eq!(seen["resolver"], actor("user", &approver).as_str());
}

#[tokio::test]
async fn nobody_resolves_their_own_request_or_one_that_is_not_there() {
    let (served, _directory) = Served::fresh().await;
    let admin = served.issue("local", Role::Admin).await;
    let decision = ask(&served, &actor("user", &admin)).await;
    let approve = |id: String| {
        let path = format!("/v1/logs/local/decisions/{id}/resolve");
        served
            .request(Method::POST, &path, &admin)
            .json(&json!({ "status": "approved" }))
            .send()
    };
    assert_eq!(
        problem(approve(decision).await.unwrap()).await,
        (403, "self_approval".to_owned())
    );
    for unknown in ["00000000-0000-7000-8000-000000000000", "none"] {
        assert_eq!(
            problem(approve(unknown.to_owned()).await.unwrap()).await,
            (404, "not_found".to_owned())
        );
    }
}
