//! The real ledger: what was submitted is in the lists, by the reader's own door, and comes back when the views are deleted.

use crate::place::{Place, both};
use crate::specimens::{adapter, policy};
use probity_governance::command::{Command, Operation, Report, ReportBody, Resolution};
use probity_ledger::{Config, Ledger, Submission};
use probity_projections::Page;
use probity_projections::views::{DecisionFilter, DecisionStatus, Views};
use probity_schemas::event::decision::Request;
use probity_schemas::event::registry::CredentialIssued;
use probity_schemas::event::telemetry::CostIngested;
use probity_schemas::subject::Tenant;
use probity_schemas::vocabulary::{CredentialMethod, Effect, Role};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(20);

async fn open(place: &Place) -> Ledger {
    Ledger::open(Config {
        data: place.config.data.clone(),
        keys: place.config.data.join("keys"),
        database: place.config.database.clone(),
        origin: Some("ledger.example".to_owned()),
        address: "127.0.0.1:0".to_owned(),
        settings: vec![("mode".to_owned(), Some("guarded".to_owned()))],
        credentials: None,
        queue_commands_max: 64,
        witnesses: None,
        authority: None,
    })
    .await
    .unwrap()
}

/// Submits, and gives the size of the log up to the answer.
async fn submit(ledger: &Ledger, tenant: &Tenant, actor: &str, operation: Operation) -> u64 {
    let command = Command {
        actor: actor.to_owned(),
        surface: "native",
        workspace: None,
        correlation: None,
        causation: None,
        traceparent: None,
        operation,
    };
    let submission = Submission {
        command,
        idempotency: None,
        attachments: Vec::new(),
    };
    ledger.submit(tenant, submission).await.unwrap().size
}

/// An adapter, an approver, and a policy that lets a person decide.
async fn prepare(ledger: &Ledger, tenant: &Tenant) {
    ledger.create_log(tenant).await.unwrap();
    for (id, actor, role) in [
        ("adapters", "adapter:*", Role::Agent),
        ("ann", "user:ann", Role::Approver),
    ] {
        let issued = CredentialIssued {
            actor: actor.to_owned(),
            digest: "00".repeat(32),
            method: CredentialMethod::Key,
            roles: vec![role],
        };
        let issue = Operation::IssueCredential(id.to_owned(), Box::new(issued));
        submit(ledger, tenant, "system", issue).await;
    }
    let register = Operation::RegisterAdapter(Box::new(adapter("coder", "1", &["write"])));
    submit(ledger, tenant, "system", register).await;
    let published = policy("ask", Some("write"), Effect::RequireApproval, 10);
    let publish = Operation::PublishPolicy(Box::new(published.policy));
    submit(ledger, tenant, "system", publish).await;
}

async fn newest(views: &Views, tenant: &Tenant) -> probity_projections::views::DecisionRow {
    let filter = DecisionFilter::default();
    let (rows, _) = views
        .decisions()
        .list(tenant, &filter, &Page::first(1))
        .await
        .unwrap();
    rows.into_iter().next().unwrap()
}

#[tokio::test]
async fn a_case_is_seen_from_pending_to_paid_and_comes_back_when_views_are_deleted() {
    for place in both().await {
        let tenant = Tenant::parse("local").unwrap();
        let ledger = open(&place).await;
        prepare(&ledger, &tenant).await;
        let views = Views::open(&place.config, ledger.reader()).await.unwrap();
        views.start();
        let request = || {
            Operation::RequestDecision(
                Request {
                    action: "write".to_owned(),
                    adapter: Some("coder".to_owned()),
                    execution: Some("run-1".to_owned()),
                    ..Request::default()
                }
                .into(),
            )
        };
        let size = submit(&ledger, &tenant, "adapter:coder", request()).await;
        views.wait(&tenant, size, SOON).await.unwrap();
        let pending = newest(&views, &tenant).await;
        assert_eq!(pending.status, DecisionStatus::Pending);

        let resolution = Resolution {
            decision: pending.id.parse().unwrap(),
            grant: true,
            justification: Some("checked".to_owned()),
            note: None,
            signature: None,
        };
        let resolve = Operation::ResolveApproval(resolution);
        submit(&ledger, &tenant, "user:ann", resolve).await;
        submit(&ledger, &tenant, "adapter:coder", request()).await;
        let cost = CostIngested {
            execution: "run-1".to_owned(),
            ..crate::specimens::cost(Some("opal-2"), 900, 1_200)
        };
        let report = Report {
            execution: "run-1".to_owned(),
            dedup: "cost".to_owned(),
            body: ReportBody::Cost(Box::new(cost)),
            signature: None,
        };
        let report = Operation::Report(Box::new(report));
        let size = submit(&ledger, &tenant, "adapter:coder", report).await;
        views.wait(&tenant, size, SOON).await.unwrap();
        let used = newest(&views, &tenant).await;
        assert_eq!(used.status, DecisionStatus::Consumed);
        assert_eq!(used.resolver.as_deref(), Some("user:ann"));
        let (totals, _) = views
            .spend()
            .totals(&tenant, &Default::default())
            .await
            .unwrap();
        assert_eq!(totals.cost_micros, 1_200);
        assert_eq!(views.parked().await.unwrap(), []);

        let before = views.digest("audit", &tenant).await.unwrap();
        views.close().await;
        place.wipe().await;
        let views = Views::open(&place.config, ledger.reader()).await.unwrap();
        views.catch_up().await.unwrap();
        assert_eq!(views.digest("audit", &tenant).await.unwrap(), before);
        views.close().await;
        ledger.close().await;
    }
}
