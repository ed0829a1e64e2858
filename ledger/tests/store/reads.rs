//! Reads: by sequence, by subject, by time; pages; what a reader sees of an append under way.

use std::sync::Arc;

use probity_ledger::store::Span;

use crate::harness::{Database, Writer, sequences, time};

/// Records of twelve turns of three subjects.
async fn thirty_six(db: &Database) -> Writer {
    let mut writer = Writer::new(&*db.store, "acme").await;
    for _ in 0..12 {
        writer
            .write(&*db.store, &["decision/a", "policy/b", "agent/c"])
            .await;
    }
    writer
}

pub(crate) async fn records_are_read_by_sequence(db: &Database) {
    let writer = thirty_six(db).await;
    for (first, limit, expected) in [
        (0, 100, (0..36).collect::<Vec<_>>()),
        (0, 5, (0..5).collect()),
        (33, 5, (33..36).collect()),
        (36, 5, vec![]),
        (1 << 40, 5, vec![]),
        (7, 0, vec![]),
    ] {
        let page = db
            .store
            .read(writer.head.log, Span::From(first), limit, usize::MAX)
            .await
            .unwrap();
        assert_eq!(sequences(&page), expected, "from {first}, at most {limit}");
    }
}

pub(crate) async fn records_are_read_by_subject(db: &Database) {
    let writer = thirty_six(db).await;
    for (subject, revision, limit, expected) in [
        (
            "policy/b",
            0,
            100,
            (0..12).map(|turn| 3 * turn + 1).collect::<Vec<_>>(),
        ),
        ("policy/b", 10, 100, vec![31, 34]),
        ("policy/b", 2, 3, vec![7, 10, 13]),
        ("policy/b", 12, 3, vec![]),
        ("policy/", 0, 3, vec![]),
        ("policy/bb", 0, 3, vec![]),
        ("Policy/b", 0, 3, vec![]),
    ] {
        let span = Span::Subject(subject, revision);
        let page = db
            .store
            .read(writer.head.log, span, limit, usize::MAX)
            .await
            .unwrap();
        assert_eq!(
            sequences(&page),
            expected,
            "{subject} from revision {revision}, at most {limit}"
        );
    }
}

pub(crate) async fn records_are_read_by_time(db: &Database) {
    let writer = thirty_six(db).await;
    // Ten records share each microsecond.
    for (since, first, limit, expected) in [
        (i64::MIN, 0, 2, vec![0, 1]),
        (time(0), 0, 2, vec![0, 1]),
        (time(10), 0, 2, vec![10, 11]),
        (time(10), 5, 2, vec![10, 11]),
        (time(10), 15, 2, vec![15, 16]),
        (time(30), 0, 100, (30..36).collect()),
        (time(40), 0, 100, vec![]),
        (time(0), 36, 100, vec![]),
        (time(0), 99, 100, vec![]),
        (i64::MAX, 0, 100, vec![]),
    ] {
        let span = Span::Since(since, first);
        let page = db
            .store
            .read(writer.head.log, span, limit, usize::MAX)
            .await
            .unwrap();
        assert_eq!(sequences(&page), expected, "since {since} from {first}");
    }
    let empty = Writer::new(&*db.store, "empty").await;
    let page = db
        .store
        .read(empty.head.log, Span::Since(0, 0), 10, usize::MAX)
        .await
        .unwrap();
    assert_eq!(sequences(&page), Vec::<u64>::new());
}

pub(crate) async fn a_page_ends_at_its_bytes(db: &Database) {
    let mut writer = Writer::new(&*db.store, "acme").await;
    let append = writer.prepare_lines(&["decision/1"; 20], |sequence| {
        "x".repeat(if sequence == 4 { 50_000 } else { 99 })
    });
    writer.commit(&*db.store, append).await;
    for (first, bytes_max, expected) in [
        (0, 0, vec![0]),
        (0, 100, vec![0]),
        (0, 101, vec![0, 1]),
        (0, 400, vec![0, 1, 2, 3]),
        (3, 101, vec![3, 4]),
        (4, 1, vec![4]),
        (4, 50_002, vec![4, 5]),
        (18, 1 << 30, vec![18, 19]),
    ] {
        for span in [
            Span::From(first),
            Span::Subject("decision/1", first),
            Span::Since(0, first),
        ] {
            let page = db
                .store
                .read(writer.head.log, span, 100, bytes_max)
                .await
                .unwrap();
            assert_eq!(
                sequences(&page),
                expected,
                "{span:?}, at most {bytes_max} bytes"
            );
        }
    }
}

