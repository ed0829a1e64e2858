//! Attachments: each step of an upload fails twice, what was changed behind our back is not given out, bundles hold them.

use super::home::{Home, observation};
use probity_governance::command::Operation;
use probity_ledger::export::{DirectorySink, End, Shown, export, export_part};
use probity_ledger::limits::ATTACHMENT_PART_BYTES;
use probity_ledger::store::faulty::{AppendFault, FaultyStore};
use probity_ledger::store::{Mode, Store, StoreError, open};
use probity_ledger::upload::{UploadError, Uploaded};
use probity_ledger::{Ledger, Submission, SubmitError};
use probity_schemas::bundle::BundleFilter;
use probity_schemas::event::telemetry::AttachmentRef;
use sqlx::{Connection as _, Executor as _};
use std::sync::Arc;

/// Two parts and a bit.
pub(crate) fn content() -> Vec<u8> {
    let bytes = 2 * ATTACHMENT_PART_BYTES + 17;
    (0..bytes).map(|at| (at % 251).to_le_bytes()[0]).collect()
}

pub(crate) fn name(content: &[u8]) -> String {
    blake3::hash(content).to_hex().to_string()
}

pub(crate) async fn upload(
    home: &Home,
    ledger: &Ledger,
    name: &str,
    content: &[u8],
) -> Result<Uploaded, UploadError> {
    let bytes = content.len() as u64;
    let quota = 16 * 1024 * 1024;
    let mut upload = ledger
        .begin_upload(&home.tenant, name, bytes, quota)
        .await?;
    for piece in content.chunks(100_000) {
        upload.put(piece).await?;
    }
    upload.finish().await
}

/// All of it, or why not; and how much was given out before.
pub(crate) async fn download(
    home: &Home,
    ledger: &Ledger,
    name: &str,
) -> (usize, Result<(), StoreError>) {
    let reader = ledger.reader();
    let log = reader.log(&home.tenant).await.unwrap().unwrap().log;
    let mut attachment = reader.attachment(log, name).await.unwrap().unwrap();
    let mut given = Vec::new();
    loop {
        match attachment.next().await {
            Ok(Some(bytes)) => given.extend_from_slice(&bytes),
            Ok(None) => {
                assert_eq!(self::name(&given), name);
                return (given.len(), Ok(()));
            }
            Err(error) => return (given.len(), Err(error)),
        }
    }
}

/// An observation that names these, by name and length.
pub(crate) fn naming(text: &str, named: &[(&str, u64)]) -> Submission {
    let mut submission = observation(text, None);
    let Operation::Observe(observations) = &mut submission.command.operation else {
        panic!("an observation is one")
    };
    let references = named.iter().map(|(blake3, bytes)| AttachmentRef {
        blake3: (*blake3).to_owned(),
        bytes: *bytes,
        media_type: "text/plain".to_owned(),
    });
    observations[0].attachments = references.collect();
    submission
}

async fn faulty(home: &Home) -> (Arc<FaultyStore>, Ledger) {
    let store = open(&home.database, Mode::Write).await.unwrap();
    let store = Arc::new(FaultyStore::new(store));
    let ledger = home.open_on(Arc::clone(&store) as Arc<dyn Store>).await;
    home.prepare(&ledger).await;
    (store, ledger)
}

