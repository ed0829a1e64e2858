//! Each persistence step fails twice: not done, and done but reported failed. There is one history all the same.

use super::home::{Home, observation, request};
use probity_ledger::SubmitError;
use probity_ledger::store::faulty::{AppendFault, Call, FaultyStore};
use probity_ledger::store::{Mode, Store, open};
use std::sync::Arc;

async fn faulty(home: &Home) -> (Arc<FaultyStore>, probity_ledger::Ledger) {
    let store = Arc::new(FaultyStore::new(
        open(&home.database, Mode::Write).await.unwrap(),
    ));
    let ledger = home.open_on(Arc::clone(&store) as Arc<dyn Store>).await;
    home.prepare(&ledger).await;
    (store, ledger)
}

#[tokio::test]
async fn an_append_that_is_not_done_is_said_not_to_be_recorded() {
    for fault in [AppendFault::NotDone, AppendFault::NotDoneButUnknown] {
        let home = Home::sqlite();
        let (store, ledger) = faulty(&home).await;
        let before = home.check(&ledger).await;
        store.fail_append(1, fault);
        let failed = ledger
            .submit(&home.tenant, observation("a", Some("key")))
            .await;
        assert!(
            matches!(failed, Err(SubmitError::NotRecorded)),
            "{fault:?}: {failed:?}"
        );
        assert_eq!(
            home.check(&ledger).await,
            before,
            "{fault:?}: nothing is there"
        );
        let again = ledger
            .submit(&home.tenant, observation("a", Some("key")))
            .await
            .unwrap();
        assert_eq!(
            (again.first(), again.replayed),
            (Some(before), false),
            "{fault:?}"
        );
        assert_eq!(home.check(&ledger).await, before + 1);
        ledger.close().await;
    }
}

#[tokio::test]
async fn an_append_that_is_done_and_reported_failed_gets_its_receipt() {
    let home = Home::sqlite();
    let (store, ledger) = faulty(&home).await;
    let before = home.check(&ledger).await;
    store.fail_append(1, AppendFault::DoneButUnknown);
    let receipt = ledger
        .submit(&home.tenant, observation("a", Some("key")))
        .await
        .unwrap();
    assert_eq!(receipt.first(), Some(before));
    let again = ledger
        .submit(&home.tenant, observation("a", Some("key")))
        .await
        .unwrap();
    assert!(again.replayed, "the retry finds the first answer");
    assert_eq!(again.records, receipt.records);
    assert_eq!(home.check(&ledger).await, before + 1);
    ledger.close().await;
}

#[tokio::test]
async fn while_the_store_does_not_answer_the_outcome_is_unknown_and_nothing_is_decided() {
    for fault in [AppendFault::DoneButUnknown, AppendFault::NotDoneButUnknown] {
        let home = Home::sqlite();
        let (store, ledger) = faulty(&home).await;
        store.fail_append(1, fault);
        store.fail_calls(&[Call::Claim, Call::Read, Call::Head]);
        let unknown = ledger
            .submit(&home.tenant, observation("a", Some("key")))
            .await;
        assert!(
            matches!(unknown, Err(SubmitError::OutcomeUnknown)),
            "{fault:?}: {unknown:?}"
        );
        let refused = ledger.submit(&home.tenant, observation("b", None)).await;
        assert!(
            matches!(refused, Err(SubmitError::NotRecorded)),
            "{fault:?}: {refused:?}"
        );
        store.fail_calls(&[]);
        let receipt = ledger
            .submit(&home.tenant, observation("a", Some("key")))
            .await
            .unwrap();
        assert_eq!(
            receipt.replayed,
            fault == AppendFault::DoneButUnknown,
            "{fault:?}"
        );
        home.check(&ledger).await;
        ledger.close().await;
    }
}

#[tokio::test]
async fn a_failing_lookup_or_snapshot_loses_nothing() {
    let home = Home::sqlite();
    let (store, ledger) = faulty(&home).await;
    store.fail_calls(&[Call::Lookup]);
    let failed = ledger.submit(&home.tenant, request("exec", "read")).await;
    assert!(matches!(failed, Err(SubmitError::Store(_))), "{failed:?}");
    store.fail_calls(&[Call::Put]);
    ledger
        .submit(&home.tenant, request("exec", "read"))
        .await
        .unwrap();
    let size = home.check(&ledger).await;
    ledger.close().await;
    store.fail_calls(&[]);
    drop((store, ledger));
    let ledger = home.open().await;
    assert_eq!(home.check(&ledger).await, size);
    ledger
        .submit(&home.tenant, request("exec-2", "read"))
        .await
        .unwrap();
    ledger.close().await;
}