pub(crate) async fn a_log_does_not_show_in_another(db: &Database) {
    let mut acme = thirty_six(db).await;
    let mut beta = Writer::new(&*db.store, "beta").await;
    beta.write(&*db.store, &["decision/a"]).await;
    acme.write(&*db.store, &["decision/a"]).await;

    let log = beta.head.log;
    assert_eq!(db.all(&beta.head).await.len(), 1);
    assert_eq!(db.store.leaves(log, 0, 100).await.unwrap().len(), 1);
    assert_eq!(
        db.store
            .read(log, Span::Subject("decision/a", 0), 100, usize::MAX)
            .await
            .unwrap()
            .len(),
        1
    );
    assert_eq!(
        db.store
            .subject_heads(log, &["policy/b".to_owned()])
            .await
            .unwrap(),
        [None]
    );
    assert_eq!(db.all(&acme.head).await.len(), 37);
}

pub(crate) async fn leaves_and_subject_heads_are_those_of_the_records(db: &Database) {
    let writer = thirty_six(db).await;
    let log = writer.head.log;
    let leaves: Vec<_> = db
        .all(&writer.head)
        .await
        .iter()
        .map(|record| record.leaf)
        .collect();
    assert_eq!(db.store.leaves(log, 0, 100).await.unwrap(), leaves);
    assert_eq!(db.store.leaves(log, 30, 3).await.unwrap(), leaves[30..33]);
    assert_eq!(db.store.leaves(log, 36, 3).await.unwrap(), []);

    let asked = [
        "agent/c",
        "nobody/knows",
        "decision/a",
        "agent/c",
        "it's \"odd\"/é",
    ]
    .map(str::to_owned);
    let heads = db.store.subject_heads(log, &asked).await.unwrap();
    assert_eq!(
        heads,
        [
            Some((11, leaves[35])),
            None,
            Some((11, leaves[33])),
            Some((11, leaves[35])),
            None
        ]
    );
    assert_eq!(db.store.subject_heads(log, &[]).await.unwrap(), []);
}

pub(crate) async fn a_reader_sees_whole_appends_only(db: &Database) {
    let mut writer = Writer::new(&*db.store, "acme").await;
    let head = writer.head.clone();
    let store = Arc::clone(&db.store);
    let writing = tokio::spawn(async move {
        for _ in 0..40 {
            writer.write(&*store, &["decision/1"; 25]).await;
        }
    });
    while !writing.is_finished() {
        let seen = db.all(&head).await.len();
        assert!(
            seen.is_multiple_of(25),
            "{seen} records are not whole appends of 25"
        );
        tokio::task::yield_now().await;
    }
    writing.await.unwrap();
    assert_eq!(db.all(&head).await.len(), 1000);
}

pub(crate) async fn subjects_come_in_order_each_with_its_newest_record_of_a_part(db: &Database) {
    let writer = thirty_six(db).await;
    type Row = (&'static str, u64, u64);
    let table: [(std::ops::Range<u64>, &str, u32, &[Row]); 7] = [
        (
            0..36,
            "",
            9,
            &[
                ("agent/c", 11, 35),
                ("decision/a", 11, 33),
                ("policy/b", 11, 34),
            ],
        ),
        (
            0..5,
            "",
            9,
            &[("agent/c", 0, 2), ("decision/a", 1, 3), ("policy/b", 1, 4)],
        ),
        (4..6, "", 9, &[("agent/c", 1, 5), ("policy/b", 1, 4)]),
        (0..36, "agent/c", 1, &[("decision/a", 11, 33)]),
        (0..36, "policy/", 9, &[("policy/b", 11, 34)]),
        (0..36, "policy/b", 9, &[]),
        (7..7, "", 9, &[]),
    ];
    for (records, after, limit, expected) in table {
        let page = db
            .store
            .subjects(writer.head.log, records.clone(), after, limit)
            .await
            .unwrap();
        let found: Vec<(&str, u64, u64)> = page
            .iter()
            .map(|head| (head.subject.as_str(), head.revision, head.sequence))
            .collect();
        assert_eq!(found, expected, "{records:?} after {after:?}");
        for head in &page {
            let leaf = db.store.leaves(writer.head.log, head.sequence, 1).await;
            assert_eq!(leaf.unwrap(), [head.leaf]);
        }
    }
}
