//! The keys of persons: one each, under which their disclosures are sealed, kept apart from the records. Destroying one is what
//! erases a person; no record is touched.
//!
//! A key is kept wrapped, with the person's id, under the wrapping key (`KEYS/_persons.key`), which is in no database and is
//! replaced whenever a person is erased: a copy of the keys from before opens nothing without a copy of that file. Not here:
//! which values are personal, and what is recorded of an erasure.

mod crypt;
mod vault;
mod wrapping;

use crate::ids::EntropyError;
use crate::store::{DatabaseUrl, PersonToken, SealedDisclosure, StoreError};
use crypt::{open, random, seal};
use probity_schemas::disclosure::{Disclosure, DisclosureError};
use probity_schemas::subject::Tenant;
use serde::{Deserialize, Serialize};
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use thiserror::Error;
use tokio::sync::OnceCell;
use vault::{PersonRow, Vault};
use wrapping::Wrapping;
use zeroize::Zeroizing;

/// Why a person's key could not be used.
#[derive(Debug, Error)]
pub enum PersonError {
    /// The database of keys failed.
    #[error("the persons' keys could not be read or written")]
    Store(#[from] StoreError),
    /// The wrapping key's file failed.
    #[error("the file {path} cannot be used")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// The wrapping key is not the one that the keys are wrapped with.
    #[error("{path} is not the key that the persons' keys are wrapped with")]
    WrongKey {
        /// The file.
        path: PathBuf,
    },
    /// What was sealed does not open.
    #[error("a sealed value was changed")]
    Changed,
    /// No randomness.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// A value that no disclosure holds.
    #[error("a value cannot be a disclosure")]
    Disclosure(#[from] DisclosureError),
}

/// A person's key.
#[derive(Clone)]
pub(crate) struct PersonKey {
    pub(crate) token: PersonToken,
    key: Zeroizing<[u8; 32]>,
}

/// A disclosure that was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenedDisclosure {
    /// The record in which its digest stands.
    pub sequence: u64,
    /// The disclosure.
    pub disclosure: String,
    /// The person it is about, by the id it was reported under.
    pub person: String,
}

/// What is sealed of a disclosure.
#[derive(Serialize, Deserialize)]
struct Content {
    disclosure: String,
    person: String,
}

/// The keys of persons, opened when they are first needed.
pub struct Persons {
    database: DatabaseUrl,
    keys: PathBuf,
    vault: OnceCell<Vault>,
}

/// How often the wrapping key is looked at anew when it was replaced between two looks.
const LOOKS_MAX: usize = 3;

impl Persons {
    /// The keys that belong to this database, wrapped by the key in this directory.
    #[must_use]
    pub fn new(database: &DatabaseUrl, keys: &Path) -> Self {
        Self {
            database: database.clone(),
            keys: keys.to_owned(),
            vault: OnceCell::new(),
        }
    }

    /// The key of a person; made, durably, when there is none.
    pub(crate) async fn key(
        &self,
        tenant: &Tenant,
        person: &str,
    ) -> Result<PersonKey, PersonError> {
        if let Some((wrapping, row)) = self.find(tenant, person).await? {
            return Ok(self.unwrap(&wrapping, &row)?.0);
        }
        let mut turn = self.vault().await?.turn().await?;
        let wrapping = match Wrapping::settled(&self.keys, turn.any_wrap().await?)? {
            Some(wrapping) => wrapping,
            None => Wrapping::create(&self.keys)?,
        };
        if let Some(row) = turn.find(tenant, wrapping.lookup(tenant, person)).await? {
            return Ok(self.unwrap(&wrapping, &row)?.0);
        }
        let (token, key) = (random()?, Zeroizing::new(random()?));
        turn.insert(wrap(&wrapping, tenant, person, token, &key)?)
            .await?;
        turn.commit().await?;
        Ok(PersonKey { token, key })
    }

