//! A person's values are kept, opened, and forgotten; where a step of it fails, the next call or the next start ends it.

use super::home::{Home, submission};
use bytes::Bytes;
use probity_governance::command::{Erasure, Hold, Observation, Operation, Personal};
use probity_ledger::store::faulty::{AppendFault, FaultyStore};
use probity_ledger::store::{Mode, Store, open};
use probity_ledger::{Idempotency, Ledger, Receipt, Submission, SubmitError};
use probity_schemas::body::Body;
use probity_schemas::event::Event;
use probity_schemas::event::log::SettingChanged;
use probity_schemas::event::personal::{HoldLifted, PersonalErased};
use probity_schemas::event::registry::CredentialIssued;
use probity_schemas::subject::Subject;
use probity_schemas::vocabulary::{CredentialMethod, Role};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

pub(crate) async fn begin(home: &Home, ledger: &Ledger) {
    home.prepare(ledger).await;
    let credential = CredentialIssued {
        actor: "user:dpo".to_owned(),
        digest: "11".repeat(32),
        method: CredentialMethod::Key,
        roles: vec![Role::Admin],
    };
    let issue = Operation::IssueCredential("dpo".to_owned(), Box::new(credential));
    let issue = submission("system", issue);
    ledger.submit(&home.tenant, issue).await.unwrap();
}

/// A letter with the address of its writer, which is personal.
fn letter(person: &str, address: &str) -> Submission {
    let body = format!("{{\"from\": \"{address}\", \"topic\": \"refund\"}}");
    let one = Observation {
        kind: "letter".to_owned(),
        subject: Subject::new("ticket", person).unwrap(),
        body: Body::from_foreign(body.as_bytes()).unwrap(),
        personal: vec![Personal {
            pointer: "/from".to_owned(),
            person: person.to_owned(),
        }],
        attachments: Vec::new(),
        correlation: None,
        causation: None,
        traceparent: None,
    };
    let letter = submission("adapter:robot", Operation::Observe(vec![one]));
    keyed(letter, &format!("letter {person}"), &body)
}

pub(crate) fn erase(person: &str, key: &str) -> Submission {
    let erasure = Erasure {
        person: person.to_owned(),
        basis: "GDPR article 17(1)(b)".to_owned(),
        attachments: BTreeSet::new(),
        token: None,
        disclosures: 0,
    };
    keyed(
        submission("user:dpo", Operation::Erase(erasure)),
        key,
        person,
    )
}

fn keyed(mut submission: Submission, key: &str, body: &str) -> Submission {
    submission.idempotency = Some(Idempotency {
        key: key.to_owned(),
        body: Bytes::from(body.to_owned()),
    });
    submission
}

async fn hold(home: &Home, ledger: &Ledger, id: &str, person: Option<&str>) {
    let hold = Hold {
        id: id.to_owned(),
        person: person.map(str::to_owned),
        token: None,
        reason: "a claim".to_owned(),
    };
    let hold = submission("user:dpo", Operation::SetHold(hold));
    ledger.submit(&home.tenant, hold).await.unwrap();
}

fn erased(receipt: &Receipt) -> PersonalErased {
    match receipt.records[0].event().unwrap() {
        Event::PersonalErased(erased) => *erased,
        other => panic!("{other:?} is no erasure"),
    }
}

/// What can be opened of a record.
pub(crate) async fn opened(home: &Home, ledger: &Ledger, receipt: &Receipt) -> usize {
    let sequence = receipt.first().unwrap();
    let found = ledger.disclosures(&home.tenant, sequence).await.unwrap();
    found.len()
}

async fn faulty(home: &Home) -> (Arc<FaultyStore>, Ledger) {
    let inner = open(&home.database, Mode::Write).await.unwrap();
    let store = Arc::new(FaultyStore::new(inner));
    let ledger = home.open_on(Arc::clone(&store) as Arc<dyn Store>).await;
    begin(home, &ledger).await;
    (store, ledger)
}