#[tokio::test]
async fn each_step_of_an_upload_fails_twice_and_the_same_upload_again_succeeds() {
    let (content, steps) = (content(), 4);
    let name = name(&content);
    for step in 0..steps {
        for fault in [AppendFault::NotDone, AppendFault::DoneButUnknown] {
            let home = Home::sqlite();
            let (store, ledger) = faulty(&home).await;
            let before = std::iter::repeat_n(AppendFault::None, step);
            store.fail_uploads(before.chain([fault]));
            let failed = upload(&home, &ledger, &name, &content).await;
            assert!(
                matches!(failed, Err(UploadError::Store(_))),
                "{step} {fault:?}: {failed:?}"
            );
            let is_kept = step + 1 == steps && fault == AppendFault::DoneButUnknown;
            let bytes = content.len() as u64;
            let named = ledger
                .submit(&home.tenant, naming("early", &[(&name, bytes)]))
                .await;
            assert_eq!(named.is_ok(), is_kept, "{step} {fault:?}: {named:?}");
            let again = upload(&home, &ledger, &name, &content).await.unwrap();
            let expected = if is_kept {
                Uploaded::KnownBefore
            } else {
                Uploaded::Kept
            };
            assert_eq!(again, expected, "{step} {fault:?}");
            let (given, whole) = download(&home, &ledger, &name).await;
            whole.unwrap();
            assert_eq!(given, content.len());
            home.check(&ledger).await;
            ledger.close().await;
        }
    }
}

#[tokio::test]
async fn what_differs_from_its_name_or_length_leaves_nothing() {
    let home = Home::sqlite();
    let ledger = home.open().await;
    home.prepare(&ledger).await;
    let content = content();
    let (name, other) = (name(&content), name(b"other"));
    let differs = upload(&home, &ledger, &other, &content).await;
    assert!(matches!(differs, Err(UploadError::Differs { found }) if found == name));
    for bytes in [3, 5] {
        let begun = ledger.begin_upload(&home.tenant, &name, bytes, 100).await;
        let mut upload = begun.unwrap();
        let failed = match upload.put(b"four").await {
            Ok(()) => upload.finish().await.map(drop),
            failed => failed,
        };
        assert!(matches!(failed, Err(UploadError::Length { expected }) if expected == bytes));
    }
    let missing = ledger
        .submit(&home.tenant, naming("a", &[(&name, content.len() as u64)]))
        .await;
    assert!(matches!(
        missing,
        Err(SubmitError::AttachmentMissing { .. })
    ));
    upload(&home, &ledger, &name, &content).await.unwrap();
    let length = ledger
        .submit(&home.tenant, naming("a", &[(&name, 1)]))
        .await;
    assert!(matches!(
        length,
        Err(SubmitError::AttachmentLength { named: 1, .. })
    ));
    ledger.close().await;
}

#[tokio::test]
async fn a_start_deletes_what_a_crash_left_in_the_middle() {
    let home = Home::sqlite();
    let ledger = home.open().await;
    home.prepare(&ledger).await;
    let (large, small) = (name(b"large"), name(b"small"));
    let begun = ledger.begin_upload(&home.tenant, &large, 9_000_000, 9_000_000);
    let mut upload = begun.await.unwrap();
    upload
        .put(&vec![0; 5 * ATTACHMENT_PART_BYTES])
        .await
        .unwrap();
    // As a crash would: nobody tells the store.
    let _never_dropped = std::mem::ManuallyDrop::new(upload);
    let full = ledger.begin_upload(&home.tenant, &small, 1, 9_000_000);
    assert!(matches!(full.await.err(), Some(UploadError::Quota { .. })));
    ledger.close().await;
    let ledger = home.open().await;
    assert_eq!(
        rows(&home, "SELECT count(*) FROM attachment_parts").await,
        0
    );
    let begun = ledger.begin_upload(&home.tenant, &small, 9_000_000, 9_000_000);
    drop(begun.await.unwrap());
    ledger.close().await;
}

#[tokio::test]
async fn a_flipped_byte_in_the_database_is_never_given_out_as_a_whole() {
    let home = Home::sqlite();
    let ledger = home.open().await;
    home.prepare(&ledger).await;
    let (large, small) = (content(), b"small".to_vec());
    for content in [&large, &small] {
        upload(&home, &ledger, &name(content), content)
            .await
            .unwrap();
        assert!(download(&home, &ledger, &name(content)).await.1.is_ok());
    }
    change(
        &home,
        "UPDATE attachment_parts SET content = CAST(x'ff' || substr(content, 2) AS BLOB) WHERE part = 0",
    )
    .await;
    for content in [&large, &small] {
        let (given, failed) = download(&home, &ledger, &name(content)).await;
        assert!(
            matches!(failed, Err(StoreError::Corrupt { .. })),
            "{failed:?}"
        );
        assert!(given < content.len(), "{given}");
    }
    ledger.close().await;
}

