//! What only the store on a server has: several nodes and their leases, sessions that die, settings of others.

use std::sync::Arc;

use futures_util::future::join_all;
use probity_ledger::store::{self, AppendError, DatabaseUrl, Mode, Store, StoreError};
use sqlx::{Connection as _, Executor as _};

use crate::harness::{Database, Writer, name};

const ADDRESS: &str = "127.0.0.1:1001";

#[tokio::test]
async fn a_log_changes_hands_only_when_its_owners_lease_has_run_out() {
    let db = Database::postgres().await;
    let (node_a, node_b) = (Arc::clone(&db.store), db.second_node().await);
    let acme = name("acme");
    let mut stale = Writer::new(&*node_a, "acme").await;
    node_a.rejoin("node-a", ADDRESS, 3600).await.unwrap();
    node_b
        .rejoin("node-b", "127.0.0.1:1002", 3600)
        .await
        .unwrap();
    stale.head = node_a.claim(&acme, "node-a").await.unwrap().unwrap();
    stale.write(&*node_a, &["decision/1"]).await;

    assert_eq!(
        node_b.claim(&acme, "node-b").await.unwrap(),
        None,
        "the owner lives"
    );
    let owner = node_b.owner(&acme).await.unwrap().unwrap();
    assert_eq!(
        (owner.node.as_str(), owner.address.as_str(), owner.alive),
        ("node-a", ADDRESS, true)
    );

    // A lease of no seconds has run out when it begins.
    assert!(node_a.renew("node-a", ADDRESS, 0).await.unwrap());
    assert!(!node_b.owner(&acme).await.unwrap().unwrap().alive);
    assert!(
        !node_a.renew("node-a", ADDRESS, 3600).await.unwrap(),
        "too late to renew"
    );
    let mut fresh = stale.clone();
    fresh.head = node_b.claim(&acme, "node-b").await.unwrap().unwrap();
    assert_eq!(fresh.head.epoch, stale.head.epoch + 1);

    let answer = node_a.append(stale.prepare(&["decision/2"])).await;
    assert!(matches!(answer, Err(AppendError::Conflict)), "{answer:?}");
    fresh.write(&*node_b, &["decision/3"]).await;
    node_a.rejoin("node-a", ADDRESS, 3600).await.unwrap();
    assert_eq!(
        node_a.claim(&acme, "node-a").await.unwrap(),
        None,
        "the new owner lives"
    );
    assert_eq!(db.head("acme").await, fresh.head);

    node_b.release("node-b").await.unwrap();
    assert!(node_a.claim(&acme, "node-a").await.unwrap().is_some());
    node_b.close().await;
    db.remove().await;
}

#[tokio::test]
async fn a_lease_that_was_never_begun_cannot_be_renewed() {
    let db = Database::postgres().await;
    assert!(!db.store.renew("node-a", ADDRESS, 3600).await.unwrap());
    db.store.rejoin("node-a", ADDRESS, 3600).await.unwrap();
    assert!(db.store.renew("node-a", ADDRESS, 3600).await.unwrap());
    db.remove().await;
}

#[tokio::test]
async fn of_many_nodes_that_claim_at_once_one_gets_the_log() {
    let db = Database::postgres().await;
    db.store.rejoin("node-old", ADDRESS, 0).await.unwrap();
    for node in 0..8 {
        db.store
            .rejoin(&format!("node-{node}"), ADDRESS, 3600)
            .await
            .unwrap();
    }
    for round in 0..10 {
        let tenant = name(&format!("tenant-{round}"));
        db.store.create(&tenant).await.unwrap();
        db.store.claim(&tenant, "node-old").await.unwrap().unwrap();
        let nodes = (0..8)
            .map(|node| format!("node-{node}"))
            .collect::<Vec<_>>();
        let claims = join_all(nodes.iter().map(|node| db.store.claim(&tenant, node))).await;
        let won: Vec<_> = claims
            .into_iter()
            .zip(&nodes)
            .filter_map(|(head, node)| Some((head.unwrap()?, node)))
            .collect();
        assert_eq!(won.len(), 1, "round {round}");
        assert_eq!(won[0].0.epoch, 2);
        assert_eq!(
            &db.store.owner(&tenant).await.unwrap().unwrap().node,
            won[0].1
        );
    }
    db.remove().await;
}

#[tokio::test]
async fn an_append_whose_session_dies_is_unknown_and_a_claim_settles_it() {
    let db = Database::postgres().await;
    let mut writer = Writer::new(&*db.store, "acme").await;
    writer.write(&*db.store, &["decision/1"]).await;

    // The append waits for a row that another session holds, and its own session is killed meanwhile.
    let mut holder = db.connect().await;
    holder
        .execute("BEGIN; SELECT 1 FROM logs FOR UPDATE")
        .await
        .unwrap();
    let (store, append) = (Arc::clone(&db.store), writer.prepare(&["decision/2"]));
    let waiting = tokio::spawn(async move { store.append(append).await });
    let killed = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
         WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let mut killer = db.connect().await;
    while sqlx::query_scalar::<_, i64>(killed)
        .fetch_one(&mut killer)
        .await
        .unwrap()
        == 0
    {
        tokio::task::yield_now().await;
    }
    let answer = waiting.await.unwrap();
    assert!(matches!(answer, Err(AppendError::Unknown(_))), "{answer:?}");
    holder.execute("ROLLBACK").await.unwrap();

    let head = db
        .store
        .claim(&name("acme"), "node-a")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(head.range, writer.head.range);
    writer.head = head;
    writer.write(&*db.store, &["decision/3"]).await;
    db.remove().await;
}

