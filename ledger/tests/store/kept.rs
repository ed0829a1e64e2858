//! What is kept beside records: aliases, idempotency rows, attachments, snapshots, tiles, cosignatures, disclosures.

use std::sync::Arc;

use probity_ledger::store::{
    Attachment, IdempotencyRow, KeptCosignature, KeptTimestamp, NewAlias, SealedDisclosure,
};
use probity_schemas::time::Time;

use crate::harness::{Database, Writer};

fn alias(alias: &str, subject: &str) -> NewAlias {
    NewAlias {
        alias: alias.to_owned(),
        subject: subject.to_owned(),
    }
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

pub(crate) async fn a_later_alias_takes_the_place_of_the_earlier(db: &Database) {
    let mut writer = Writer::new(&*db.store, "acme").await;
    let mut other = Writer::new(&*db.store, "beta").await;
    let mut append = writer.prepare(&["decision/1"]);
    append.aliases = vec![
        alias("execution/x", "decision/0"),
        alias("dedup/ü\"'", "decision/1"),
        alias("execution/x", "decision/1"),
    ];
    writer.commit(&*db.store, append).await;
    let mut append = writer.prepare(&["decision/2"]);
    append.aliases = vec![alias("execution/x", "decision/2")];
    writer.commit(&*db.store, append).await;
    let append = other.prepare(&["decision/1"]);
    other.commit(&*db.store, append).await;

    let asked = texts(&["dedup/ü\"'", "execution/y", "execution/x", "execution/x"]);
    let found = db.store.aliases(writer.head.log, &asked).await.unwrap();
    let (one, two) = (Some("decision/1".to_owned()), Some("decision/2".to_owned()));
    assert_eq!(found, [one, None, two.clone(), two]);
    assert_eq!(
        db.store.aliases(other.head.log, &asked).await.unwrap(),
        [None, None, None, None]
    );
}

fn key(key: &str, first: u64, time_micros: i64) -> IdempotencyRow {
    IdempotencyRow {
        key: key.to_owned(),
        fingerprint: [u8::try_from(first).unwrap(); 32],
        first,
        count: 2,
        time_micros,
        reply: format!("reply {first}"),
    }
}

pub(crate) async fn idempotency_rows_are_kept_replaced_and_forgotten(db: &Database) {
    let mut writer = Writer::new(&*db.store, "acme").await;
    let mut append = writer.prepare(&["decision/1"]);
    append.idempotency = vec![key("a", 1, 100), key("b", 2, 100)];
    writer.commit(&*db.store, append).await;
    // One that recorded nothing, beside one whose key is used again.
    let mut append = writer.prepare(&[]);
    append.idempotency = vec![key("c", 3, 200), key("a", 4, 200)];
    writer.commit(&*db.store, append).await;

    let log = writer.head.log;
    let asked = texts(&["a", "b", "c", "d"]);
    let all = [
        Some(key("a", 4, 200)),
        Some(key("b", 2, 100)),
        Some(key("c", 3, 200)),
        None,
    ];
    assert_eq!(db.store.idempotency(log, &asked).await.unwrap(), all);
    assert_eq!(db.store.forget_idempotency(100).await.unwrap(), 0);
    assert_eq!(db.store.forget_idempotency(101).await.unwrap(), 1);
    let left = [Some(key("a", 4, 200)), None, Some(key("c", 3, 200)), None];
    assert_eq!(db.store.idempotency(log, &asked).await.unwrap(), left);
    assert_eq!(db.store.forget_idempotency(i64::MAX).await.unwrap(), 2);
    assert_eq!(
        db.store.idempotency(log, &asked).await.unwrap(),
        [None, None, None, None]
    );
}

pub(crate) async fn attachments_are_named_by_content_and_listed_by_name(db: &Database) {
    let mut writer = Writer::new(&*db.store, "acme").await;
    let large: Arc<[u8]> = (0..1024 * 1024)
        .map(|place: u32| place.to_le_bytes()[0])
        .collect();
    let attachment = |name: &str, content: &[u8]| Attachment {
        blake3: name.to_owned(),
        content: content.into(),
    };
    let mut append = writer.prepare(&["trace/1"]);
    append.attachments = vec![
        attachment("cc", &large),
        attachment("aa", b""),
        attachment("bb", b"\0\xff"),
    ];
    writer.commit(&*db.store, append).await;
    // The same content again is no failure, and changes nothing.
    let mut append = writer.prepare(&["trace/2"]);
    append.attachments = vec![
        attachment("bb", b"something else"),
        attachment("dd", b"d"),
        attachment("dd", b"d"),
    ];
    writer.commit(&*db.store, append).await;

    let log = writer.head.log;
    for (name, content) in [
        ("aa", &b""[..]),
        ("bb", b"\0\xff"),
        ("cc", &large),
        ("dd", b"d"),
    ] {
        let names = [name.to_owned()];
        let kept = db.store.attachments(log, &names).await.unwrap();
        let kept = kept[0].clone().unwrap();
        let found = db.store.attachment_part(&kept, 0).await.unwrap();
        assert_eq!(found.as_deref(), Some(content), "{name}");
        assert_eq!(db.store.attachment_part(&kept, 1).await.unwrap(), None);
    }
    for (log, name) in [(log, "ee"), (log + 1, "aa")] {
        let found = db.store.attachments(log, &[name.to_owned()]).await.unwrap();
        assert_eq!(found, [None]);
    }
    let list = |records, after: &'static str, limit| async move {
        let page = db.store.attachment_list(log, records, after, limit).await;
        let page = page.unwrap().into_iter();
        page.map(|kept| (kept.blake3, kept.bytes))
            .collect::<Vec<_>>()
    };
    let named = |names: &[(&str, u64)]| {
        names
            .iter()
            .map(|(name, size)| ((*name).to_owned(), *size))
            .collect::<Vec<_>>()
    };
    assert_eq!(list(9, "", 2).await, named(&[("aa", 0), ("bb", 2)]));
    assert_eq!(
        list(9, "bb", 9).await,
        named(&[("cc", 1024 * 1024), ("dd", 1)])
    );
    assert_eq!(list(9, "dd", 9).await, []);
    assert_eq!(
        list(1, "", 9).await,
        named(&[("aa", 0), ("bb", 2), ("cc", 1024 * 1024)]),
        "as the log was"
    );
}

