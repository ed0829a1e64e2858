//! The guard: the newest checkpoint of every log, kept beside the keys and apart from the database.
//!
//! It may lag receipts by a second. A database that is behind it, or at odds with it, was restored from a backup or rewritten: it is
//! read, and nothing is signed over it until a person says so.

use crate::signer::{self, KeyError};
use crate::store::{Head, Store, StoreError};
use probity_schemas::checkpoint::Checkpoint;
use probity_schemas::note::Note;
use probity_schemas::subject::Tenant;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use thiserror::Error;

/// Files that this process wrote, so that each has a name of its own until it is in place.
static WRITES: AtomicU64 = AtomicU64::new(0);

/// What is wrong between guard and database.
#[derive(Debug, Error)]
pub enum GuardError {
    /// The file cannot be read or written.
    #[error("the guard file {path} cannot be used")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// The file holds no checkpoint of this log.
    #[error("the guard file {path} holds no checkpoint signed for this log")]
    Malformed {
        /// The file.
        path: PathBuf,
    },
    /// A key cannot be used.
    #[error("a key of the log cannot be used")]
    Key(#[from] KeyError),
    /// The checkpoint is by no key that is here: it is for another node's guard.
    #[error("the checkpoint is signed by no key that this node holds")]
    NotHeld,
    /// The database has fewer records than were signed.
    #[error(
        "the database has {found} records and {signed} were signed: it was restored from a backup, or cut"
    )]
    Behind {
        /// Records in the database.
        found: u64,
        /// Records that were signed.
        signed: u64,
    },
    /// The database has other records than were signed.
    #[error("the database's first {size} records are not those that were signed: it was rewritten")]
    AtOdds {
        /// The size at which they differ.
        size: u64,
    },
    /// The database failed.
    #[error("the database could not be compared with the guard")]
    Store(#[from] StoreError),
}

/// The guard's directory, beside the keys by which it knows what was signed here.
#[derive(Clone, Debug)]
pub struct Guard {
    keys: PathBuf,
    directory: PathBuf,
}

impl Guard {
    /// The guard beside these keys.
    #[must_use]
    pub fn beside(keys: &Path) -> Self {
        Self {
            keys: keys.to_owned(),
            directory: keys.join("guard"),
        }
    }

    /// The newest checkpoint that was kept, as signed.
    ///
    /// # Errors
    /// [`GuardError::File`] when it cannot be read; [`GuardError::Malformed`] when it is no checkpoint by a key that is here.
    pub fn newest(&self, tenant: &Tenant) -> Result<Option<(String, Checkpoint)>, GuardError> {
        let Some(text) = self.text(tenant)? else {
            return Ok(None);
        };
        match self.open(tenant, &text) {
            Ok(checkpoint) => Ok(Some((text, checkpoint))),
            Err(GuardError::NotHeld) => Err(GuardError::Malformed {
                path: self.path(tenant),
            }),
            Err(error) => Err(error),
        }
    }

    fn text(&self, tenant: &Tenant) -> Result<Option<String>, GuardError> {
        let path = self.path(tenant);
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(GuardError::File { path, source }),
        }
    }

    /// Checks that the database holds at least what was signed.
    ///
    /// # Errors
    /// [`GuardError::Behind`] or [`GuardError::AtOdds`] when it does not.
    pub async fn check(&self, store: &dyn Store, head: &Head) -> Result<(), GuardError> {
        let Some((_, signed)) = self.newest(&head.tenant)? else {
            return Ok(());
        };
        // The row may be an older one: another node went on with the log meanwhile, and this one's guard knows.
        let now = match signed.size > head.range.size() {
            true => store.head(&head.tenant).await?,
            false => None,
        };
        let head = now.as_ref().unwrap_or(head);
        if signed.size > head.range.size() {
            return Err(GuardError::Behind {
                found: head.range.size(),
                signed: signed.size,
            });
        }
        if crate::proof::has_root(store, head, signed.size, signed.root).await? {
            Ok(())
        } else {
            Err(GuardError::AtOdds { size: signed.size })
        }
    }

    /// Keeps a log's newest checkpoint, durably, unless an equal or newer one is kept.
    ///
    /// # Errors
    /// [`GuardError::NotHeld`] for a checkpoint that none of the log's keys here is said to have signed,
    /// [`GuardError::Malformed`] for one that is not signed by the key that it names, [`GuardError::File`].
    pub fn keep(&self, tenant: &Tenant, checkpoint: &str) -> Result<(), GuardError> {
        // What was kept was checked then; most looks find nothing new.
        if self.text(tenant)?.is_some_and(|kept| kept == checkpoint) {
            return Ok(());
        }
        let new = self.open(tenant, checkpoint)?;
        match self.newest(tenant)? {
            Some((_, kept)) if kept.size > new.size || kept == new => Ok(()),
            Some((_, kept)) if kept.size == new.size => Err(GuardError::AtOdds { size: new.size }),
            _ => self.write(tenant, checkpoint),
        }
    }

    /// Puts a checkpoint in place of whatever was kept: for a log that goes on after a loss.
    ///
    /// # Errors
    /// [`GuardError::File`].
    pub fn write(&self, tenant: &Tenant, checkpoint: &str) -> Result<(), GuardError> {
        let path = self.path(tenant);
        // Two writers in one process (an export beside the watch of each second) must not take each other's file away.
        let turn = WRITES.fetch_add(1, Ordering::Relaxed);
        let name = format!("{tenant}.{}.{turn}.partial", std::process::id());
        let partial = self.directory.join(name);
        let written = fs::create_dir_all(&self.directory).and_then(|()| {
            let mut file = fs::File::create(&partial)?;
            file.write_all(checkpoint.as_bytes())?;
            file.sync_all()?;
            fs::rename(&partial, &path)?;
            fs::File::open(&self.directory)?.sync_all()
        });
        written.map_err(|source| GuardError::File { path, source })
    }

    fn path(&self, tenant: &Tenant) -> PathBuf {
        self.directory.join(format!("{tenant}.checkpoint"))
    }

    /// A checkpoint by keys of the log that are here, the one in force or one before.
    fn open(&self, tenant: &Tenant, text: &str) -> Result<Checkpoint, GuardError> {
        let path = || self.path(tenant);
        let malformed = |_| GuardError::Malformed { path: path() };
        let note = Note::parse(text).map_err(malformed)?;
        let keys = signer::held(&self.keys, tenant, &note)?;
        if keys.is_empty() {
            return Err(GuardError::NotHeld);
        }
        Checkpoint::open(&note, &keys).map_err(|_| GuardError::Malformed { path: path() })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::Guard;
    use probity_schemas::subject::Tenant;

    #[test]
    fn writers_at_once_do_not_take_each_others_file_away() {
        let directory = tempfile::tempdir().unwrap();
        let tenant = Tenant::parse("acme").unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let guard = Guard::beside(directory.path());
                    (0..50).for_each(|_| guard.write(&tenant, "a checkpoint\n").unwrap());
                });
            }
        });
        let kept = std::fs::read_dir(directory.path().join("guard")).unwrap();
        assert_eq!(kept.count(), 1, "nothing but the checkpoint is left");
    }
}
