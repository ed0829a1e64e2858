//! Content that comes before the record that names it: whole or not there, within a quota, kept once it is named.

use probity_ledger::store::{
    AppendError, Attachment, ErasedAttachment, KeptAttachment, Leftovers, LogNumber,
    NamedAttachment, NewUpload, Store, StoreError, UploadNumber,
};

use crate::harness::{Database, Writer};

const PARTS: [&[u8]; 3] = [b"one ", b"two ", b"three"];
const BYTES: u64 = 13;

fn new(log: LogNumber, blake3: &str, bytes: u64) -> NewUpload<'_> {
    NewUpload {
        log,
        blake3,
        bytes,
        node: "a",
        time_micros: 1_000,
        quota_bytes: 100,
    }
}

async fn begin(store: &dyn Store, new: &NewUpload<'_>) -> UploadNumber {
    store.begin_upload(new).await.unwrap().unwrap()
}

/// An upload of all parts, whole.
async fn upload(store: &dyn Store, log: LogNumber, blake3: &str) -> UploadNumber {
    let number = begin(store, &new(log, blake3, BYTES)).await;
    for (part, content) in (0..).zip(PARTS) {
        assert!(store.put_part(number, part, content).await.unwrap());
    }
    assert!(store.finish_upload(number).await.unwrap());
    number
}

async fn find(store: &dyn Store, log: LogNumber, blake3: &str) -> Option<KeptAttachment> {
    let names = [blake3.to_owned()];
    store.attachments(log, &names).await.unwrap().remove(0)
}

fn named(blake3: &str, bytes: u64) -> NamedAttachment {
    NamedAttachment {
        blake3: blake3.to_owned(),
        bytes,
    }
}

pub(crate) async fn an_upload_is_there_when_it_is_whole_and_not_before(db: &Database) {
    let store = &*db.store;
    let log = Writer::new(store, "acme").await.head.log;
    let other = Writer::new(store, "beta").await.head.log;
    let number = begin(store, &new(log, "aa", BYTES)).await;
    for (part, content) in (0..).zip(PARTS) {
        let finished = store.finish_upload(number).await.unwrap();
        assert!(!finished, "without part {part}");
        assert_eq!(find(store, log, "aa").await, None);
        assert!(store.put_part(number, part, content).await.unwrap());
    }
    assert!(store.finish_upload(number).await.unwrap());
    let kept = find(store, log, "aa").await.unwrap();
    assert_eq!((kept.bytes, kept.upload), (BYTES, Some(number)));
    assert_eq!(
        find(store, other, "aa").await,
        None,
        "each log's for itself"
    );
    for (part, content) in (0..).zip(PARTS) {
        let read = store.attachment_part(&kept, part).await.unwrap();
        assert_eq!(read.as_deref(), Some(content));
    }
    assert_eq!(store.attachment_part(&kept, 3).await.unwrap(), None);
    assert_eq!(store.attachment_bytes(&kept).await.unwrap(), BYTES);

    // What is whole takes nothing more and is not dropped.
    assert!(!store.put_part(number, 3, b"more").await.unwrap());
    store.drop_upload(number).await.unwrap();
    assert_eq!(find(store, log, "aa").await, Some(kept));
    // The same content again is not kept twice.
    let again = begin(store, &new(log, "aa", 4)).await;
    assert!(again > number);
    assert!(store.put_part(again, 0, PARTS[0]).await.unwrap());
    assert!(!store.finish_upload(again).await.unwrap());
    store.drop_upload(again).await.unwrap();
    assert!(!store.put_part(again, 1, PARTS[1]).await.unwrap(), "gone");
    assert!(!store.renew_upload(again, 1).await.unwrap(), "gone");
    // Nothing at all is content, too.
    let empty = begin(store, &new(log, "ee", 0)).await;
    assert!(store.finish_upload(empty).await.unwrap());
    assert_eq!(find(store, log, "ee").await.unwrap().bytes, 0);
}

pub(crate) async fn uploads_of_a_log_share_a_quota_from_their_beginning_on(db: &Database) {
    let store = &*db.store;
    let log = Writer::new(store, "acme").await.head.log;
    let other = Writer::new(store, "beta").await.head.log;
    let first = begin(store, &new(log, "aa", 60)).await;
    assert_eq!(store.begin_upload(&new(log, "bb", 41)).await.unwrap(), None);
    begin(store, &new(other, "bb", 100)).await;
    begin(store, &new(log, "bb", 40)).await;
    assert_eq!(store.begin_upload(&new(log, "cc", 1)).await.unwrap(), None);
    store.drop_upload(first).await.unwrap();
    // Of many that begin at once as many pass as fit.
    let asked = new(log, "dd", 20);
    let begun = futures_util::future::join_all((0..8).map(|_| store.begin_upload(&asked))).await;
    let passed = begun
        .into_iter()
        .filter(|one| one.as_ref().unwrap().is_some());
    assert_eq!(passed.count(), 3);
}

