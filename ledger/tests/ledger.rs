//! The ledger as its users see it: submit, receipt, restart, retry, export. Faults are in `faults.rs`, persons in `erasure.rs`, witnesses in
//! `witness.rs`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

#[path = "ledger/attachments.rs"]
mod attachments;
#[path = "ledger/erasure.rs"]
mod erasure;
#[path = "ledger/faults.rs"]
mod faults;
#[path = "ledger/forgotten.rs"]
mod forgotten;
#[path = "ledger/home.rs"]
mod home;
#[path = "ledger/keys.rs"]
mod keys;
#[path = "ledger/rotation.rs"]
mod rotation;
#[path = "ledger/together.rs"]
mod together;
#[path = "ledger/withheld.rs"]
mod withheld;
#[path = "ledger/witness.rs"]
mod witness;

use home::{Home, command, observation, request};
use probity_governance::command::{Operation, Reply, Resolution, Standing};
use probity_ledger::{Submission, SubmitError};
use probity_schemas::event::Event;
use probity_schemas::subject::Tenant;
use probity_schemas::vocabulary::Verdict;
use std::collections::BTreeSet;

/// What was decided, by the first record of a receipt.
fn verdict(receipt: &probity_ledger::Receipt) -> (uuid::Uuid, Verdict) {
    let record = receipt.records.first().unwrap().record().unwrap();
    let id = record
        .envelope
        .subject
        .strip_prefix("decision/")
        .unwrap()
        .parse()
        .unwrap();
    match record.event().unwrap() {
        Event::DecisionMade(made) => (id, made.verdict),
        other => panic!("{other:?} is no decision"),
    }
}

#[tokio::test]
async fn a_request_waits_is_approved_resumes_once_and_is_decided_afresh() {
    let home = Home::sqlite();
    let ledger = home.open().await;
    home.prepare(&ledger).await;
    let asked = ledger
        .submit(&home.tenant, request("exec-1", "send_payment"))
        .await
        .unwrap();
    let (decision, verdict_made) = verdict(&asked);
    assert_eq!(verdict_made, Verdict::RequireApproval);
    let again = ledger
        .submit(&home.tenant, request("exec-1", "send_payment"))
        .await
        .unwrap();
    assert_eq!(
        again.reply,
        Reply::Standing {
            decision,
            standing: Standing::Pending
        }
    );
    assert!(again.records.is_empty(), "a retry makes no second pending");
    let resolution = Resolution {
        decision,
        grant: true,
        justification: Some("checked".into()),
        note: None,
        signature: None,
    };
    let by = |actor: &str| Submission {
        command: command(actor, Operation::ResolveApproval(resolution.clone())),
        idempotency: None,
        attachments: Vec::new(),
    };
    let refused = ledger.submit(&home.tenant, by("adapter:robot")).await;
    assert!(
        matches!(refused, Err(SubmitError::Rejected(_))),
        "{refused:?}"
    );
    ledger.submit(&home.tenant, by("user:ann")).await.unwrap();
    let resumed = ledger
        .submit(&home.tenant, request("exec-1", "send_payment"))
        .await
        .unwrap();
    assert_eq!(resumed.reply, Reply::Resumed { decision });
    let afresh = ledger
        .submit(&home.tenant, request("exec-1", "send_payment"))
        .await
        .unwrap();
    assert_eq!(
        verdict(&afresh).1,
        Verdict::RequireApproval,
        "a grant is used once"
    );
    home.check(&ledger).await;
    ledger.close().await;
}

#[tokio::test]
async fn what_was_recorded_is_there_after_a_restart_with_and_without_a_snapshot() {
    let home = Home::sqlite();
    let ledger = home.open().await;
    home.prepare(&ledger).await;
    for turn in 0..20 {
        ledger
            .submit(&home.tenant, request(&format!("exec-{turn}"), "read"))
            .await
            .unwrap();
    }
    let before = ledger.checkpoint(&home.tenant).await.unwrap();
    ledger.close().await;
    let ledger = home.open().await;
    assert_eq!(ledger.checkpoint(&home.tenant).await.unwrap(), before);
    let next = ledger
        .submit(&home.tenant, request("exec-next", "read"))
        .await
        .unwrap();
    assert_eq!(next.records.len(), 1);
    home.check(&ledger).await;
    ledger.close().await;
}

#[tokio::test]
async fn many_at_once_make_one_history() {
    let home = Home::sqlite();
    let ledger = home.open().await;
    home.prepare(&ledger).await;
    let mut tasks = Vec::new();
    for client in 0..64 {
        let (ledger, tenant) = (ledger.clone(), home.tenant.clone());
        tasks.push(tokio::spawn(async move {
            let mut sequences = Vec::new();
            for turn in 0..20 {
                let receipt = ledger
                    .submit(&tenant, request(&format!("exec-{client}-{turn}"), "read"))
                    .await
                    .unwrap();
                sequences.push(receipt.first().unwrap());
            }
            sequences
        }));
    }
    let mut all = BTreeSet::new();
    for task in tasks {
        all.extend(task.await.unwrap());
    }
    assert_eq!(all.len(), 64 * 20, "no two commands got one record");
    home.check(&ledger).await;
    ledger.close().await;
}

