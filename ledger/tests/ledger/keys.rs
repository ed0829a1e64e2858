//! The key files of a log: which of them counts is said by its records, whatever else lies there or is missing; and who may change
//! what the records say.

use super::home::{Home, observation, submission};
use super::rotation::{go_on, id, in_force, rotate};
use probity_governance::command::Operation;
use probity_ledger::SubmitError;
use probity_ledger::signer::{FileSigner, Signer as _};
use probity_schemas::event::signer::SignerCompromised;

#[tokio::test]
async fn a_key_that_is_not_written_or_is_and_nothing_names_it_changes_nothing() {
    let home = Home::sqlite();
    let ledger = home.open().await;
    home.prepare(&ledger).await;
    let (first, size) = (in_force(&home, &ledger).await, home.check(&ledger).await);
    let (keys, away) = (home.config().keys, home.root.path().join("away"));
    std::fs::rename(&keys, &away).unwrap();
    std::os::unix::fs::symlink(home.root.path().join("nowhere"), &keys).unwrap();
    let refused = rotate(&home, &ledger).await;
    assert!(
        matches!(refused, Err(SubmitError::ReadOnly { .. })),
        "{refused:?}"
    );
    std::fs::remove_file(&keys).unwrap();
    std::fs::rename(&away, &keys).unwrap();
    assert_eq!(home.check(&ledger).await, size, "no record, and no key");
    assert!(key_files(&keys).is_empty());

    // Written, and reported failed; or written, and then the process died: the key is there and no record is.
    let origin = first.split('+').next().unwrap();
    let orphan = FileSigner::create_next(&keys, &home.tenant, origin).unwrap();
    let orphan = orphan.verifier_key().to_string();
    ledger.close().await;
    drop(ledger);
    let ledger = home.open().await;
    assert_eq!(in_force(&home, &ledger).await, first);
    ledger
        .submit(&home.tenant, observation("a", None))
        .await
        .unwrap();
    home.check(&ledger).await;
    let (next, _) = rotate(&home, &ledger).await.unwrap();
    assert_ne!(next, orphan);
    assert_eq!(in_force(&home, &ledger).await, next);
    home.check(&ledger).await;
    ledger.close().await;
    for file in key_files(&keys) {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", file.display());
    }
}

/// The key files after a log's first one.
fn key_files(keys: &std::path::Path) -> Vec<std::path::PathBuf> {
    let files = std::fs::read_dir(keys)
        .unwrap()
        .map(|file| file.unwrap().path());
    files
        .filter(|path| path.to_string_lossy().contains(".key."))
        .collect()
}

#[tokio::test]
async fn a_node_without_the_newest_key_reads_and_does_not_sign() {
    let home = Home::sqlite();
    let ledger = home.open().await;
    home.prepare(&ledger).await;
    let (key, _) = rotate(&home, &ledger).await.unwrap();
    ledger.close().await;
    drop(ledger);
    let keys = home.config().keys;
    let file = keys.join(format!("local.key.{}", id(&key)));
    let away = home.root.path().join("away");
    std::fs::rename(&file, &away).unwrap();
    let ledger = home.open().await;
    let refused = ledger.submit(&home.tenant, observation("a", None)).await;
    assert!(
        matches!(refused, Err(SubmitError::ReadOnly { .. })),
        "{refused:?}"
    );
    assert_eq!(
        in_force(&home, &ledger).await,
        key,
        "it is read all the same"
    );
    std::fs::rename(&away, &file).unwrap();
    ledger
        .submit(&home.tenant, observation("a", None))
        .await
        .unwrap();
    home.check(&ledger).await;
    ledger.close().await;
}

#[tokio::test]
async fn only_an_admin_rotates_and_only_a_key_that_signs_no_more_is_compromised() {
    let home = Home::sqlite();
    let ledger = home.open().await;
    home.prepare(&ledger).await;
    let first = in_force(&home, &ledger).await;
    let signer = ledger.next_signer(&home.tenant).await.unwrap();
    let operation = Operation::RotateSigner {
        signer,
        reason: None,
    };
    let refused = ledger
        .submit(&home.tenant, submission("user:ann", operation))
        .await;
    assert!(
        matches!(refused, Err(SubmitError::Rejected(_))),
        "{refused:?}"
    );
    let stranger = Operation::RotateSigner {
        signer: "ledger.example/local+22a3c0c4+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c"
            .to_owned(),
        reason: None,
    };
    let refused = ledger
        .submit(&home.tenant, submission("system", stranger))
        .await;
    assert!(
        matches!(refused, Err(SubmitError::ReadOnly { .. })),
        "a key that is not here: {refused:?}"
    );
    let report = |size| {
        let compromised = SignerCompromised {
            key: first.clone(),
            last_trusted_size: size,
            reason: None,
        };
        submission("system", Operation::ReportCompromise(compromised))
    };
    assert!(ledger.submit(&home.tenant, report(3)).await.is_err());
    rotate(&home, &ledger).await.unwrap();
    ledger.submit(&home.tenant, report(3)).await.unwrap();
    assert!(ledger.submit(&home.tenant, report(4)).await.is_err());
    ledger.submit(&home.tenant, report(2)).await.unwrap();
    let terms = ledger.reader().signers(&home.tenant).await.unwrap();
    assert_eq!(terms[0].last_trusted_size, Some(2));
    assert_eq!(terms, ledger.signers(&home.tenant).await.unwrap());
    home.check(&ledger).await;
    ledger.close().await;
}

#[tokio::test]
async fn a_log_whose_key_was_rotated_goes_on_after_a_loss() {
    let home = Home::sqlite();
    let ledger = home.open().await;
    home.prepare(&ledger).await;
    rotate(&home, &ledger).await.unwrap();
    ledger.close().await;
    drop(ledger);
    let backup = home.copy_database();
    let ledger = home.open().await;
    rotate(&home, &ledger).await.unwrap();
    ledger.close().await;
    drop(ledger);
    home.restore_database(&backup);
    let ledger = home.open().await;
    let refused = ledger.submit(&home.tenant, observation("x", None)).await;
    assert!(
        matches!(refused, Err(SubmitError::ReadOnly { .. })),
        "{refused:?}"
    );
    let key = ledger.accept_loss(&home.tenant).await.unwrap();
    assert_eq!(in_force(&home, &ledger).await, key);
    let size = home.check(&ledger).await;
    go_on(&home, &ledger, &key, size).await;
    ledger.close().await;
    drop(ledger);
    let ledger = home.open().await;
    ledger
        .submit(&home.tenant, observation("z", None))
        .await
        .unwrap();
    home.check(&ledger).await;
    ledger.close().await;
}