    /// What stands for a person, if there is a key.
    pub(crate) async fn token(
        &self,
        tenant: &Tenant,
        person: &str,
    ) -> Result<Option<PersonToken>, PersonError> {
        let found = self.find(tenant, person).await?;
        Ok(found.map(|(_, row)| row.token))
    }

    /// What stands for each person there is a key of.
    pub(crate) async fn tokens(&self) -> Result<HashSet<PersonToken>, PersonError> {
        self.vault().await?.tokens().await
    }

    /// Destroys the keys of persons, and replaces the wrapping key: older copies open nothing from here on. Idempotent; a call
    /// that broke off is ended by the next.
    pub(crate) async fn destroy(&self, gone: &HashSet<PersonToken>) -> Result<(), PersonError> {
        if self.tokens().await?.is_disjoint(gone) && !Wrapping::is_unsettled(&self.keys) {
            return Ok(());
        }
        let mut turn = self.vault().await?.turn().await?;
        let wrap = turn.any_wrap().await?;
        let Some(old) = Wrapping::settled(&self.keys, wrap)? else {
            return Ok(());
        };
        let rows = turn.all().await?;
        if !rows.iter().any(|row| gone.contains(&row.token)) {
            return Ok(());
        }
        let new = Wrapping::prepare(&self.keys)?;
        let kept = rows.iter().filter(|row| !gone.contains(&row.token));
        let kept = kept.map(|row| self.rewrap(&old, &new, row));
        let kept = kept.collect::<Result<Vec<_>, PersonError>>()?;
        turn.replace(kept).await?;
        turn.commit().await?;
        new.put_in_force(&self.keys)
    }

    /// A key made of the keys of these persons, in the order of their ids: gone with any of them.
    pub(crate) fn common(
        keys: &std::collections::BTreeMap<String, PersonKey>,
    ) -> Zeroizing<[u8; 32]> {
        let mut hasher = blake3::Hasher::new_derive_key("probity persons 2026 fingerprint");
        for key in keys.values() {
            hasher.update(&*key.key);
        }
        Zeroizing::new(*hasher.finalize().as_bytes())
    }

    /// A salt that only the holder of this key can make, the same each time for the same texts: gone with the key.
    pub(crate) fn salt(key: &PersonKey, texts: &[&str]) -> [u8; 32] {
        let derived = blake3::derive_key("probity persons 2026 salt", &*key.key);
        let derived = Zeroizing::new(derived);
        let mut hasher = blake3::Hasher::new_keyed(&derived);
        for text in texts {
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        }
        *hasher.finalize().as_bytes()
    }

    /// Seals a disclosure under its person's key.
    pub(crate) fn seal(
        key: &PersonKey,
        person: &str,
        disclosure: &Disclosure,
    ) -> Result<Vec<u8>, PersonError> {
        let content = Content {
            disclosure: disclosure.as_str().to_owned(),
            person: person.to_owned(),
        };
        let content = Zeroizing::new(serde_json::to_vec(&content).unwrap_or_default());
        seal(&key.key, &key.token, &content)
    }

    /// Opens disclosures; those whose person was erased are left out.
    ///
    /// # Errors
    /// [`PersonError`].
    pub async fn open(
        &self,
        sealed: &[SealedDisclosure],
    ) -> Result<Vec<OpenedDisclosure>, PersonError> {
        let mut keys: HashMap<PersonToken, Option<PersonKey>> = HashMap::new();
        let mut opened = Vec::with_capacity(sealed.len());
        for one in sealed {
            let key = match keys.entry(one.person) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => new.insert(self.by_token(one.person).await?),
            };
            let Some(key) = key else { continue };
            let content = open(&key.key, &one.person, &one.sealed)?;
            let content: Content =
                serde_json::from_slice(&content).map_err(|_| PersonError::Changed)?;
            opened.push(OpenedDisclosure {
                sequence: one.sequence,
                disclosure: content.disclosure,
                person: content.person,
            });
        }
        Ok(opened)
    }