#[tokio::test]
async fn who_is_erased_is_gone_and_the_others_stay() {
    let home = Home::sqlite();
    let ledger = home.open().await;
    begin(&home, &ledger).await;
    let tenant = &home.tenant;
    let ada = ledger.submit(tenant, letter("ada", "ada@a")).await.unwrap();
    let bob = ledger.submit(tenant, letter("bob", "bob@b")).await.unwrap();
    let again = ledger.submit(tenant, letter("ada", "ada@a")).await.unwrap();
    assert!(again.replayed);
    assert_eq!(opened(&home, &ledger, &ada).await, 1);

    let gone = ledger.submit(tenant, erase("ada", "1")).await.unwrap();
    assert_eq!(erased(&gone).disclosures, 1);
    assert_eq!(opened(&home, &ledger, &ada).await, 0);
    assert_eq!(opened(&home, &ledger, &bob).await, 1);
    let retry = ledger.submit(tenant, erase("ada", "1")).await.unwrap();
    assert!(retry.replayed && retry.records == gone.records);
    let nobody = ledger.submit(tenant, erase("ada", "2")).await.unwrap();
    assert_eq!(
        (erased(&nobody).disclosures, erased(&nobody).person),
        (0, None)
    );

    // Nothing that is kept of the old request can be compared with her address any more.
    let old = ledger.submit(tenant, letter("ada", "ada@a")).await;
    assert!(
        matches!(old, Err(SubmitError::IdempotencyMismatch)),
        "{old:?}"
    );
    home.check(&ledger).await;
    ledger.close().await;
}

/// A repeated old request for an erasure is answered, and erases nothing that came since.
#[tokio::test]
async fn a_replayed_erasure_leaves_what_came_afterwards() {
    let home = Home::sqlite();
    let ledger = home.open().await;
    begin(&home, &ledger).await;
    let tenant = &home.tenant;
    ledger.submit(tenant, letter("ada", "ada@a")).await.unwrap();
    ledger.submit(tenant, erase("ada", "1")).await.unwrap();
    let mut later = letter("ada", "ada@new");
    later.idempotency = None;
    let later = ledger.submit(tenant, later).await.unwrap();
    let retry = ledger.submit(tenant, erase("ada", "1")).await.unwrap();
    assert!(retry.replayed);
    assert_eq!(opened(&home, &ledger, &later).await, 1);
    ledger.close().await;
}

#[tokio::test]
async fn a_hold_refuses_and_the_refusal_is_a_record() {
    let home = Home::sqlite();
    let ledger = home.open().await;
    begin(&home, &ledger).await;
    let tenant = &home.tenant;
    let ada = ledger.submit(tenant, letter("ada", "ada@a")).await.unwrap();
    ledger.submit(tenant, letter("bob", "bob@b")).await.unwrap();
    hold(&home, &ledger, "case-1", Some("ada")).await;
    let refused = ledger.submit(tenant, erase("ada", "1")).await.unwrap();
    let event = refused.records[0].event().unwrap();
    assert!(matches!(event, Event::ErasureRefused(refused) if refused.hold == "case-1"));
    assert_eq!(opened(&home, &ledger, &ada).await, 1);
    let bob = ledger.submit(tenant, erase("bob", "2")).await.unwrap();
    assert_eq!(erased(&bob).disclosures, 1, "the hold is not about him");

    let lifted = HoldLifted {
        id: "case-1".to_owned(),
        reason: "settled".to_owned(),
    };
    let lift = submission("user:dpo", Operation::LiftHold(lifted));
    ledger.submit(tenant, lift).await.unwrap();
    ledger.submit(tenant, erase("ada", "3")).await.unwrap();
    assert_eq!(opened(&home, &ledger, &ada).await, 0);
    hold(&home, &ledger, "audit", None).await;
    let refused = ledger.submit(tenant, erase("bob", "4")).await.unwrap();
    let event = refused.records[0].event().unwrap();
    assert!(matches!(event, Event::ErasureRefused(refused) if refused.hold == "audit"));
    home.check(&ledger).await;
    ledger.close().await;
}