#[tokio::test]
async fn an_idempotency_key_replays_its_first_answer_and_refuses_another_body() {
    let home = Home::sqlite();
    let ledger = home.open().await;
    home.prepare(&ledger).await;
    let first = ledger
        .submit(&home.tenant, observation("a", Some("key-1")))
        .await
        .unwrap();
    let second = ledger
        .submit(&home.tenant, observation("a", Some("key-1")))
        .await
        .unwrap();
    assert_eq!(
        (first.records.clone(), second.replayed),
        (second.records.clone(), true)
    );
    let other = ledger
        .submit(&home.tenant, observation("b", Some("key-1")))
        .await;
    assert!(
        matches!(other, Err(SubmitError::IdempotencyMismatch)),
        "{other:?}"
    );
    ledger.close().await;
    let ledger = home.open().await;
    let third = ledger
        .submit(&home.tenant, observation("a", Some("key-1")))
        .await
        .unwrap();
    assert_eq!(third.records, first.records, "after a restart as well");
    home.check(&ledger).await;
    ledger.close().await;
}

#[tokio::test]
async fn a_receipt_proves_its_record() {
    let home = Home::sqlite();
    let ledger = home.open().await;
    home.prepare(&ledger).await;
    for turn in 0..700 {
        ledger
            .submit(&home.tenant, observation(&format!("{turn}"), None))
            .await
            .unwrap();
    }
    home.check_receipts(&ledger, &[0, 1, 255, 256, 511, 600])
        .await;
    ledger.close().await;
}

/// What is kept of one log's tree from one receipt to the next says nothing of another log's.
#[tokio::test]
async fn receipts_of_two_logs_asked_for_in_turn_verify() {
    let mut home = Home::sqlite();
    let ledger = home.open().await;
    let logs = ["one", "two"].map(|name| Tenant::parse(name).unwrap());
    for tenant in &logs {
        home.tenant = tenant.clone();
        home.prepare(&ledger).await;
        for number in 0..600 {
            let text = format!("{tenant}-{number}");
            let one = observation(&text, None);
            ledger.submit(tenant, one).await.unwrap();
        }
    }
    for tenant in logs.iter().chain(&logs) {
        home.tenant = tenant.clone();
        home.check_receipts(&ledger, &[0, 300, 511, 600]).await;
    }
    ledger.close().await;
}

#[tokio::test]
async fn a_database_behind_its_guard_is_read_and_not_signed_until_somebody_says_so() {
    let home = Home::sqlite();
    let ledger = home.open().await;
    home.prepare(&ledger).await;
    ledger.close().await;
    let backup = home.copy_database();
    let ledger = home.open().await;
    ledger
        .submit(&home.tenant, observation("lost", None))
        .await
        .unwrap();
    ledger.close().await;
    home.restore_database(&backup);
    let ledger = home.open().await;
    let refused = ledger.submit(&home.tenant, observation("x", None)).await;
    assert!(
        matches!(refused, Err(SubmitError::ReadOnly { .. })),
        "{refused:?}"
    );
    assert!(
        ledger.checkpoint(&home.tenant).await.unwrap().is_some(),
        "it can be read"
    );
    let key = ledger.accept_loss(&home.tenant).await.unwrap();
    assert!(key.contains("/2+"), "{key}");
    let named = ledger.verifier_key(&home.tenant).await.unwrap();
    assert_eq!(named, Some(key), "before the log is taken again, too");
    ledger
        .submit(&home.tenant, observation("after", None))
        .await
        .unwrap();
    home.check(&ledger).await;
    ledger.close().await;
}

#[tokio::test]
async fn a_seal_covers_what_was_written_since_and_nothing_new_makes_none() {
    let home = Home::sqlite();
    let ledger = home.open().await;
    home.prepare(&ledger).await;
    for number in 0..5 {
        let asked = request(&format!("exec-{number}"), "read");
        ledger.submit(&home.tenant, asked).await.unwrap();
        let before = home.check(&ledger).await;
        ledger.seal(&home.tenant).await.unwrap();
        assert_eq!(
            home.check(&ledger).await,
            before + 2,
            "register and subjects"
        );
        ledger.seal(&home.tenant).await.unwrap();
        assert_eq!(
            home.check(&ledger).await,
            before + 2,
            "nothing was written since"
        );
        let state = ledger.state(&home.tenant).await.unwrap().unwrap();
        let sealed = state.sealed.as_ref().unwrap();
        assert_eq!((sealed.size, sealed.sequence), (before, before + 1));
        assert_eq!(sealed.runs.len() as u32, (number + 1_u32).count_ones());
    }
    ledger.close().await;
    let again = home.open().await;
    again.seal(&home.tenant).await.unwrap();
    let state = again.state(&home.tenant).await.unwrap().unwrap();
    assert_eq!(
        state.size,
        home.check(&again).await,
        "a seal outlives a restart"
    );
    assert_eq!(state.size, state.sealed.as_ref().unwrap().sequence + 1);
    again.close().await;
}
