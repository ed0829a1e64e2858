//! Decisions over personal values: the same request stays the same, a grant is found by it, and an erasure ends that.

use super::erasure::{begin, erase, opened};
use super::home::{Home, policy, submission};
use probity_governance::command::{
    DecisionRequest, Operation, Personal, Reply, Report, ReportBody, Resolution, Standing,
};
use probity_governance::state::decision_id;
use probity_ledger::{Ledger, Receipt, Submission, SubmitError};
use probity_schemas::body::Body;
use probity_schemas::event::Event;
use probity_schemas::event::decision::{DecisionMade, Request};
use probity_schemas::event::log::SettingChanged;
use probity_schemas::event::telemetry::AuditIngested;
use probity_schemas::policy::{Condition, Operator, Scalar};
use probity_schemas::time::Time;
use probity_schemas::vocabulary::{Effect, Verdict};
use uuid::Uuid;

const ADA: &str = "ada@example.org";

/// A letter to a customer whose address is personal.
fn letter(execution: Option<&str>, mail: &str, personal: &[(&str, &str)]) -> Submission {
    let context = format!(r#"{{"customer":{{"mail":"{mail}","tier":3}},"topic":"refund"}}"#);
    let request = Request {
        action: "letter".to_owned(),
        adapter: Some("robot".to_owned()),
        context: Some(Body::from_foreign(context.as_bytes()).unwrap()),
        execution: execution.map(str::to_owned),
        ..Request::default()
    };
    let personal = personal.iter().map(|(pointer, person)| Personal {
        pointer: (*pointer).to_owned(),
        person: (*person).to_owned(),
    });
    let asked = DecisionRequest {
        personal: personal.collect(),
        ..request.into()
    };
    submission("adapter:robot", Operation::RequestDecision(Box::new(asked)))
}

const MAIL: &[(&str, &str)] = &[("/context/customer/mail", "ada")];

/// Letters to this domain need a person, others pass.
async fn rules(home: &Home, ledger: &Ledger) {
    begin(home, ledger).await;
    let mut asks = policy("asks", Some("letter"), Effect::RequireApproval, 20);
    asks.conditions.push(Condition {
        field: "context.customer.mail".to_owned(),
        operator: Operator::Prefix,
        values: vec![Scalar::Text("ada@".to_owned())],
    });
    let passes = policy("passes", Some("letter"), Effect::Allow, 10);
    for policy in [asks, passes] {
        let publish = Operation::PublishPolicy(Box::new(policy));
        ledger
            .submit(&home.tenant, submission("user:dpo", publish))
            .await
            .unwrap();
    }
}

async fn set(home: &Home, ledger: &Ledger, name: &str, value: &str) {
    let changed = SettingChanged {
        name: name.to_owned(),
        value: Some(value.to_owned()),
    };
    let change = submission("system", Operation::ChangeSetting(changed));
    ledger.submit(&home.tenant, change).await.unwrap();
}

fn made(receipt: &Receipt) -> (Uuid, DecisionMade) {
    let record = receipt.records[0].record().unwrap();
    let Event::DecisionMade(made) = record.event().unwrap() else {
        panic!("no decision");
    };
    (decision_id(&record.envelope.subject).unwrap(), *made)
}

#[tokio::test]
async fn a_request_with_personal_values_is_decided_on_them_and_resumed_by_them() {
    let home = Home::sqlite();
    let ledger = home.open().await;
    rules(&home, &ledger).await;
    let tenant = &home.tenant;
    let ask = |execution: Option<&'static str>, mail: &'static str| {
        ledger.submit(tenant, letter(execution, mail, MAIL))
    };
    let first = ask(Some("e1"), ADA).await.unwrap();
    let line = String::from_utf8_lossy(&first.records[0].line).into_owned();
    assert!(!line.contains(ADA) && line.contains("_sd") && line.contains("refund"));
    let (decision, pending) = made(&first);
    assert_eq!(pending.verdict, Verdict::RequireApproval);
    assert_eq!(pending.withheld.len(), 1);
    assert_eq!(opened(&home, &ledger, &first).await, 1);

    let standing = |standing| Reply::Standing { decision, standing };
    let again = ask(Some("e1"), ADA).await.unwrap();
    assert_eq!(again.reply, standing(Standing::Pending));
    let other = ask(Some("e1"), "bob@example.org").await.unwrap();
    assert_eq!(
        made(&other).1.verdict,
        Verdict::Allow,
        "another address is another request"
    );
    let elsewhere = ask(Some("e2"), ADA).await.unwrap();
    let digest = |made: &DecisionMade| made.facts.request.context.clone().unwrap();
    assert_ne!(
        digest(&made(&elsewhere).1),
        digest(&pending),
        "of two executions nobody sees that it is the same address"
    );

    // The one that was approved last for the execution is resumed, without its values in any record.
    let (decision, _) = made(&elsewhere);
    approve(&home, &ledger, decision).await;
    let resumed = ask(Some("e2"), ADA).await.unwrap();
    assert_eq!(resumed.reply, Reply::Resumed { decision });
    home.check(&ledger).await;
    ledger.close().await;
}

async fn approve(home: &Home, ledger: &Ledger, decision: Uuid) {
    let resolution = Resolution {
        decision,
        grant: true,
        justification: None,
        note: None,
        signature: None,
    };
    let resolve = submission("user:dpo", Operation::ResolveApproval(resolution));
    ledger.submit(&home.tenant, resolve).await.unwrap();
}

/// Who names no execution is told one, and comes back with it.
#[tokio::test]
async fn an_execution_that_the_ledger_named_is_resumed() {
    let home = Home::sqlite();
    let ledger = home.open().await;
    rules(&home, &ledger).await;
    let tenant = &home.tenant;
    let first = ledger
        .submit(tenant, letter(None, ADA, MAIL))
        .await
        .unwrap();
    let (decision, pending) = made(&first);
    approve(&home, &ledger, decision).await;
    let execution = pending.facts.request.execution.unwrap();
    let again = letter(Some(&execution), ADA, MAIL);
    let resumed = ledger.submit(tenant, again).await.unwrap();
    assert_eq!(resumed.reply, Reply::Resumed { decision });
    ledger.close().await;
}

#[tokio::test]
async fn after_an_erasure_the_decision_stands_and_nobody_can_try_values_against_it() {
    let home = Home::sqlite();
    let ledger = home.open().await;
    rules(&home, &ledger).await;
    let tenant = &home.tenant;
    let ada = ledger
        .submit(tenant, letter(Some("e1"), ADA, MAIL))
        .await
        .unwrap();
    ledger.submit(tenant, erase("ada", "1")).await.unwrap();
    assert_eq!(opened(&home, &ledger, &ada).await, 0);
    // The very same request is another one now: its digests were made with a key that is gone.
    let again = ledger
        .submit(tenant, letter(Some("e1"), ADA, MAIL))
        .await
        .unwrap();
    assert_eq!(again.reply, Reply::Recorded);
    let request = |receipt: &Receipt| made(receipt).1.facts.request;
    assert_ne!(request(&again).context, request(&ada).context);
    home.check(&ledger).await;
    ledger.close().await;
}

#[tokio::test]
async fn what_cannot_be_withheld_from_a_request_is_refused() {
    let home = Home::sqlite();
    let ledger = home.open().await;
    rules(&home, &ledger).await;
    for (pointer, person, expected) in [
        ("/context", "ada", "name its members"),
        ("/context/nothing", "ada", "leads to no value"),
        ("/intent", "ada", "leads to no value"),
        ("/context/external_network", "ada", "the risk score reads"),
        ("/context/customer", "", "a person's id has"),
        ("context", "ada", "is not a JSON Pointer"),
    ] {
        let asked = letter(Some("e1"), ADA, &[(pointer, person)]);
        let refused = ledger.submit(&home.tenant, asked).await.unwrap_err();
        let words = refused.to_string();
        assert!(words.contains(expected), "{pointer}: {words}");
        assert!(
            !words.contains(ADA) && !words.starts_with("line"),
            "{words}"
        );
    }
    ledger.close().await;
}

/// A setting names what is personal in requests and in reports; who names nobody is refused.
#[tokio::test]
async fn settings_withhold_values_of_requests_and_reports() {
    let home = Home::sqlite();
    let ledger = home.open().await;
    rules(&home, &ledger).await;
    let tenant = &home.tenant;
    let rule = r#"{"person":"/context/customer/mail","pointers":["/context/topic","/metadata/x"]}"#;
    set(&home, &ledger, "personal.decision.made", rule).await;
    let asked = ledger
        .submit(tenant, letter(Some("e1"), "bob@b", &[]))
        .await
        .unwrap();
    assert_eq!(opened(&home, &ledger, &asked).await, 2);

    set(
        &home,
        &ledger,
        "personal.audit.ingested",
        r#"{"person":"/to","pointers":["/text"]}"#,
    )
    .await;
    let told = ledger
        .submit(tenant, audit(r#"{"to":"bob@b","text":"sent to bob"}"#))
        .await
        .unwrap();
    let lines: Vec<_> = told
        .records
        .iter()
        .map(|one| String::from_utf8_lossy(&one.line).into_owned())
        .collect();
    assert!(lines.iter().all(|line| !line.contains("bob")), "{lines:?}");
    assert_eq!(opened(&home, &ledger, &told).await, 2);
    let nobody = ledger.submit(tenant, audit(r#"{"text":"sent"}"#)).await;
    assert!(
        matches!(nobody, Err(SubmitError::PersonMissing { line: None, .. })),
        "{nobody:?}"
    );
    ledger.submit(tenant, erase("bob@b", "1")).await.unwrap();
    assert_eq!(opened(&home, &ledger, &told).await, 0);
    assert_eq!(opened(&home, &ledger, &asked).await, 0);
    home.check(&ledger).await;
    ledger.close().await;
}

fn audit(body: &str) -> Submission {
    let audit = AuditIngested {
        body: Some(Body::from_foreign(body.as_bytes()).unwrap()),
        event: "letter_sent".to_owned(),
        execution: "e9".to_owned(),
        message: None,
        occurred: Time::from_micros(1_700_000_000_000_000),
        signature: None,
        trace: "t9".to_owned(),
    };
    let report = Report {
        execution: "e9".to_owned(),
        dedup: "audit:letter_sent".to_owned(),
        body: ReportBody::Audit(Box::new(audit)),
        signature: None,
    };
    submission("adapter:robot", Operation::Report(Box::new(report)))
}
