//! The signer's key changes: at each step the log opens and goes on, by the key that its records name.

use super::home::{Home, observation, submission};
use probity_governance::command::Operation;
use probity_ledger::store::faulty::{AppendFault, Call, FaultyStore};
use probity_ledger::store::{Mode, Store, open};
use probity_ledger::{Ledger, Receipt, SubmitError};
use probity_schemas::checkpoint::Checkpoint;
use probity_schemas::event::Event;
use probity_schemas::note::Note;
use probity_schemas::vkey::VerifierKey;
use std::sync::Arc;

pub(crate) async fn rotate(home: &Home, ledger: &Ledger) -> Result<(String, Receipt), SubmitError> {
    let signer = ledger.next_signer(&home.tenant).await?;
    let operation = Operation::RotateSigner {
        signer: signer.clone(),
        reason: Some("the yearly one".to_owned()),
    };
    let receipt = ledger
        .submit(&home.tenant, submission("system", operation))
        .await?;
    Ok((signer, receipt))
}

pub(crate) async fn in_force(home: &Home, ledger: &Ledger) -> String {
    ledger.verifier_key(&home.tenant).await.unwrap().unwrap()
}

/// The checkpoints that were kept, and the key ids under each.
async fn kept(home: &Home) -> Vec<(u64, Vec<String>)> {
    let store = open(&home.database, Mode::Read).await.unwrap();
    let head = store.head(&home.tenant).await.unwrap().unwrap();
    let found = store.kept_checkpoints(head.log, 0, 100).await.unwrap();
    let signers = |note: &str| {
        let note = Note::parse(note).unwrap();
        let lines = note.signatures().iter();
        lines.map(|line| line.key_id.to_string()).collect()
    };
    found
        .iter()
        .map(|(size, note)| (*size, signers(note)))
        .collect()
}

pub(crate) fn id(key: &str) -> String {
    key.parse::<VerifierKey>().unwrap().id().to_string()
}

#[tokio::test]
async fn both_keys_sign_the_checkpoint_of_a_rotation_and_then_the_new_one_alone() {
    let home = Home::sqlite();
    let ledger = home.open().await;
    home.prepare(&ledger).await;
    let first = in_force(&home, &ledger).await;
    let mut expected = Vec::new();
    let mut before = first.clone();
    for _ in 0..3 {
        let (key, receipt) = rotate(&home, &ledger).await.unwrap();
        let sequence = receipt.first().unwrap();
        expected.push((sequence + 1, vec![id(&before), id(&key)]));
        let note = Note::parse(&receipt.checkpoint).unwrap();
        for key in [&before, &key] {
            let keys = [key.parse().unwrap()];
            assert_eq!(
                Checkpoint::open(&note, &keys).unwrap().size,
                sequence + 1,
                "it covers the record and no later one"
            );
        }
        let Event::SignerRotated(rotated) = receipt.records[0].record().unwrap().event().unwrap()
        else {
            panic!("another record");
        };
        assert_eq!((rotated.previous, &rotated.signer), (id(&before), &key));
        let next = ledger
            .submit(&home.tenant, observation(&key[20..28], None))
            .await
            .unwrap();
        let lines = Note::parse(&next.checkpoint).unwrap();
        assert_eq!(lines.signatures().len(), 1);
        assert_eq!(lines.signatures()[0].key_id.to_string(), id(&key));
        home.check(&ledger).await;
        before = key;
    }
    assert_eq!(kept(&home).await, expected);
    ledger.close().await;
    let ledger = home.open().await;
    let size = home.check(&ledger).await;
    ledger
        .submit(&home.tenant, observation("after", None))
        .await
        .unwrap();
    assert_eq!(home.check(&ledger).await, size + 1);
    assert_eq!(in_force(&home, &ledger).await, before);
    let terms = ledger.reader().signers(&home.tenant).await.unwrap();
    assert_eq!(terms, ledger.signers(&home.tenant).await.unwrap());
    assert_eq!((terms.len(), &terms[0].key), (4, &first));
    ledger.close().await;
}

#[tokio::test]
async fn an_append_of_a_rotation_that_fails_leaves_one_history_and_one_key_in_force() {
    for (fault, recorded) in [
        (AppendFault::NotDone, false),
        (AppendFault::NotDoneButUnknown, false),
        (AppendFault::DoneButUnknown, true),
    ] {
        for silent in [false, true] {
            let home = Home::sqlite();
            let inner = open(&home.database, Mode::Write).await.unwrap();
            let store = Arc::new(FaultyStore::new(inner));
            let ledger = home.open_on(Arc::clone(&store) as Arc<dyn Store>).await;
            home.prepare(&ledger).await;
            let (first, size) = (in_force(&home, &ledger).await, home.check(&ledger).await);
            store.fail_append(1, fault);
            if silent {
                // The process cannot even learn what became of it.
                store.fail_calls(&[Call::Claim]);
            }
            let signer = ledger.next_signer(&home.tenant).await.unwrap();
            let operation = Operation::RotateSigner {
                signer: signer.clone(),
                reason: None,
            };
            let answer = ledger
                .submit(&home.tenant, submission("system", operation))
                .await;
            assert_eq!(answer.is_ok(), recorded && !silent, "{fault:?}: {answer:?}");
            let expected = if recorded { &signer } else { &first };
            let more = u64::from(recorded);
            if silent {
                ledger.close().await;
                drop(ledger);
                store.fail_calls(&[]);
                store.close().await;
                let ledger = home.open().await;
                go_on(&home, &ledger, expected, size + more).await;
                ledger.close().await;
            } else {
                go_on(&home, &ledger, expected, size + more).await;
                ledger.close().await;
            }
            assert_eq!(kept(&home).await.len(), 1 + usize::from(recorded));
        }
    }
}