pub(crate) async fn a_snapshot_takes_the_place_of_the_one_before(db: &Database) {
    let log = Writer::new(&*db.store, "acme").await.head.log;
    let other = Writer::new(&*db.store, "beta").await.head.log;
    assert_eq!(db.store.snapshot(log).await.unwrap(), None);
    db.store.put_snapshot(log, 10, b"first").await.unwrap();
    db.store.put_snapshot(log, 20, b"second").await.unwrap();
    db.store.put_snapshot(other, 5, b"").await.unwrap();
    assert_eq!(db.store.snapshot(log).await.unwrap().unwrap(), b"second");
    assert_eq!(db.store.snapshot(other).await.unwrap().unwrap(), b"");
}

pub(crate) async fn tiles_are_kept_once_and_counted_up_to_the_first_gap(db: &Database) {
    let log = Writer::new(&*db.store, "acme").await.head.log;
    let other = Writer::new(&*db.store, "beta").await.head.log;
    let tile = |byte: u8| vec![byte; 8192];
    assert_eq!(db.store.tile_count(log, 0).await.unwrap(), 0);
    db.store
        .put_tiles(log, &[(0, 1, tile(1)), (0, 3, tile(3))])
        .await
        .unwrap();
    assert_eq!(db.store.tile_count(log, 0).await.unwrap(), 0);
    db.store
        .put_tiles(log, &[(0, 0, tile(0)), (1, 0, tile(9)), (0, 1, tile(7))])
        .await
        .unwrap();
    assert_eq!(db.store.tile_count(log, 0).await.unwrap(), 2);
    db.store.put_tiles(log, &[(0, 2, tile(2))]).await.unwrap();
    db.store.put_tiles(log, &[]).await.unwrap();
    assert_eq!(db.store.tile_count(log, 0).await.unwrap(), 4);
    assert_eq!(
        (
            db.store.tile_count(log, 1).await.unwrap(),
            db.store.tile_count(log, 2).await.unwrap()
        ),
        (1, 0)
    );

    let wanted = [(1, 0), (0, 1), (0, 4), (2, 0), (0, 1)];
    let found = db.store.tiles(log, &wanted).await.unwrap();
    assert_eq!(
        found,
        [Some(tile(9)), Some(tile(1)), None, None, Some(tile(1))]
    );
    assert_eq!(
        db.store.tiles(other, &wanted).await.unwrap(),
        [None, None, None, None, None]
    );
}