pub(crate) async fn an_append_names_what_is_there_or_is_not_done(db: &Database) {
    let store = &*db.store;
    let mut writer = Writer::new(store, "acme").await;
    let mut other = Writer::new(store, "beta").await;
    let log = writer.head.log;
    writer.write(store, &["note/0"]).await;
    upload(store, log, "aa").await;
    upload(store, other.head.log, "cc").await;
    let unfinished = begin(store, &new(log, "bb", 4)).await;
    for missing in [named("bb", 4), named("cc", BYTES), named("aa", BYTES + 1)] {
        let mut append = writer.clone().prepare(&["note/1"]);
        append.named = vec![named("aa", BYTES), missing.clone()];
        append.named.sort();
        let neighbour = other.prepare(&["note/1"]);
        let (refused, ()) = tokio::join!(store.append(append), other.commit(store, neighbour));
        let gone = AppendError::NotDone(StoreError::AttachmentGone);
        assert_eq!(
            format!("{refused:?}"),
            format!("{:?}", Err::<(), _>(gone)),
            "{missing:?}"
        );
        assert_eq!(db.head("acme").await, writer.head, "{missing:?}");
    }
    assert!(listed(store, log, 9).await.is_empty(), "nothing was named");
    assert!(store.put_part(unfinished, 0, b"bbbb").await.unwrap());
    assert!(store.finish_upload(unfinished).await.unwrap());

    let mut append = writer.prepare(&["note/1"]);
    append.named = vec![named("aa", BYTES), named("bb", 4)];
    append.attachments = vec![Attachment {
        blake3: "ab".to_owned(),
        content: b"inline"[..].into(),
    }];
    writer.commit(store, append).await;
    // Named again, with what came with a command before: the first time counts.
    let mut append = writer.prepare(&["note/2"]);
    append.named = vec![named("aa", BYTES), named("ab", 6)];
    writer.commit(store, append).await;
    assert!(listed(store, log, 1).await.is_empty(), "as the log was");
    assert_eq!(listed(store, log, 2).await, ["aa", "ab", "bb"]);
    let page = store.attachment_list(log, 9, "aa", 1).await.unwrap();
    assert_eq!(page[0].blake3, "ab");
    assert_eq!(page[0].upload, None);
}

async fn listed(store: &dyn Store, log: LogNumber, records: u64) -> Vec<String> {
    let list = store.attachment_list(log, records, "", 100).await.unwrap();
    list.into_iter().map(|kept| kept.blake3).collect()
}

pub(crate) async fn what_nobody_needs_is_swept_and_what_is_named_stays(db: &Database) {
    let store = &*db.store;
    let mut writer = Writer::new(store, "acme").await;
    let log = writer.head.log;
    let unfinished = begin(store, &new(log, "un", 4)).await;
    assert!(store.put_part(unfinished, 0, b"part").await.unwrap());
    upload(store, log, "named").await;
    let orphan = upload(store, log, "orphan").await;
    let mut append = writer.prepare(&["note/1"]);
    append.named = vec![named("named", BYTES)];
    writer.commit(store, append).await;

    let sweep = |node: Option<&'static str>, unfinished_before_micros, unnamed_before_micros| {
        let leftovers = Leftovers {
            node,
            unfinished_before_micros,
            unnamed_before_micros,
        };
        async move { store.sweep_uploads(&leftovers).await.unwrap() }
    };
    assert_eq!(sweep(Some("b"), 1_000, 1_000).await, 0, "not old enough");
    assert_eq!(sweep(Some("a"), 0, 0).await, 1, "its own, after a crash");
    assert!(!store.finish_upload(unfinished).await.unwrap());
    begin(store, &new(log, "un", 4)).await;
    assert_eq!(sweep(None, 1_001, 0).await, 1, "too old");
    assert!(store.renew_upload(orphan, 2_000).await.unwrap());
    assert_eq!(sweep(None, 0, 2_000).await, 0, "asked for again");
    let kept = find(store, log, "orphan").await.unwrap();
    assert_eq!(sweep(None, 0, i64::MAX).await, 1, "the orphan alone");
    assert_eq!(find(store, log, "orphan").await, None);
    assert_eq!(store.attachment_bytes(&kept).await.unwrap(), 0, "its parts");
    let named = find(store, log, "named").await.unwrap();
    assert_eq!(store.attachment_bytes(&named).await.unwrap(), BYTES);
}

