//! Attachments that belong to a person: erased on demand, from every file, in the append that records it; and welcome again.

use super::attachments::{connect, content, download, name, naming, upload};
use super::erasure::{begin, erase};
use super::home::Home;
use probity_governance::command::Operation;
use probity_ledger::store::faulty::{AppendFault, FaultyStore};
use probity_ledger::store::{Attachment, Mode, Store, open};
use probity_ledger::{Receipt, Submission, SubmitError};
use probity_schemas::event::Event;
use std::collections::BTreeSet;
use std::sync::Arc;

fn erasing(names: &[&str], key: &str) -> Submission {
    let mut erase = erase("ada", key);
    if let Operation::Erase(erasure) = &mut erase.command.operation {
        erasure.attachments = names.iter().map(|name| (*name).to_owned()).collect();
    }
    erase
}

/// The attachments that the erasure says it destroyed.
fn destroyed(receipt: &Receipt) -> Vec<String> {
    match receipt.records[0].event().unwrap() {
        Event::PersonalErased(erased) => erased.attachments,
        other => panic!("{other:?} is no erasure"),
    }
}

#[tokio::test]
async fn an_attachment_is_erased_with_its_person_and_may_come_again() {
    let home = Home::sqlite();
    let ledger = home.open().await;
    begin(&home, &ledger).await;
    let (tenant, content) = (&home.tenant, content());
    let (name, bytes) = (name(&content), content.len() as u64);
    upload(&home, &ledger, &name, &content).await.unwrap();
    ledger
        .submit(tenant, naming("face", &[(&name, bytes)]))
        .await
        .unwrap();
    let other = "0".repeat(64);
    let unknown = ledger.submit(tenant, erasing(&[&name, &other], "1")).await;
    assert!(matches!(&unknown, Err(SubmitError::AttachmentMissing { blake3 }) if *blake3 == other));
    let gone = ledger.submit(tenant, erasing(&[&name], "2")).await.unwrap();
    assert_eq!(destroyed(&gone), [name.as_str()]);
    let retry = ledger.submit(tenant, erasing(&[&name], "2")).await.unwrap();
    assert!(retry.replayed && retry.records == gone.records);
    let again = ledger.submit(tenant, erasing(&[&name], "3")).await.unwrap();
    assert_eq!(
        destroyed(&again),
        Vec::<String>::new(),
        "it was gone before"
    );

    let reader = ledger.reader();
    let log = reader.log(tenant).await.unwrap().unwrap().log;
    assert!(reader.attachment(log, &name).await.unwrap().is_none());
    let said = reader.attachment_erased(log, &name).await.unwrap();
    assert_eq!(said, gone.first());
    let named = ledger
        .submit(tenant, naming("late", &[(&name, bytes)]))
        .await;
    assert!(matches!(named, Err(SubmitError::AttachmentMissing { .. })));
    upload(&home, &ledger, &name, &content).await.unwrap();
    ledger
        .submit(tenant, naming("anew", &[(&name, bytes)]))
        .await
        .unwrap();
    download(&home, &ledger, &name).await.1.unwrap();
    home.check(&ledger).await;
    ledger.close().await;
}

/// Nothing of the content is in a file of the database once the erasure is answered, however its bytes got there.
#[tokio::test]
async fn the_bytes_of_an_erased_attachment_are_in_no_file() {
    let home = Home::sqlite();
    let ledger = home.open().await;
    begin(&home, &ledger).await;
    let content: Vec<u8> = b"the very voice of Ada ".repeat(40_000);
    let (name, bytes) = (name(&content), content.len() as u64);
    upload(&home, &ledger, &name, &content).await.unwrap();
    ledger
        .submit(&home.tenant, naming("voice", &[(&name, bytes)]))
        .await
        .unwrap();
    assert!(
        is_in_a_file(&home, b"voice of Ada"),
        "what looks for it finds it"
    );
    ledger
        .submit(&home.tenant, erasing(&[&name], "1"))
        .await
        .unwrap();
    assert!(!is_in_a_file(&home, b"voice of Ada"));
    // Copies that were made when rows were moved lie in the slack of pages: the file was written anew.
    let free: i64 = sqlx::query_scalar("PRAGMA freelist_count")
        .fetch_one(&mut connect(&home).await)
        .await
        .unwrap();
    assert_eq!(free, 0);
    ledger.close().await;
    assert!(!is_in_a_file(&home, b"voice of Ada"));
}

