//! The wrapping key: a file beside the signers' (`_persons.key`, 0600, 32 bytes in hexadecimal; no tenant can have that name), in no backup of ours.
//!
//! It is replaced in three steps: the new one is written beside it (`_persons.key.new`), every key is wrapped anew in one
//! transaction, the new file takes the old one's place. Which of the two is in force is said by the keys; whoever takes the next
//! turn after a crash ends what was begun. Files are written in a turn only; several nodes share the directory, as they share the
//! signer's keys.

use super::{PersonError, crypt};
use probity_schemas::subject::Tenant;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// A wrapping key.
pub(super) struct Wrapping {
    key: Zeroizing<[u8; 32]>,
}

/// Where it is.
pub(super) fn path(keys: &Path) -> PathBuf {
    keys.join("_persons.key")
}

fn next_path(keys: &Path) -> PathBuf {
    keys.join("_persons.key.new")
}

impl Wrapping {
    /// The key that is in force, where the persons' keys are wrapped with `wrap`; `None` where there never was one.
    pub(super) fn in_force(
        keys: &Path,
        wrap: Option<[u8; 8]>,
    ) -> Result<Option<Self>, PersonError> {
        let found = [read(&next_path(keys))?, read(&path(keys))?];
        let mut found = found.into_iter().flatten();
        match wrap {
            None => Ok(found.next()),
            Some(wrap) => match found.find(|key| key.id() == wrap) {
                Some(key) => Ok(Some(key)),
                None => Err(PersonError::WrongKey { path: path(keys) }),
            },
        }
    }

    /// The same, in a turn: ends a replacement that broke off.
    pub(super) fn settled(keys: &Path, wrap: Option<[u8; 8]>) -> Result<Option<Self>, PersonError> {
        let key = Self::in_force(keys, wrap)?;
        if let (Some(key), Some(next)) = (&key, read(&next_path(keys))?)
            && next.id() == key.id()
        {
            key.put_in_force(keys)?;
        }
        Ok(key)
    }

    /// Whether a replacement was begun and not ended.
    pub(super) fn is_unsettled(keys: &Path) -> bool {
        next_path(keys).exists()
    }

    /// The first one.
    pub(super) fn create(keys: &Path) -> Result<Self, PersonError> {
        let wrapping = Self::prepare(keys)?;
        wrapping.put_in_force(keys)?;
        Ok(wrapping)
    }

    /// A fresh one, durable beside the one in force.
    pub(super) fn prepare(keys: &Path) -> Result<Self, PersonError> {
        let key = Zeroizing::new(crypt::random::<32>()?);
        let text = Zeroizing::new(
            key.iter()
                .map(|byte| format!("{byte:02x}"))
                .collect::<String>(),
        );
        let path = next_path(keys);
        let written = fs::create_dir_all(keys).and_then(|()| {
            let mut file = fs::OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&path)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::File::open(keys)?.sync_all()
        });
        written.map_err(|source| PersonError::File { path, source })?;
        Ok(Self { key })
    }

    /// Takes the old one's place, durably.
    pub(super) fn put_in_force(&self, keys: &Path) -> Result<(), PersonError> {
        let path = path(keys);
        let done =
            fs::rename(next_path(keys), &path).and_then(|()| fs::File::open(keys)?.sync_all());
        done.map_err(|source| PersonError::File { path, source })
    }

    pub(super) fn key(&self) -> &[u8; 32] {
        &self.key
    }

    /// Says which key it is, and nothing else.
    pub(super) fn id(&self) -> [u8; 8] {
        self.derive("probity persons 2026 wrapping key id", &[])
    }

    /// What a person is found under.
    pub(super) fn lookup(&self, tenant: &Tenant, person: &str) -> [u8; 32] {
        self.derive(
            "probity persons 2026 lookup",
            format!("{tenant}\n{person}").as_bytes(),
        )
    }

    fn derive<const N: usize>(&self, context: &str, text: &[u8]) -> [u8; N] {
        let key = Zeroizing::new(blake3::derive_key(context, &*self.key));
        let mut bytes = [0; N];
        let mut hasher = blake3::Hasher::new_keyed(&key);
        hasher.update(text).finalize_xof().fill(&mut bytes);
        bytes
    }
}

fn read(path: &Path) -> Result<Option<Wrapping>, PersonError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => Zeroizing::new(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => {
            return Err(PersonError::File {
                path: path.to_owned(),
                source,
            });
        }
    };
    // A file that was not written to its end is no key: nothing was wrapped with it yet.
    let key = blake3::Hash::from_hex(text.trim_end()).ok();
    Ok(key.map(|key| Wrapping {
        key: Zeroizing::new(*key.as_bytes()),
    }))
}
