//! Who may write: claims, fences, releases, closed stores and stores opened to read; and the store that fails on demand.

use std::sync::Arc;

use probity_ledger::store::faulty::{AppendFault, Call, FaultyStore};
use probity_ledger::store::{self, AppendError, Mode, Store as _, StoreError};

use crate::harness::{Database, Writer, name};

pub(crate) async fn a_claim_raises_the_epoch_and_fences_the_writer_before_it(db: &Database) {
    let mut stale = Writer::new(&*db.store, "acme").await;
    db.store
        .rejoin("node-a", "127.0.0.1:1001", 60)
        .await
        .unwrap();
    stale.head = db
        .store
        .claim(&name("acme"), "node-a")
        .await
        .unwrap()
        .unwrap();
    stale.write(&*db.store, &["decision/1"]).await;

    let mut fresh = stale.clone();
    fresh.head = db
        .store
        .claim(&name("acme"), "node-a")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(fresh.head.epoch, stale.head.epoch + 1);
    let answer = db.store.append(stale.prepare(&["decision/2"])).await;
    assert!(matches!(answer, Err(AppendError::Conflict)), "{answer:?}");
    fresh.write(&*db.store, &["decision/3"]).await;
    assert_eq!(db.head("acme").await, fresh.head);

    let owner = db.store.owner(&name("acme")).await.unwrap().unwrap();
    assert_eq!(
        (owner.node.as_str(), owner.address.as_str()),
        ("node-a", "127.0.0.1:1001")
    );
    assert_eq!((owner.alive, owner.epoch), (true, fresh.head.epoch));
}

pub(crate) async fn a_log_that_is_not_there_cannot_be_claimed(db: &Database) {
    db.store
        .rejoin("node-a", "127.0.0.1:1001", 60)
        .await
        .unwrap();
    assert_eq!(
        db.store.claim(&name("nobody"), "node-a").await.unwrap(),
        None
    );
    assert_eq!(db.store.owner(&name("nobody")).await.unwrap(), None);
}

pub(crate) async fn a_release_gives_everything_up(db: &Database) {
    db.store
        .rejoin("node-a", "127.0.0.1:1001", 60)
        .await
        .unwrap();
    assert!(
        db.store
            .renew("node-a", "127.0.0.1:1001", 60)
            .await
            .unwrap()
    );
    for tenant in ["acme", "beta"] {
        db.store.create(&name(tenant)).await.unwrap();
        db.store
            .claim(&name(tenant), "node-a")
            .await
            .unwrap()
            .unwrap();
    }
    db.store.release("node-a").await.unwrap();
    for tenant in ["acme", "beta"] {
        assert_eq!(db.store.owner(&name(tenant)).await.unwrap(), None);
    }
    assert_eq!(
        db.store
            .claim(&name("acme"), "node-a")
            .await
            .unwrap()
            .unwrap()
            .epoch,
        2
    );
}

pub(crate) async fn a_store_opened_to_read_reads_beside_the_writer_and_writes_nothing(
    db: &Database,
) {
    let mut writer = Writer::new(&*db.store, "acme").await;
    writer.write(&*db.store, &["decision/1"]).await;
    let reader = store::open(&db.url, Mode::Read).await.unwrap();
    assert_eq!(reader.heads().await.unwrap(), [writer.head.clone()]);
    writer.write(&*db.store, &["decision/2"]).await;
    assert_eq!(reader.heads().await.unwrap(), [writer.head.clone()]);

    let answer = reader.append(writer.prepare(&["decision/3"])).await;
    assert!(
        matches!(answer, Err(AppendError::NotDone(StoreError::ReadOnly))),
        "{answer:?}"
    );
    assert!(matches!(
        reader.create(&name("beta")).await,
        Err(StoreError::ReadOnly)
    ));
    assert!(matches!(
        reader.claim(&name("acme"), "node-b").await,
        Err(StoreError::ReadOnly)
    ));
    assert!(matches!(
        reader.put_snapshot(1, 1, b"").await,
        Err(StoreError::ReadOnly)
    ));
    reader.close().await;
    assert_eq!(db.head("acme").await, writer.head);

    // Also when no process writes.
    db.store.close().await;
    let reader = store::open(&db.url, Mode::Read).await.unwrap();
    assert_eq!(reader.heads().await.unwrap(), [writer.head]);
    reader.close().await;
}

pub(crate) async fn a_closed_store_says_so(db: &Database) {
    let mut writer = Writer::new(&*db.store, "acme").await;
    // What was given before the closing is done.
    let append = writer.prepare(&["decision/1"]);
    let (given, ()) = tokio::join!(db.store.append(append.clone()), db.store.close());
    given.unwrap();

    let late = db.store.append(writer.prepare(&["decision/2"])).await;
    assert!(
        matches!(late, Err(AppendError::NotDone(StoreError::Closed))),
        "{late:?}"
    );
    assert!(matches!(db.store.heads().await, Err(StoreError::Closed)));
    assert!(matches!(
        db.store.create(&name("beta")).await,
        Err(StoreError::Closed)
    ));
    db.store.close().await;

    let store = store::open(&db.url, Mode::Write).await.unwrap();
    assert_eq!(store.heads().await.unwrap(), [append.next]);
    store.close().await;
}

pub(crate) async fn a_faulty_store_fails_in_each_way_and_then_works(db: &Database) {
    let store = FaultyStore::new(Arc::clone(&db.store));
    let mut writer = Writer::new(&store, "acme").await;
    for (fault, done) in [
        (AppendFault::NotDone, false),
        (AppendFault::NotDoneButUnknown, false),
        (AppendFault::DoneButUnknown, true),
    ] {
        store.fail_append(2, fault);
        writer.write(&store, &["decision/1"]).await;
        let append = writer.clone().prepare(&["decision/1"]);
        let answer = store.append(append.clone()).await;
        match fault {
            AppendFault::NotDone => assert!(matches!(answer, Err(AppendError::NotDone(_)))),
            _ => assert!(matches!(answer, Err(AppendError::Unknown(_)))),
        }
        let found = store.claim(&name("acme"), "node-a").await.unwrap().unwrap();
        let expected = if done {
            append.next
        } else {
            writer.head.clone()
        };
        assert_eq!(
            (&found.range, found.bytes),
            (&expected.range, expected.bytes),
            "{fault:?}"
        );
        if done {
            writer.prepare(&["decision/1"]); // moves the revision on
        }
        writer.head = found;
    }
    store.fail_calls(&[Call::Head, Call::Claim]);
    assert!(matches!(store.heads().await, Err(StoreError::Database(_))));
    assert!(matches!(
        store.claim(&name("acme"), "node-a").await,
        Err(StoreError::Database(_))
    ));
    store.fail_calls(&[]);
    assert_eq!(store.heads().await.unwrap(), [writer.head]);
}