pub(crate) async fn cosignatures_are_kept_for_good_and_the_newest_come_first(db: &Database) {
    let log = Writer::new(&*db.store, "acme").await.head.log;
    let other = Writer::new(&*db.store, "beta").await.head.log;
    let kept = |origin: &str, size, witness: &str, line: &str| KeptCosignature {
        origin: origin.to_owned(),
        size,
        witness: witness.to_owned(),
        bytes: size * 600,
        checkpoint: format!("{origin} {size}"),
        line: line.to_owned(),
    };
    let (acme, again) = ("ledger.example/acme", "ledger.example/acme/2");
    for one in [
        kept(acme, 7, "b", "7b"),
        kept(acme, 9, "b", "9b"),
        kept(acme, 9, "a", "9a"),
        kept(acme, 9, "a", "a later one of the same witness"),
        kept(again, 9, "a", "9a of the restored log"),
    ] {
        db.store.put_cosignature(log, &one).await.unwrap();
    }
    let newest = |log, origin, limit| db.store.newest_cosignatures(log, origin, limit);
    assert_eq!(
        newest(log, acme, 10).await.unwrap(),
        [
            kept(acme, 9, "a", "9a"),
            kept(acme, 9, "b", "9b"),
            kept(acme, 7, "b", "7b")
        ]
    );
    assert_eq!(newest(log, acme, 2).await.unwrap().len(), 2);
    assert_eq!(newest(log, again, 10).await.unwrap().len(), 1);
    assert_eq!(newest(other, acme, 10).await.unwrap(), []);
}

pub(crate) async fn time_stamps_are_kept_for_good_and_listed_from_the_newest(db: &Database) {
    let log = Writer::new(&*db.store, "acme").await.head.log;
    let other = Writer::new(&*db.store, "beta").await.head.log;
    let kept = |origin: &str, size, reply: &[u8]| KeptTimestamp {
        origin: origin.to_owned(),
        size,
        time: Time::from_micros(1_795_000_000_000_000),
        checkpoint: format!("{origin} {size}"),
        reply: reply.to_vec(),
    };
    let (acme, again) = ("ledger.example/acme", "ledger.example/acme/2");
    for one in [
        kept(acme, 7, b"7"),
        kept(acme, 9, b"9"),
        kept(acme, 9, b"a later one"),
        kept(again, 8, b"8 of the restored log"),
    ] {
        db.store.put_timestamp(log, &one).await.unwrap();
    }
    let before = |log, origin, size, limit| db.store.timestamps_before(log, origin, size, limit);
    assert_eq!(
        before(log, acme, 10, 10).await.unwrap(),
        [kept(acme, 9, b"9"), kept(acme, 7, b"7")]
    );
    assert_eq!(before(log, acme, 10, 1).await.unwrap().len(), 1);
    assert_eq!(
        before(log, acme, 9, 10).await.unwrap(),
        [kept(acme, 7, b"7")]
    );
    assert_eq!(before(log, again, 9, 10).await.unwrap().len(), 1);
    assert_eq!(before(other, acme, 10, 10).await.unwrap(), []);
}

fn sealed(sequence: u64, place: u32, person: u8) -> SealedDisclosure {
    SealedDisclosure {
        sequence,
        place,
        person: [person; 16],
        sealed: vec![person; 40],
    }
}