#[tokio::test]
async fn bundles_hold_what_their_records_name_and_say_what_is_gone() {
    let home = Home::sqlite();
    let ledger = home.open().await;
    home.prepare(&ledger).await;
    let contents = [content(), b"two".to_vec(), Vec::new()];
    let names = contents.each_ref().map(|content| name(content));
    for (name, content) in names.iter().zip(&contents) {
        upload(&home, &ledger, name, content).await.unwrap();
    }
    upload(&home, &ledger, &name(b"orphan"), b"orphan")
        .await
        .unwrap();
    let reference = |at: usize| (names[at].as_str(), contents[at].len() as u64);
    for (text, named) in [
        ("a", vec![reference(0), reference(2)]),
        ("b", vec![reference(1)]),
    ] {
        let receipt = ledger.submit(&home.tenant, naming(text, &named)).await;
        assert_eq!(receipt.unwrap().records.len(), 1);
    }
    let whole = (BundleFilter::default(), [true, true, true]);
    let part = BundleFilter {
        subject: Some("note/a".to_owned()),
        ..BundleFilter::default()
    };
    for (number, (filter, expected)) in [whole, (part, [true, false, true])].iter().enumerate() {
        let out = home.root.path().join(format!("bundle{number}"));
        let (there, missing) = bundle(&home, &ledger, filter, &out).await;
        assert_eq!(
            (there, missing),
            (expected.iter().filter(|is| **is).count() as u64, 0)
        );
        for ((name, content), is_there) in names.iter().zip(&contents).zip(expected) {
            let found = std::fs::read(out.join("attachments").join(name)).ok();
            assert_eq!(found, is_there.then(|| content.clone()), "{name}");
        }
    }
    change(&home, "DELETE FROM attachment_parts WHERE part = 1").await;
    let all = BundleFilter::default();
    let out = home.root.path().join("less");
    assert_eq!(bundle(&home, &ledger, &all, &out).await, (2, 1));
    assert!(!out.join("attachments").join(&names[0]).exists());
    ledger.close().await;
}

/// Writes a bundle; how many attachments it holds, and how many are gone.
async fn bundle(
    home: &Home,
    ledger: &Ledger,
    filter: &BundleFilter,
    out: &std::path::Path,
) -> (u64, u64) {
    let (reader, keys) = (ledger.reader(), home.root.path().join("keys"));
    let mut sink = DirectorySink::create(out).unwrap();
    let bar = &mut |_, _| {};
    let tenant = &home.tenant;
    let shown = Shown {
        end: End::Newest,
        persons: None,
    };
    let summary = if *filter == BundleFilter::default() {
        export(&reader, tenant, &keys, shown, &mut sink, bar).await
    } else {
        export_part(&reader, tenant, &keys, shown, filter, &mut sink, bar).await
    };
    let summary = summary.unwrap();
    (summary.attachments, summary.attachments_missing)
}

pub(crate) async fn connect(home: &Home) -> sqlx::SqliteConnection {
    let path = home.root.path().join("ledger.db");
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
    sqlx::SqliteConnection::connect_with(&options)
        .await
        .unwrap()
}

/// Changes the tables behind the ledger's back.
async fn change(home: &Home, sql: &'static str) {
    let changed = connect(home).await.execute(sql).await.unwrap();
    assert!(changed.rows_affected() > 0, "{sql}");
}

async fn rows(home: &Home, sql: &'static str) -> i64 {
    let mut connection = connect(home).await;
    sqlx::query_scalar(sql)
        .fetch_one(&mut connection)
        .await
        .unwrap()
}