fn is_in_a_file(home: &Home, text: &[u8]) -> bool {
    files(home).windows(text.len()).any(|window| window == text)
}

/// The content of all files, one after the other.
fn files(home: &Home) -> Vec<u8> {
    let (mut all, mut folders) = (Vec::new(), vec![home.root.path().to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                all.extend(std::fs::read(path).unwrap());
            }
        }
    }
    all
}

/// The erasure's append fails: nothing is gone. It is done and reported failed: everything is, and the receipt comes.
#[tokio::test]
async fn an_erasure_that_is_not_done_leaves_the_attachment() {
    for fault in [AppendFault::NotDone, AppendFault::DoneButUnknown] {
        let home = Home::sqlite();
        let store = Arc::new(FaultyStore::new(
            open(&home.database, Mode::Write).await.unwrap(),
        ));
        let ledger = home.open_on(Arc::clone(&store) as Arc<dyn Store>).await;
        begin(&home, &ledger).await;
        let content = content();
        let (name, bytes) = (name(&content), content.len() as u64);
        upload(&home, &ledger, &name, &content).await.unwrap();
        ledger
            .submit(&home.tenant, naming("face", &[(&name, bytes)]))
            .await
            .unwrap();
        store.fail_append(1, fault);
        let erased = ledger.submit(&home.tenant, erasing(&[&name], "1")).await;
        let is_done = fault == AppendFault::DoneButUnknown;
        assert_eq!(erased.is_ok(), is_done, "{erased:?}");
        let reader = ledger.reader();
        let log = reader.log(&home.tenant).await.unwrap().unwrap().log;
        assert_eq!(
            reader.attachment(log, &name).await.unwrap().is_none(),
            is_done
        );
        ledger.close().await;
    }
}

/// Small content that came with reports shares its pages with others, which stay.
#[tokio::test]
async fn small_content_is_erased_from_among_its_neighbours() {
    let home = Home::sqlite();
    let ledger = home.open().await;
    begin(&home, &ledger).await;
    let small: Vec<Vec<u8>> = (0..200_usize)
        .map(|number| {
            let word = format!("secret {number:03} ");
            let times = usize::from(blake3::hash(word.as_bytes()).as_bytes()[0]) % 150;
            word.repeat(1 + times).into_bytes()
        })
        .collect();
    for content in small.chunks(4) {
        let mut brings = super::home::observation(&name(&content[0]), None);
        let kept = content.iter().map(|content| Attachment {
            blake3: name(content),
            content: content.clone().into(),
        });
        brings.attachments = kept.collect();
        ledger.submit(&home.tenant, brings).await.unwrap();
    }
    let gone: Vec<&Vec<u8>> = small.iter().step_by(2).collect();
    for (number, some) in gone.chunks(20).enumerate() {
        let names: Vec<String> = some.iter().map(|content| name(content)).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let key = number.to_string();
        ledger
            .submit(&home.tenant, erasing(&names, &key))
            .await
            .unwrap();
    }
    let files = files(&home);
    let found: BTreeSet<&[u8]> = files
        .windows(10)
        .filter(|window| window.starts_with(b"secret "))
        .collect();
    for number in 0..small.len() {
        let word = format!("secret {number:03}");
        let is_kept = number % 2 == 1;
        assert_eq!(found.contains(word.as_bytes()), is_kept, "{word}");
    }
    ledger.close().await;
}