#[tokio::test]
async fn an_append_under_way_is_either_done_before_a_claim_or_fenced_by_it() {
    let db = Database::postgres().await;
    let mut writer = Writer::new(&*db.store, "acme").await;
    for _ in 0..10 {
        let mut holder = db.connect().await;
        holder
            .execute("BEGIN; SELECT 1 FROM logs FOR UPDATE")
            .await
            .unwrap();
        let append = writer.prepare(&["decision/1"]);
        let acme = name("acme");
        let release = async {
            let waiting = "SELECT count(*) FROM pg_stat_activity \
                 WHERE datname = current_database() AND wait_event_type = 'Lock'";
            let mut looker = db.connect().await;
            while sqlx::query_scalar::<_, i64>(waiting)
                .fetch_one(&mut looker)
                .await
                .unwrap()
                < 2
            {
                tokio::task::yield_now().await;
            }
            holder.execute("COMMIT").await.unwrap();
            holder.close().await.unwrap();
            looker.close().await.unwrap();
        };
        let (appended, claimed, ()) = tokio::join!(
            db.store.append(append.clone()),
            db.store.claim(&acme, "node-a"),
            release
        );
        let head = claimed.unwrap().unwrap();
        match appended {
            Ok(()) => assert_eq!(head.range, append.next.range),
            Err(error) => {
                assert!(matches!(error, AppendError::Conflict), "{error:?}");
                assert_eq!(head.range, append.expected.range);
            }
        }
        assert_eq!(db.head("acme").await, head);
        assert_eq!(db.all(&head).await.len() as u64, head.range.size());
        writer.head = head;
    }
    db.remove().await;
}

#[tokio::test]
async fn logs_of_two_nodes_commit_side_by_side() {
    let db = Database::postgres().await;
    let other = db.second_node().await;
    let write = async |store: &dyn Store, tenant: String| {
        let mut writer = Writer::new(store, &tenant).await;
        for _ in 0..20 {
            writer
                .write(store, &["decision/1", "decision/2", "decision/3"])
                .await;
        }
        writer.head
    };
    let stores = [&*db.store, &*other];
    let heads = join_all((0..10).map(|log| write(stores[log % 2], format!("tenant-{log}")))).await;
    for head in heads {
        let leaves = other.leaves(head.log, 0, 100).await.unwrap();
        assert_eq!(leaves.len(), 60);
        assert_eq!(probity_schemas::tree::root_of(leaves), head.range.root());
    }
    other.close().await;
    db.remove().await;
}

#[tokio::test]
async fn what_others_set_does_not_weaken_a_commit() {
    let db = Database::postgres().await;
    db.tamper(
        "DO $$ BEGIN \
             EXECUTE format('ALTER DATABASE %I SET synchronous_commit = off', current_database()); \
             EXECUTE format('ALTER DATABASE %I SET default_transaction_isolation = serializable', current_database()); \
             EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database()); \
         END $$",
    )
    .await;
    let store = db.second_node().await;
    assert!(
        store
            .durability()
            .ends_with(" fsync=on synchronous_commit=on"),
        "{}",
        store.durability()
    );
    let writer = Writer::new(&*store, "acme").await;
    let rivals: Vec<_> = (0..8)
        .map(|rival| {
            writer
                .clone()
                .prepare_lines(&["decision/1"], |sequence| format!("{sequence} by {rival}"))
        })
        .collect();
    let answers = join_all(rivals.into_iter().map(|append| store.append(append))).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    assert!(
        answers
            .iter()
            .all(|answer| matches!(answer, Ok(()) | Err(AppendError::Conflict))),
        "{answers:?}"
    );
    store.close().await;
    db.remove().await;
}

#[tokio::test]
async fn a_schema_of_another_version_is_refused() {
    let db = Database::postgres().await;
    db.tamper("UPDATE probity.migrations SET version = 99 WHERE version = (SELECT max(version) FROM probity.migrations)")
        .await;
    let answer = store::open(&db.url, Mode::Read).await.err();
    assert!(
        matches!(answer, Some(StoreError::SchemaVersion { found: 99, .. })),
        "{answer:?}"
    );
    assert!(matches!(
        store::open(&db.url, Mode::Write).await.err(),
        Some(StoreError::Migrate(_))
    ));
    db.remove().await;
}

#[tokio::test]
async fn a_server_that_is_not_there_is_an_error_without_a_password() {
    let url: DatabaseUrl = "postgres://ann:secret@127.0.0.1:1/none".parse().unwrap();
    let error = store::open(&url, Mode::Write).await.err().unwrap();
    assert!(
        !format!("{error} {error:?}").contains("secret"),
        "{error:?}"
    );
}
