//! Appends: one after another, at once, in conflict, broken, large.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use probity_ledger::store::{AppendError, StoreError};
use probity_schemas::hash::leaf_hash;
use probity_schemas::tree::root_of;

use crate::harness::{Database, Writer, name};

pub(crate) async fn an_append_is_read_back(db: &Database) {
    let mut writer = Writer::new(&*db.store, "acme").await;
    assert_eq!(
        (
            writer.head.range.size(),
            writer.head.bytes,
            writer.head.checkpoint.as_str()
        ),
        (0, 0, "")
    );

    writer.write(&*db.store, &["decision/1", "policy/1"]).await;
    writer.write(&*db.store, &["decision/1"]).await;

    let records = db.all(&writer.head).await;
    for (sequence, record) in (0_u64..).zip(&records) {
        let line = format!("record {sequence} of log {}", writer.head.log);
        assert_eq!(
            (record.sequence, &*record.line, record.leaf),
            (sequence, line.as_bytes(), leaf_hash(line.as_bytes()))
        );
    }
    assert_eq!(records.len(), 3);
    assert_eq!(db.head("acme").await, writer.head);
    assert_eq!(writer.head.checkpoint, "checkpoint of 3");
    assert_eq!(
        writer.head.range.root(),
        root_of(records.iter().map(|record| record.leaf))
    );
}

pub(crate) async fn an_append_that_expects_another_row_is_a_conflict_and_writes_nothing(
    db: &Database,
) {
    let mut writer = Writer::new(&*db.store, "acme").await;
    writer.write(&*db.store, &["decision/1"]).await;

    let mut twice = writer.clone();
    let again = twice.prepare(&["decision/2"]);
    writer.write(&*db.store, &["decision/3"]).await;
    let mut other_root = writer.clone();
    other_root.head.range = {
        let mut range = probity_schemas::tree::CompactRange::new();
        range.extend([leaf_hash(b"another"), leaf_hash(b"history")]);
        range
    };
    let mut other_epoch = writer.clone();
    other_epoch.head.epoch += 1;

    for (stale, why) in [
        (again, "the size has moved on"),
        (other_root.prepare(&["decision/4"]), "the root is another"),
        (other_epoch.prepare(&["decision/4"]), "the epoch is another"),
    ] {
        let answer = db.store.append(stale).await;
        assert!(
            matches!(answer, Err(AppendError::Conflict)),
            "{why}: {answer:?}"
        );
        assert_eq!(db.head("acme").await, writer.head, "{why}");
        assert_eq!(db.all(&writer.head).await.len(), 2, "{why}");
    }
    writer.write(&*db.store, &["decision/5"]).await;
}

pub(crate) async fn of_many_writers_of_one_log_each_append_is_won_by_one(db: &Database) {
    let mut writer = Writer::new(&*db.store, "acme").await;
    for round in 0_u64..4 {
        let rivals: Vec<_> = (0..16)
            .map(|rival| {
                writer
                    .clone()
                    .prepare_lines(&["decision/1", "decision/2"], |sequence| {
                        format!("{sequence} by {rival}")
                    })
            })
            .collect();
        let answers = join_all(rivals.iter().map(|append| db.store.append(append.clone()))).await;

        let winners: Vec<_> = answers
            .iter()
            .zip(&rivals)
            .filter(|(answer, _)| answer.is_ok())
            .collect();
        assert_eq!(winners.len(), 1, "round {round}: {answers:?}");
        assert!(
            answers
                .iter()
                .all(|answer| matches!(answer, Ok(()) | Err(AppendError::Conflict)))
        );
        writer.head = winners[0].1.next.clone();
        assert_eq!(db.head("acme").await, writer.head);
        assert_eq!(db.all(&writer.head).await.len() as u64, 2 * (round + 1));
        writer.prepare(&["decision/1", "decision/2"]); // moves the revisions on
    }
}

pub(crate) async fn an_append_that_fails_in_the_middle_leaves_nothing(db: &Database) {
    let mut writer = Writer::new(&*db.store, "acme").await;
    writer.write(&*db.store, &["decision/1"]).await;
    let before = db.head("acme").await;
    // A record stands where the next one but one is to go, so the append fails after its first rows.
    db.tamper("UPDATE records SET sequence = 2 WHERE sequence = 0")
        .await;

    let mut append = writer.prepare(&["decision/2"; 100]);
    append.aliases.push(probity_ledger::store::NewAlias {
        alias: "mine".to_owned(),
        subject: "decision/2".to_owned(),
    });
    let answer = db.store.append(append).await;

    assert!(
        matches!(answer, Err(AppendError::NotDone(StoreError::Database(_)))),
        "{answer:?}"
    );
    assert_eq!(db.head("acme").await, before);
    assert_eq!(
        crate::harness::sequences(&db.all(&before).await),
        [2],
        "only the row that was moved"
    );
    let heads = db
        .store
        .subject_heads(before.log, &["decision/2".to_owned()])
        .await
        .unwrap();
    assert_eq!(heads, [None]);
    assert_eq!(
        db.store
            .aliases(before.log, &["mine".to_owned()])
            .await
            .unwrap(),
        [None]
    );
}