    /// The key that a token stands for.
    async fn by_token(&self, token: PersonToken) -> Result<Option<PersonKey>, PersonError> {
        for _ in 1..LOOKS_MAX {
            match self.look(token).await {
                Err(PersonError::WrongKey { .. }) => {}
                looked => return looked,
            }
        }
        self.look(token).await
    }

    async fn look(&self, token: PersonToken) -> Result<Option<PersonKey>, PersonError> {
        let Some(wrapping) = self.wrapping().await? else {
            return Ok(None);
        };
        let row = self.vault().await?.by_token(token).await?;
        let key = row.map(|row| self.unwrap(&wrapping, &row)).transpose()?;
        Ok(key.map(|(key, _)| key))
    }

    /// A person's row, and what it is wrapped with. That there is none is believed only if the wrapping key was the same before
    /// and after: under another, a person is found elsewhere.
    async fn find(
        &self,
        tenant: &Tenant,
        person: &str,
    ) -> Result<Option<(Wrapping, PersonRow)>, PersonError> {
        for _ in 0..LOOKS_MAX {
            let Some(wrapping) = self.wrapping().await? else {
                return Ok(None);
            };
            let lookup = wrapping.lookup(tenant, person);
            if let Some(row) = self.vault().await?.find(tenant, lookup).await? {
                return Ok(Some((wrapping, row)));
            }
            let again = self.wrapping().await?;
            if again.is_some_and(|again| again.id() == wrapping.id()) {
                return Ok(None);
            }
        }
        Err(PersonError::WrongKey {
            path: wrapping::path(&self.keys),
        })
    }

    /// The wrapping key in force, if there ever was one.
    async fn wrapping(&self) -> Result<Option<Wrapping>, PersonError> {
        let vault = self.vault().await?;
        for _ in 1..LOOKS_MAX {
            match Wrapping::in_force(&self.keys, vault.any_wrap().await?) {
                Err(PersonError::WrongKey { .. }) => {}
                looked => return looked,
            }
        }
        Wrapping::in_force(&self.keys, vault.any_wrap().await?)
    }

    async fn vault(&self) -> Result<&Vault, PersonError> {
        self.vault
            .get_or_try_init(|| Vault::open(&self.database, &self.keys))
            .await
    }

    fn unwrap(
        &self,
        wrapping: &Wrapping,
        row: &PersonRow,
    ) -> Result<(PersonKey, Zeroizing<Vec<u8>>), PersonError> {
        if row.wrap != wrapping.id() {
            return Err(PersonError::WrongKey {
                path: wrapping::path(&self.keys),
            });
        }
        let content = open(wrapping.key(), &row.token, &row.sealed)?;
        let (key, person) = content
            .split_first_chunk::<32>()
            .ok_or(PersonError::Changed)?;
        let key = PersonKey {
            token: row.token,
            key: Zeroizing::new(*key),
        };
        Ok((key, Zeroizing::new(person.to_vec())))
    }

    fn rewrap(
        &self,
        old: &Wrapping,
        new: &Wrapping,
        row: &PersonRow,
    ) -> Result<PersonRow, PersonError> {
        let (key, person) = self.unwrap(old, row)?;
        let person = std::str::from_utf8(&person).map_err(|_| PersonError::Changed)?;
        let tenant = Tenant::parse(&row.tenant).map_err(|_| PersonError::Changed)?;
        wrap(new, &tenant, person, row.token, &key.key)
    }
}

fn wrap(
    wrapping: &Wrapping,
    tenant: &Tenant,
    person: &str,
    token: PersonToken,
    key: &[u8; 32],
) -> Result<PersonRow, PersonError> {
    let content = Zeroizing::new([key.as_slice(), person.as_bytes()].concat());
    Ok(PersonRow {
        token,
        tenant: tenant.to_string(),
        lookup: wrapping.lookup(tenant, person),
        wrap: wrapping.id(),
        sealed: seal(wrapping.key(), &token, &content)?,
    })
}

#[cfg(test)]
mod tests;
