//! Keys come back, are told apart, and are gone for good once a person is erased, wherever the erasure broke off.

#![expect(clippy::unwrap_used, reason = "tests")]

use super::wrapping::Wrapping;
use super::{PersonError, Persons};
use crate::store::{DatabaseUrl, SealedDisclosure};
use probity_schemas::body::Body;
use probity_schemas::disclosure::Disclosure;
use probity_schemas::subject::Tenant;
use std::collections::HashSet;
use std::path::Path;

fn persons(root: &Path) -> Persons {
    Persons::new(
        &DatabaseUrl::sqlite(root.join("ledger.db")),
        &root.join("keys"),
    )
}

fn tenant(name: &str) -> Tenant {
    Tenant::parse(name).unwrap()
}

async fn sealed(persons: &Persons, tenant: &Tenant, person: &str) -> SealedDisclosure {
    let value = Body::from_foreign(b"\"+49 151\"").unwrap();
    let disclosure = Disclosure::new(&[7; 32], Some("phone"), &value).unwrap();
    let key = persons.key(tenant, person).await.unwrap();
    SealedDisclosure {
        sequence: 3,
        place: 0,
        person: key.token,
        sealed: Persons::seal(&key, person, &disclosure).unwrap(),
    }
}

#[tokio::test]
async fn what_is_sealed_opens_until_the_person_is_erased() {
    let root = tempfile::tempdir().unwrap();
    let (acme, other) = (tenant("acme"), tenant("other"));
    let all = persons(root.path());
    let ada = sealed(&all, &acme, "ada").await;
    let bob = sealed(&all, &acme, "bob").await;
    let namesake = sealed(&all, &other, "ada").await;
    assert_ne!(ada.person, namesake.person, "each tenant has its own ada");
    let again = persons(root.path());
    assert_eq!(again.token(&acme, "ada").await.unwrap(), Some(ada.person));
    let opened = again.open(std::slice::from_ref(&ada)).await.unwrap();
    assert_eq!((opened[0].sequence, opened[0].person.as_str()), (3, "ada"));

    let gone = HashSet::from([ada.person]);
    again.destroy(&gone).await.unwrap();
    again.destroy(&gone).await.unwrap();
    assert_eq!(
        all.open(std::slice::from_ref(&ada)).await.unwrap(),
        Vec::new()
    );
    assert_eq!(all.open(&[bob, namesake]).await.unwrap().len(), 2);
    let anew = all.key(&acme, "ada").await.unwrap();
    assert_ne!(
        anew.token, ada.person,
        "a new person, as far as anybody can tell"
    );
}

#[tokio::test]
async fn a_changed_or_exchanged_seal_does_not_open() {
    let root = tempfile::tempdir().unwrap();
    let all = persons(root.path());
    let ada = sealed(&all, &tenant("acme"), "ada").await;
    let bob = sealed(&all, &tenant("acme"), "bob").await;
    let mut changed = ada.clone();
    changed.sealed[30] ^= 1;
    let exchanged = SealedDisclosure {
        person: bob.person,
        ..ada.clone()
    };
    let short = SealedDisclosure {
        sealed: vec![0; 10],
        ..ada
    };
    for bad in [changed, exchanged, short] {
        assert!(matches!(all.open(&[bad]).await, Err(PersonError::Changed)));
    }
}

/// The old copies of all files, and what they open once the wrapping key is gone.
#[tokio::test]
async fn a_copy_of_the_keys_from_before_opens_nothing_under_the_new_wrapping_key() {
    let root = tempfile::tempdir().unwrap();
    let all = persons(root.path());
    let acme = tenant("acme");
    let ada = sealed(&all, &acme, "ada").await;
    let database = root.path().join("keys/persons.db");
    let copy = std::fs::read(&database).unwrap();
    all.destroy(&HashSet::from([ada.person])).await.unwrap();
    drop(all);
    std::fs::write(&database, copy).unwrap();
    let restored = persons(root.path());
    assert!(matches!(
        restored.open(&[ada]).await,
        Err(PersonError::WrongKey { .. })
    ));
}

/// The replacement of the wrapping key broken off after each of its steps.
#[tokio::test]
async fn a_replacement_that_broke_off_is_finished() {
    let root = tempfile::tempdir().unwrap();
    let keys = root.path().join("keys");
    let acme = tenant("acme");
    let all = persons(root.path());
    let bob = sealed(&all, &acme, "bob").await;
    let ada = sealed(&all, &acme, "ada").await;
    // After the first step: a new file that nothing is wrapped with.
    Wrapping::prepare(&keys).unwrap();
    assert_eq!(all.open(std::slice::from_ref(&bob)).await.unwrap().len(), 1);
    // After the second: everything is wrapped with the new one, and the old one still has its name.
    let old = std::fs::read(keys.join("_persons.key")).unwrap();
    all.destroy(&HashSet::from([ada.person])).await.unwrap();
    std::fs::rename(keys.join("_persons.key"), keys.join("_persons.key.new")).unwrap();
    std::fs::write(keys.join("_persons.key"), old).unwrap();
    let again = persons(root.path());
    assert_eq!(
        again.open(std::slice::from_ref(&bob)).await.unwrap().len(),
        1
    );
    again.destroy(&HashSet::new()).await.unwrap();
    assert_eq!(again.open(&[bob]).await.unwrap().len(), 1);
    assert!(
        !keys.join("_persons.key.new").exists(),
        "the old one is gone"
    );
    assert_eq!(all.token(&acme, "ada").await.unwrap(), None);
}

/// A lost wrapping key is said, and never covered up by a fresh one.
#[tokio::test]
async fn without_its_wrapping_key_nothing_is_made_or_found() {
    let root = tempfile::tempdir().unwrap();
    let all = persons(root.path());
    let acme = tenant("acme");
    let ada = sealed(&all, &acme, "ada").await;
    std::fs::remove_file(root.path().join("keys/_persons.key")).unwrap();
    let lost = |error| matches!(error, PersonError::WrongKey { .. });
    assert!(lost(all.open(&[ada]).await.unwrap_err()));
    assert!(lost(all.token(&acme, "ada").await.unwrap_err()));
    assert!(lost(all.key(&acme, "bob").await.map(drop).unwrap_err()));
}
