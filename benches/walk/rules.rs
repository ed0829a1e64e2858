//! The rules of the benches: an agent, and 32 policies of which the first fits what it asks.

use crate::log::batch;
use probity_governance::command::Operation;
use probity_ledger::{Ledger, Submission};
use probity_schemas::body::Body;
use probity_schemas::event::decision::Request;
use probity_schemas::event::registry::CredentialIssued;
use probity_schemas::policy::{
    Condition, Operator, Policy, PolicySubject, Scalar, Scope, SubjectKind,
};
use probity_schemas::subject::Tenant;
use probity_schemas::vocabulary::{CredentialMethod, Effect, Role};

/// Makes the agent and the policies of a tenant.
pub async fn publish(ledger: &Ledger, tenant: &Tenant) {
    submit(ledger, tenant, credential()).await;
    for number in 0..32 {
        let policy = Operation::PublishPolicy(Box::new(policy(number)));
        submit(ledger, tenant, policy).await;
    }
}

/// Submits, as whoever asks for such things.
pub async fn submit(ledger: &Ledger, tenant: &Tenant, operation: Operation) {
    let mut submission: Submission = batch(0, 0);
    submission.command.actor = match operation {
        Operation::RequestDecision(_) => "agent:bench".to_owned(),
        _ => "system".to_owned(),
    };
    submission.command.operation = operation;
    ledger.submit(tenant, submission).await.unwrap();
}

/// The right to ask, for the agent of this bench.
fn credential() -> Operation {
    let issued = CredentialIssued {
        actor: "agent:bench".to_owned(),
        digest: "0".repeat(64),
        method: CredentialMethod::Key,
        roles: vec![Role::Agent],
    };
    Operation::IssueCredential("bench".to_owned(), Box::new(issued))
}

/// A request of the agent, about a path of its own.
pub fn request(number: usize) -> Operation {
    let context = format!(
        r#"{{"exec":{{"argv":["ls","-la"],"argv0":"ls","cwd":"/workspace/repo"}},"targets":{{"paths":["/workspace/repo/src/{number}"]}}}}"#
    );
    Operation::RequestDecision(
        Request {
            action: "exec".to_owned(),
            capabilities: vec!["shell.exec".to_owned()],
            context: Some(Body::from_foreign(context.as_bytes()).unwrap()),
            ..Request::default()
        }
        .into(),
    )
}

fn policy(number: usize) -> Policy {
    let condition = |field: &str, operator, values: &[&str]| Condition {
        field: field.to_owned(),
        operator,
        values: values
            .iter()
            .map(|text| Scalar::Text((*text).to_owned()))
            .collect(),
    };
    let last = number == 31;
    Policy {
        conditions: if last {
            Vec::new()
        } else {
            vec![
                condition("context.exec.argv0", Operator::In, &["ls", "cat", "git"]),
                condition(
                    "context.targets.paths",
                    Operator::AllUnder,
                    &[&format!(
                        "/workspace/{}",
                        if number == 0 { "repo" } else { "other" }
                    )],
                ),
            ]
        },
        effect: if last {
            Effect::RequireApproval
        } else {
            Effect::Allow
        },
        enabled: true,
        explanation: None,
        id: format!("policy-{number:02}"),
        precedence: if last { -100 } else { 10 },
        scope: Scope::default(),
        subject: PolicySubject {
            kind: SubjectKind::Tool,
            name: (!last).then(|| "exec".to_owned()),
        },
    }
}