/// The log has so many records and this key, takes records, rotates, and takes records again.
pub(crate) async fn go_on(home: &Home, ledger: &Ledger, key: &str, size: u64) {
    assert_eq!(home.check(ledger).await, size);
    assert_eq!(in_force(home, ledger).await, key);
    ledger
        .submit(&home.tenant, observation("b", None))
        .await
        .unwrap();
    assert_eq!(home.check(ledger).await, size + 1);
    let (next, _) = rotate(home, ledger).await.unwrap();
    ledger
        .submit(&home.tenant, observation("c", None))
        .await
        .unwrap();
    assert_eq!(in_force(home, ledger).await, next);
    assert_eq!(home.check(ledger).await, size + 3);
}

#[tokio::test]
async fn a_retry_finds_its_first_answer_across_rotations_and_a_restart() {
    let home = Home::sqlite();
    let ledger = home.open().await;
    home.prepare(&ledger).await;
    let first = ledger
        .submit(&home.tenant, observation("a", Some("key-1")))
        .await
        .unwrap();
    rotate(&home, &ledger).await.unwrap();
    rotate(&home, &ledger).await.unwrap();
    for _ in 0..2 {
        let again = ledger
            .submit(&home.tenant, observation("a", Some("key-1")))
            .await
            .unwrap();
        assert_eq!(
            (again.records, again.replayed),
            (first.records.clone(), true)
        );
        let other = ledger
            .submit(&home.tenant, observation("b", Some("key-1")))
            .await;
        assert!(matches!(other, Err(SubmitError::IdempotencyMismatch)));
        rotate(&home, &ledger).await.unwrap();
    }
    ledger.close().await;
    let ledger = home.open().await;
    let again = ledger
        .submit(&home.tenant, observation("a", Some("key-1")))
        .await
        .unwrap();
    assert!(again.replayed);
    ledger.close().await;
}

#[tokio::test]
async fn a_snapshot_under_an_earlier_key_is_dropped_and_the_next_is_under_the_new_one() {
    let home = Home::sqlite();
    let ledger = home.open().await;
    home.prepare(&ledger).await;
    ledger.close().await;
    let snapshot = || async {
        let store = open(&home.database, Mode::Read).await.unwrap();
        let head = store.head(&home.tenant).await.unwrap().unwrap();
        store.snapshot(head.log).await.unwrap().unwrap()
    };
    let old = snapshot().await;
    let ledger = home.open().await;
    rotate(&home, &ledger).await.unwrap();
    // As after a crash: what is kept is the snapshot of before, and it is not believed.
    let size = home.check(&ledger).await;
    ledger.close().await;
    assert_ne!(
        snapshot().await,
        old,
        "the close keeps one under the new key"
    );
    {
        let store = open(&home.database, Mode::Write).await.unwrap();
        let head = store.head(&home.tenant).await.unwrap().unwrap();
        store.put_snapshot(head.log, 1, &old).await.unwrap();
        store.close().await;
    }
    let ledger = home.open().await;
    ledger
        .submit(&home.tenant, observation("a", None))
        .await
        .unwrap();
    assert_eq!(home.check(&ledger).await, size + 1);
    ledger.close().await;
    assert_ne!(snapshot().await, old);
}

#[tokio::test]
async fn rotations_under_load_are_each_covered_by_a_checkpoint_of_their_own() {
    let home = Home::sqlite();
    let ledger = home.open().await;
    home.prepare(&ledger).await;
    let load = (0..16).map(|client| {
        let (ledger, tenant) = (ledger.clone(), home.tenant.clone());
        tokio::spawn(async move {
            for turn in 0..20 {
                let one = observation(&format!("{client}-{turn}"), None);
                ledger.submit(&tenant, one).await.unwrap();
            }
        })
    });
    let load: Vec<_> = load.collect();
    let mut sizes = Vec::new();
    for _ in 0..5 {
        let (_, receipt) = rotate(&home, &ledger).await.unwrap();
        sizes.push(receipt.first().unwrap() + 1);
    }
    for task in load {
        task.await.unwrap();
    }
    home.check(&ledger).await;
    let found: Vec<u64> = kept(&home).await.iter().map(|(size, _)| *size).collect();
    assert_eq!(found, sizes);
    ledger.close().await;
}