pub(crate) async fn disclosures_are_kept_until_their_person_is_erased(db: &Database) {
    let mut writer = Writer::new(&*db.store, "acme").await;
    let mut other = Writer::new(&*db.store, "beta").await;
    let mut append = writer.prepare(&["note/1", "note/2", "note/3"]);
    let (ada, bob) = ([7; 16], [9; 16]);
    append.disclosures = vec![sealed(0, 0, 7), sealed(0, 1, 9), sealed(2, 0, 7)];
    writer.commit(&*db.store, append).await;
    let mut append = other.prepare(&["note/1"]);
    append.disclosures = vec![sealed(0, 0, 8)];
    other.commit(&*db.store, append).await;

    let log = writer.head.log;
    let page = |after, end, limit| db.store.disclosures(log, after, end, limit);
    let all = [sealed(0, 0, 7), sealed(0, 1, 9), sealed(2, 0, 7)];
    assert_eq!(page(None, 3, 10).await.unwrap(), all);
    assert_eq!(page(None, 2, 10).await.unwrap(), all[..2]);
    assert_eq!(page(Some((0, 0)), 3, 1).await.unwrap(), all[1..2]);
    assert_eq!(page(Some((0, u32::MAX)), 3, 10).await.unwrap(), all[2..]);
    assert_eq!(db.store.disclosures_of(log, ada).await.unwrap(), 2);

    // Those that come with the erasure belong to somebody who came after it.
    let mut append = writer.prepare(&["erasure/1", "note/4"]);
    append.erased = vec![ada, [1; 16]];
    append.disclosures = vec![sealed(4, 0, 9)];
    writer.commit(&*db.store, append).await;
    let mut append = writer.prepare(&["erasure/2"]);
    append.erased = vec![ada];
    writer.commit(&*db.store, append).await;
    let page = |after, end, limit| db.store.disclosures(log, after, end, limit);
    let left = [sealed(0, 1, 9), sealed(4, 0, 9)];
    assert_eq!(page(None, 6, 10).await.unwrap(), left);
    assert_eq!(db.store.disclosures_of(log, ada).await.unwrap(), 0);
    assert_eq!(db.store.disclosures_of(log, bob).await.unwrap(), 2);
    let there = db.store.disclosures(other.head.log, None, 1, 10).await;
    assert_eq!(there.unwrap().len(), 1, "another log keeps its own");
    let erased = |after| db.store.erased(after, 10);
    assert_eq!(erased([0; 16]).await.unwrap(), [[1; 16], ada]);
    assert_eq!(erased([1; 16]).await.unwrap(), [ada]);
    assert_eq!(db.store.erased([0; 16], 1).await.unwrap(), [[1; 16]]);
}

pub(crate) async fn a_checkpoint_is_kept_with_its_append_or_not_at_all(db: &Database) {
    let mut writer = Writer::new(&*db.store, "acme").await;
    let other = Writer::new(&*db.store, "beta").await.head.log;
    let mut kept = Vec::new();
    for turn in 0..6 {
        let mut append = writer.prepare(&["note/a"]);
        append.keep_checkpoint = turn % 2 == 1;
        append.next.checkpoint = format!("signed {turn}");
        if append.keep_checkpoint {
            kept.push((append.next.range.size(), append.next.checkpoint.clone()));
            let mut stale = append.clone();
            stale.expected.epoch += 1;
            stale.next.checkpoint = "of a writer that was fenced off".to_owned();
            db.store.append(stale).await.unwrap_err();
        }
        writer.commit(&*db.store, append).await;
    }
    let log = writer.head.log;
    let found = |log, after, limit| db.store.kept_checkpoints(log, after, limit);
    assert_eq!(found(log, 0, 10).await.unwrap(), kept);
    assert_eq!(found(log, kept[0].0, 1).await.unwrap(), kept[1..2]);
    assert_eq!(found(other, 0, 10).await.unwrap(), []);
}
