//! Each persistence step fails twice: not done, and done but reported failed. There is one history all the same.

use super::home::{Home, observation, request, submission};
use probity_governance::command::{Operation, Report, ReportBody};
use probity_ledger::clock::{Clock, SystemClock};
use probity_ledger::guard::Guard;
use probity_ledger::store::faulty::{AppendFault, Call, FaultyStore};
use probity_ledger::store::{Mode, Store, open};
use probity_ledger::{Ledger, Submission, SubmitError};
use probity_schemas::event::telemetry::CostIngested;
use probity_schemas::time::Time;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

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

/// The log can be loaded again, and then the store does not say whether the batch is there. Found by the simulation: it was said not to
/// be recorded.
#[tokio::test]
async fn a_batch_that_cannot_be_looked_for_is_not_said_to_be_missing() {
    let home = Home::sqlite();
    let (store, ledger) = faulty(&home).await;
    store.fail_append(1, AppendFault::DoneButUnknown);
    store.fail_calls(&[Call::Leaves]);
    let asked = observation("a", Some("key"));
    let unknown = ledger.submit(&home.tenant, asked.clone()).await;
    assert!(
        matches!(unknown, Err(SubmitError::OutcomeUnknown)),
        "{unknown:?}"
    );
    store.fail_calls(&[]);
    let receipt = ledger.submit(&home.tenant, asked).await.unwrap();
    assert!(receipt.replayed, "it was there all the time");
    home.check(&ledger).await;
    ledger.close().await;
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

/// A clock that is so many seconds ahead of the machine's.
#[derive(Default)]
struct Ahead(AtomicI64);

impl Clock for Ahead {
    fn now(&self) -> Time {
        SystemClock
            .now()
            .plus_seconds(self.0.load(Ordering::Relaxed))
    }

    fn boot_micros(&self) -> i64 {
        SystemClock.boot_micros()
    }
}

/// Two decisions run out at once; what the second one's record follows cannot be looked up. Found by the simulation: the first one's
/// record stayed on the tip, and the next batch was refused for it.
#[tokio::test]
async fn a_command_that_fails_half_way_leaves_nothing_on_the_tip() {
    let home = Home::sqlite();
    let mut config = home.config();
    config
        .settings
        .push(("approval.seconds".to_owned(), Some("1".to_owned())));
    let clock = Arc::new(Ahead::default());
    let open = async || {
        let store = open(&home.database, Mode::Write).await.unwrap();
        let store = Arc::new(FaultyStore::new(store));
        let ledger = Ledger::on(
            Arc::clone(&store) as _,
            Arc::clone(&clock) as _,
            config.clone(),
        );
        (store, ledger.await.unwrap())
    };
    let (_, ledger) = open().await;
    home.prepare(&ledger).await;
    for execution in ["first", "second"] {
        ledger
            .submit(&home.tenant, request(execution, "send_payment"))
            .await
            .unwrap();
    }
    ledger.close().await;
    drop(ledger);
    let (store, ledger) = open().await;
    // From here on the writer knows what the first one's record follows.
    ledger.submit(&home.tenant, cost("first")).await.unwrap();
    let before = home.check(&ledger).await;
    store.fail_calls(&[Call::Lookup]);
    clock.0.store(10, Ordering::Relaxed);
    let expire = submission("system", Operation::ExpireDue);
    let failed = ledger.submit(&home.tenant, expire.clone()).await;
    assert!(matches!(failed, Err(SubmitError::Store(_))), "{failed:?}");
    store.fail_calls(&[]);
    ledger.submit(&home.tenant, expire).await.unwrap();
    assert_eq!(home.check(&ledger).await, before + 2);
    ledger.close().await;
}

/// A node reads the log's row, and before it compares that with its guard another node goes on with the log. Found by the simulation:
/// the database was said to be cut.
#[tokio::test]
async fn a_guard_that_is_ahead_of_an_old_row_is_no_alarm() {
    let home = Home::sqlite();
    let store = open(&home.database, Mode::Write).await.unwrap();
    let ledger = home.open_on(Arc::clone(&store)).await;
    home.prepare(&ledger).await;
    let old = store.head(&home.tenant).await.unwrap().unwrap();
    ledger
        .submit(&home.tenant, observation("a", None))
        .await
        .unwrap();
    ledger.keep_guard().await;
    let guard = Guard::beside(&home.config().keys);
    guard.check(&*store, &old).await.unwrap();
    ledger.close().await;
}

/// A node that is gone keeps its snapshot late, and its clock went on after the last record that the snapshot is of. Found by the
/// simulation: the records after it were read as going back in time, and nobody could open the log.
#[tokio::test]
async fn a_late_snapshot_knows_the_time_of_its_last_record_only() {
    let home = Home::sqlite();
    let clock = Arc::new(Ahead::default());
    let open = async || {
        let store = open(&home.database, Mode::Write).await.unwrap();
        let ledger = Ledger::on(Arc::clone(&store), Arc::clone(&clock) as _, home.config());
        (store, ledger.await.unwrap())
    };
    let (store, ledger) = open().await;
    home.prepare(&ledger).await;
    let asked = request("exec", "send_payment");
    ledger.submit(&home.tenant, asked.clone()).await.unwrap();
    clock.0.store(9, Ordering::Relaxed);
    let standing = ledger.submit(&home.tenant, asked).await.unwrap();
    assert!(
        standing.records.is_empty(),
        "time passes, and nothing is recorded"
    );
    let head = store.head(&home.tenant).await.unwrap().unwrap();
    ledger.close().await;
    drop((store, ledger));
    clock.0.store(0, Ordering::Relaxed);
    let store = probity_ledger::store::open(&home.database, Mode::Write)
        .await
        .unwrap();
    let late = store.snapshot(head.log).await.unwrap().unwrap();
    store.put_snapshot(head.log, 0, b"none").await.unwrap();
    store.close().await;
    drop(store);
    let (store, ledger) = open().await;
    ledger
        .submit(&home.tenant, observation("a", None))
        .await
        .unwrap();
    ledger.close().await;
    drop((store, ledger));
    let store = probity_ledger::store::open(&home.database, Mode::Write)
        .await
        .unwrap();
    store
        .put_snapshot(head.log, head.range.size(), &late)
        .await
        .unwrap();
    store.close().await;
    drop(store);
    let (_, ledger) = open().await;
    ledger
        .submit(&home.tenant, observation("b", None))
        .await
        .unwrap();
    home.check(&ledger).await;
    ledger.close().await;
}

/// A report of a cost, of this execution.
fn cost(execution: &str) -> Submission {
    let cost = CostIngested {
        cost_micros: 1,
        execution: execution.to_owned(),
        model: None,
        occurred: Time::from_micros(0),
        provider: None,
        signature: None,
        tokens_in: 1,
        tokens_out: 1,
        trace: "trace".to_owned(),
    };
    let report = Report {
        execution: execution.to_owned(),
        dedup: "once".to_owned(),
        body: ReportBody::Cost(Box::new(cost)),
        signature: None,
    };
    submission("adapter:robot", Operation::Report(Box::new(report)))
}