#[tokio::test]
async fn an_erasure_that_is_not_done_leaves_everything_and_one_that_is_done_gets_its_receipt() {
    for fault in [
        AppendFault::NotDone,
        AppendFault::NotDoneButUnknown,
        AppendFault::DoneButUnknown,
    ] {
        let home = Home::sqlite();
        let (store, ledger) = faulty(&home).await;
        let tenant = &home.tenant;
        let ada = ledger.submit(tenant, letter("ada", "ada@a")).await.unwrap();
        store.fail_append(1, fault);
        let first = ledger.submit(tenant, erase("ada", "1")).await;
        if fault == AppendFault::DoneButUnknown {
            assert_eq!(erased(&first.unwrap()).disclosures, 1);
        } else {
            assert!(matches!(first, Err(SubmitError::NotRecorded)), "{first:?}");
            assert_eq!(opened(&home, &ledger, &ada).await, 1, "{fault:?}");
            let second = ledger.submit(tenant, erase("ada", "1")).await.unwrap();
            assert_eq!((erased(&second).disclosures, second.replayed), (1, false));
        }
        assert_eq!(opened(&home, &ledger, &ada).await, 0, "{fault:?}");
        home.check(&ledger).await;
        ledger.close().await;
    }
}

/// The append is durable and the key is not destroyed: as after a crash in between.
#[tokio::test]
async fn a_key_that_was_not_destroyed_is_destroyed_by_the_retry_or_at_the_next_start() {
    for restart in [false, true] {
        let home = Home::sqlite();
        let ledger = home.open().await;
        begin(&home, &ledger).await;
        let tenant = &home.tenant;
        ledger.submit(tenant, letter("ada", "ada@a")).await.unwrap();
        let keys = home.root.path().join("keys");
        let copies = ["persons.db", "_persons.key"].map(|name| {
            let path = keys.join(name);
            (path.clone(), std::fs::read(path).unwrap())
        });
        // The new wrapping key cannot be written where a directory is.
        let blocker = keys.join("_persons.key.new");
        std::fs::create_dir_all(blocker.join("in the way")).unwrap();
        let before = home.check(&ledger).await;
        let failed = ledger.submit(tenant, erase("ada", "1")).await;
        assert!(matches!(failed, Err(SubmitError::Persons(_))), "{failed:?}");
        assert_eq!(home.check(&ledger).await, before, "nothing was begun");
        std::fs::remove_dir_all(&blocker).unwrap();

        let gone = ledger.submit(tenant, erase("ada", "1")).await.unwrap();
        let key = erased(&gone).person.unwrap();
        for (path, content) in &copies {
            std::fs::write(path, content).unwrap();
        }
        assert!(
            has_key(&home, &key),
            "the key is back, as if it had never been destroyed"
        );
        let ledger = if restart {
            ledger.close().await;
            home.open().await
        } else {
            let retry = ledger.submit(tenant, erase("ada", "1")).await.unwrap();
            assert!(retry.replayed);
            ledger
        };
        for _ in 0..500 {
            if !has_key(&home, &key) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert!(!has_key(&home, &key), "restart: {restart}");
        ledger.close().await;
    }
}

/// Whether the persons' keys, as a file, hold what stands for a person.
fn has_key(home: &Home, token: &str) -> bool {
    let token = u128::from_str_radix(token, 16).unwrap().to_be_bytes();
    let file = std::fs::read(home.root.path().join("keys/persons.db")).unwrap();
    file.windows(token.len()).any(|window| window == token)
}

#[tokio::test]
async fn a_setting_makes_values_of_a_kind_personal() {
    let home = Home::sqlite();
    let ledger = home.open().await;
    begin(&home, &ledger).await;
    let tenant = &home.tenant;
    let changed = SettingChanged {
        name: "personal.letter".to_owned(),
        value: Some(r#"{"person": "/from", "pointers": ["/topic"]}"#.to_owned()),
    };
    let change = submission("system", Operation::ChangeSetting(changed));
    ledger.submit(tenant, change).await.unwrap();
    let mut plain = letter("ada", "ada@a");
    let Operation::Observe(observations) = &mut plain.command.operation else {
        panic!("a letter is observed");
    };
    observations[0].personal.clear();
    let receipt = ledger.submit(tenant, plain).await.unwrap();
    assert!(!String::from_utf8_lossy(&receipt.records[0].line).contains("ada@a"));
    assert_eq!(opened(&home, &ledger, &receipt).await, 2);
    ledger.submit(tenant, erase("ada@a", "1")).await.unwrap();
    assert_eq!(opened(&home, &ledger, &receipt).await, 0);
    ledger.close().await;
}
