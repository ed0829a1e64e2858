//! A decision that waits for a person, over the native surface: listed, resolved, resolved once, told by the view.

use crate::harness::{Served, problem, submission, tenant};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer as _, SigningKey};
use probity_governance::command::{Command, Operation};
use probity_ledger::store::Span;
use probity_schemas::actor_key::ActorKey;
use probity_schemas::event::decision::Request;
use probity_schemas::event::registry::AdapterRegistered;
use probity_schemas::policy::{Policy, PolicySubject, Scope, SubjectKind};
use probity_schemas::signature::{Answer, ApprovalStatement};
use probity_schemas::time::Time;
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
    let mut asked = submission(Operation::RequestDecision(request.into()));
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

    // Nobody has to say how much the view must have seen: what was answered before is in it.
    let waiting = served.get("/v1/logs/local/approvals", &approver).await;
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

    let seen = format!("/v1/logs/local/decisions/{decision}");
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

#[tokio::test]
async fn where_answers_must_be_signed_only_the_persons_registered_key_answers() {
    let directory = tempfile::TempDir::new().unwrap();
    let served = Served::on(directory.path(), |config| config.signed_approvals = true).await;
    let (agent, approver, admin) = (
        served.issue("local", Role::Agent).await,
        served.issue("local", Role::Approver).await,
        served.issue("local", Role::Admin).await,
    );
    let decision = ask(&served, &actor("agent", &agent)).await;
    let secret = SigningKey::from_bytes(&[7; 32]);
    let key = ActorKey::ed25519(secret.verifying_key().as_bytes()).unwrap();
    let registration =
        json!({ "actor": actor("user", &approver), "key": key.to_string(), "purpose": "approval" });
    let register = |who: &str| {
        served
            .request(Method::POST, "/v1/logs/local/keys", who)
            .json(&registration)
            .send()
    };
    let path = format!("/v1/logs/local/decisions/{decision}/resolve");
    let resolve = |body: Value| {
        served
            .request(Method::POST, &path, &approver)
            .json(&body)
            .send()
    };
    let refused = |what: &str| (422, what.to_owned());

    let unsigned = resolve(json!({ "status": "approved" })).await.unwrap();
    assert_eq!(problem(unsigned).await, refused("signature"));
    assert_eq!(
        problem(register(&approver).await.unwrap()).await,
        (403, "forbidden".to_owned()),
        "nobody registers a key for themselves"
    );
    let registered = register(&admin).await.unwrap();
    assert_eq!(registered.status(), 201);
    let registered: Value = registered.json().await.unwrap();
    assert_eq!(
        problem(register(&admin).await.unwrap()).await,
        refused("invalid")
    );

    let signature = |action| signed(&served, &decision, &secret, action);
    let body = json!({ "status": "approved", "signature": signature(Answer::Deny).await });
    let other = resolve(body).await.unwrap();
    assert_eq!(
        problem(other).await,
        refused("signature"),
        "signed was a denial"
    );
    let body = json!({ "status": "approved", "signature": signature(Answer::Approve).await });
    assert_eq!(resolve(body).await.unwrap().status(), 200);

    let listed: Value = served
        .get("/v1/logs/local/keys", &admin)
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(listed["items"][0]["keyid"], key.id());
    let one = format!("/v1/logs/local/keys/{}", registered["id"].as_str().unwrap());
    let revoke = || served.request(Method::DELETE, &one, &admin).send();
    assert_eq!(revoke().await.unwrap().status(), 200);
    assert_eq!(
        problem(revoke().await.unwrap()).await,
        (404, "not_found".to_owned())
    );
}

/// A person's own signature under an answer to the decision.
async fn signed(served: &Served, decision: &str, secret: &SigningKey, action: Answer) -> Value {
    let (ledger, tenant) = (&served.app.ledger, tenant("local"));
    let state = ledger.directory(&tenant).await.unwrap().unwrap();
    let log = state.log.as_ref().unwrap();
    let head = ledger.reader().log(&tenant).await.unwrap().unwrap();
    let subject = format!("decision/{decision}");
    let span = Span::Subject(&subject, 0);
    let made = ledger
        .reader()
        .read(head.log, span, 1, 1 << 20)
        .await
        .unwrap();
    let expires = Time::parse("2999-01-01T00:00:00.000000Z").unwrap();
    let statement = ApprovalStatement {
        action,
        decision: made.first().unwrap().leaf,
        expires,
        log: &log.log_id,
        origin: &log.origin,
    };
    let key = ActorKey::ed25519(secret.verifying_key().as_bytes()).unwrap();
    let sig = STANDARD.encode(secret.sign(&statement.message()).to_bytes());
    json!({ "alg": "ed25519", "expires": expires, "keyid": key.id(), "sig": sig })
}