/// Whatever the order: named and there, or not named and gone.
pub(crate) async fn sweeping_and_naming_at_once_never_lose_what_is_named(db: &Database) {
    let store = &*db.store;
    let mut writer = Writer::new(store, "acme").await;
    let log = writer.head.log;
    let everything = Leftovers {
        node: None,
        unfinished_before_micros: i64::MAX,
        unnamed_before_micros: i64::MAX,
    };
    for round in 0..20 {
        let name = format!("{round:02}");
        let number = begin(store, &new(log, &name, 1)).await;
        assert!(store.put_part(number, 0, b"x").await.unwrap());
        assert!(store.finish_upload(number).await.unwrap());
        let before = writer.clone();
        let mut append = writer.prepare(&["note/1"]);
        append.named = vec![named(&name, 1)];
        let next = append.next.clone();
        let (appended, swept) =
            tokio::join!(store.append(append), store.sweep_uploads(&everything));
        let kept = find(store, log, &name).await;
        match appended {
            Ok(()) => {
                assert_eq!(swept.unwrap(), 0, "{name}");
                let kept = kept.unwrap();
                assert_eq!(store.attachment_bytes(&kept).await.unwrap(), 1, "{name}");
                writer.head = next;
            }
            Err(AppendError::NotDone(StoreError::AttachmentGone)) => {
                assert_eq!((swept.unwrap(), kept), (1, None), "{name}");
                writer = before;
            }
            Err(other) => panic!("{name}: {other:?}"),
        }
    }
}

pub(crate) async fn what_an_append_erases_is_gone_and_its_record_is_kept(db: &Database) {
    let store = &*db.store;
    let mut writer = Writer::new(store, "acme").await;
    let mut other = Writer::new(store, "beta").await;
    let log = writer.head.log;
    let inline = |blake3: &str| Attachment {
        blake3: blake3.to_owned(),
        content: PARTS.concat().into(),
    };
    upload(store, log, "aa").await;
    upload(store, other.head.log, "aa").await;
    let mut brings = writer.prepare(&["trace/1"]);
    brings.attachments = vec![inline("bb")];
    writer.commit(store, brings).await;
    let unfinished = begin(store, &new(log, "cc", BYTES)).await;
    let kept = find(store, log, "aa").await.unwrap();

    // One append names it, erases it, and brings other content again that was erased before it.
    let erased = |blake3: &str, sequence| ErasedAttachment {
        blake3: blake3.to_owned(),
        sequence,
    };
    let mut erases = writer.prepare(&["ticket/1", "erasure/1"]);
    erases.named = vec![named("aa", BYTES)];
    erases.attachments = vec![inline("bb")];
    let names = ["aa", "bb", "cc"];
    erases.erased_attachments = names.map(|name| erased(name, 2)).into();
    let mut stale = erases.clone();
    stale.expected.epoch += 1;
    stale.next.epoch += 1;
    let conflict = store.append(stale).await;
    assert!(
        matches!(conflict, Err(AppendError::Conflict)),
        "{conflict:?}"
    );
    assert_eq!(
        find(store, log, "aa").await,
        Some(kept.clone()),
        "nothing was done"
    );
    assert_eq!(store.attachment_erased(log, "aa").await.unwrap(), None);
    writer.commit(store, erases).await;
    store.overwrite_deleted().await.unwrap();

    assert_eq!(find(store, log, "aa").await, None);
    assert_eq!(store.attachment_part(&kept, 0).await.unwrap(), None);
    assert!(find(store, log, "bb").await.is_some(), "it came again");
    assert!(
        !store.put_part(unfinished, 0, PARTS[0]).await.unwrap(),
        "gone"
    );
    for name in names {
        assert_eq!(store.attachment_erased(log, name).await.unwrap(), Some(2));
    }
    let elsewhere = other.head.log;
    assert!(
        find(store, elsewhere, "aa").await.is_some(),
        "another log's"
    );
    assert_eq!(
        store.attachment_erased(elsewhere, "aa").await.unwrap(),
        None
    );
    other.write(store, &["ticket/1"]).await;

    // It may be uploaded again, and erased again by a later record.
    upload(store, log, "aa").await;
    let mut again = writer.prepare(&["erasure/2"]);
    again.erased_attachments = vec![erased("aa", 3)];
    writer.commit(store, again).await;
    assert_eq!(store.attachment_erased(log, "aa").await.unwrap(), Some(3));
}