pub(crate) async fn logs_that_commit_together_fail_apart(db: &Database) {
    let tenants: Vec<String> = (0..8).map(|number| format!("tenant-{number}")).collect();
    let mut writers = Vec::new();
    for tenant in &tenants {
        let mut writer = Writer::new(&*db.store, tenant).await;
        writer.write(&*db.store, &["decision/0"]).await;
        writers.push(writer);
    }
    let mut appends: Vec<_> = writers
        .iter_mut()
        .map(|writer| writer.prepare(&["decision/1", "decision/2"]))
        .collect();
    appends[3].expected.epoch += 1;
    appends[3].next.epoch += 1;
    // Tenant 5's first record lies where its third one is to go.
    db.tamper(
        "UPDATE records SET sequence = 2 WHERE sequence = 0 AND log = (SELECT log FROM logs WHERE tenant = 'tenant-5')",
    )
    .await;

    let answers = join_all(appends.iter().map(|append| db.store.append(append.clone()))).await;

    for (number, ((answer, append), tenant)) in
        answers.iter().zip(&appends).zip(&tenants).enumerate()
    {
        let head = db.head(tenant).await;
        match number {
            3 => assert!(matches!(answer, Err(AppendError::Conflict)), "{answer:?}"),
            5 => assert!(matches!(answer, Err(AppendError::NotDone(_))), "{answer:?}"),
            _ => {
                assert!(answer.is_ok(), "{number}: {answer:?}");
                assert_eq!((&head, db.all(&head).await.len()), (&append.next, 3));
                continue;
            }
        }
        assert_eq!((head.range.size(), db.all(&head).await.len()), (1, 1));
    }
}

pub(crate) async fn an_append_that_contradicts_itself_is_refused(db: &Database) {
    let mut writer = Writer::new(&*db.store, "acme").await;
    let good = writer.prepare(&["decision/1"]);
    let mut other_log = good.clone();
    other_log.next.log += 1;
    let mut one_missing = good.clone();
    one_missing.records.clear();
    let mut wrong_bytes = good.clone();
    wrong_bytes.next.bytes += 1;
    let mut too_large = good.clone();
    too_large.records[0].revision = u64::MAX;
    for bad in [other_log, one_missing, wrong_bytes, too_large] {
        let answer = db.store.append(bad).await;
        let refused = matches!(
            answer,
            Err(AppendError::NotDone(
                StoreError::BadAppend { .. } | StoreError::TooLarge { .. }
            ))
        );
        assert!(refused, "{answer:?}");
    }
    writer.commit(&*db.store, good).await;
}

pub(crate) async fn an_append_of_ten_thousand_records_is_whole(db: &Database) {
    let mut writer = Writer::new(&*db.store, "acme").await;
    let subjects: Vec<String> = (0..10_000)
        .map(|number| format!("observation/{}", number % 700))
        .collect();
    let subjects: Vec<&str> = subjects.iter().map(String::as_str).collect();
    let append = writer.prepare_lines(&subjects, |sequence| format!("{sequence:0>700}"));
    writer.commit(&*db.store, append).await;

    let records = db.all(&writer.head).await;
    assert_eq!(records.len(), 10_000);
    assert!(
        (0_u64..)
            .zip(&records)
            .all(|(sequence, record)| record.sequence == sequence)
    );
    assert_eq!(
        root_of(records.iter().map(|record| record.leaf)),
        writer.head.range.root()
    );
    assert_eq!(
        records
            .iter()
            .map(|record| record.line.len() as u64 + 1)
            .sum::<u64>(),
        writer.head.bytes
    );
    let heads = db
        .store
        .subject_heads(writer.head.log, &["observation/699".to_owned()])
        .await
        .unwrap();
    assert_eq!(heads, [Some((13, records[9_799].leaf))]);
}

pub(crate) async fn heads_are_the_same_after_a_reopening(db: &Database) {
    for tenant in ["acme", "beta", "gamma"] {
        let mut writer = Writer::new(&*db.store, tenant).await;
        for _ in 0..5 {
            writer
                .write(&*db.store, &["decision/1", "decision/2"])
                .await;
        }
    }
    let before = db.store.heads().await.unwrap();
    let store = db.reopen().await;
    let after = store.heads().await.unwrap();
    assert_eq!(before, after);
    assert_eq!(
        after
            .iter()
            .map(|head| head.tenant.as_str())
            .collect::<Vec<_>>(),
        ["acme", "beta", "gamma"]
    );
    assert!(store.head(&name("delta")).await.unwrap().is_none());
    store.close().await;
}

pub(crate) async fn two_creators_of_one_log_get_the_same_row(db: &Database) {
    let tenant = name("acme");
    let rows = join_all((0..8).map(|_| db.store.create(&tenant))).await;
    let logs: BTreeSet<_> = rows.into_iter().map(|row| row.unwrap().log).collect();
    assert_eq!(logs.len(), 1);
    let mut writer = Writer::new(&*db.store, "acme").await;
    writer.write(&*db.store, &["decision/1"]).await;
    assert_eq!(db.store.create(&tenant).await.unwrap(), writer.head);
    assert_ne!(
        db.store.create(&name("beta")).await.unwrap().log,
        writer.head.log
    );
}
