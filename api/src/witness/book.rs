//! What a witness remembers: of each log, the newest checkpoint that it cosigned. It is durable before a cosignature is given, and
//! looking at it and replacing it are one step, under one lock a log.

use super::evidence::Evidence;
use probity_ledger::cosigner::Cosigner;
use probity_ledger::signer::KeyError;
use probity_ledger::store::{FileLock, StoreError};
use probity_schemas::add_checkpoint::AddCheckpoint;
use probity_schemas::checkpoint::{Checkpoint, CheckpointError};
use probity_schemas::cosignature::cosigned;
use probity_schemas::hash::{Hash, sha256};
use probity_schemas::note::{Note, signature_line};
use probity_schemas::tree::verify_consistency;
use probity_schemas::vkey::{KeyType, VerifierKey};
use std::collections::HashMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Why a witness cannot work.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BookError {
    /// Its key cannot be used.
    #[error("the witness's key cannot be used")]
    Key(#[from] KeyError),
    /// Another witness runs on this directory.
    #[error("the witness's directory cannot be used")]
    Lock(#[from] StoreError),
    /// The directory cannot be used.
    #[error("the witness's directory cannot be used")]
    Directory(#[from] std::io::Error),
    /// A log's key is of a type that no log signs with.
    #[error("{key}: not a key that a log signs with (Ed25519, type 0x01)")]
    LogKey {
        /// The key.
        key: String,
    },
    /// What was remembered is not what this witness wrote: to go on without it would be to forget.
    #[error(
        "{path} is not a checkpoint of this log that this witness cosigned: put back what was there"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
    },
}

/// What a witness answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// 200: the cosignature line.
    Cosigned(String),
    /// 400.
    Malformed(String),
    /// 403.
    Untrusted,
    /// 404.
    UnknownLog,
    /// 409: the size cosigned last.
    Conflict(u64),
    /// 422.
    Inconsistent(String),
    /// 500: it could not be made durable.
    Failed,
}

/// A witness's memory and key.
pub(crate) struct Book {
    cosigner: Cosigner,
    pages: HashMap<String, Page>,
    by_name: HashMap<String, String>,
    evidence: Evidence,
    _lock: FileLock,
}

/// What is remembered of one log.
struct Page {
    keys: Vec<VerifierKey>,
    path: PathBuf,
    newest: Mutex<Option<Seen>>,
}

/// A cosigned checkpoint.
#[derive(Clone)]
struct Seen {
    checkpoint: Checkpoint,
    note: String,
}

impl Book {
    /// Opens a witness's directory; its key is made when there is none.
    pub(crate) fn open(
        directory: &Path,
        name: &str,
        logs: &[VerifierKey],
    ) -> Result<Self, BookError> {
        let seen = directory.join("logs");
        fs::create_dir_all(&seen)?;
        let lock = FileLock::take(&directory.join("lock"))?;
        let cosigner = Cosigner::open(&directory.join("witness.key"), name)?;
        let mut pages: HashMap<String, Page> = HashMap::new();
        for key in logs {
            if key.key_type() != KeyType::Ed25519 {
                return Err(BookError::LogKey {
                    key: key.to_string(),
                });
            }
            let page = pages.entry(key.name().to_owned()).or_insert_with(|| Page {
                keys: Vec::new(),
                path: seen.join(format!("{}.checkpoint", page_name(key.name()))),
                newest: Mutex::default(),
            });
            page.keys.push(key.clone());
        }
        for (origin, page) in &pages {
            let kept = page.load(origin, cosigner.verifier_key())?;
            *page.newest.lock().unwrap_or_else(PoisonError::into_inner) = kept;
        }
        let by_name = pages
            .keys()
            .map(|origin| (page_name(origin), origin.clone()));
        Ok(Self {
            by_name: by_name.collect(),
            evidence: Evidence::open(directory.join("evidence"))?,
            cosigner,
            pages,
            _lock: lock,
        })
    }

    /// The key that verifies what this witness gives.
    pub(crate) const fn verifier_key(&self) -> &VerifierKey {
        self.cosigner.verifier_key()
    }

    /// The newest cosigned checkpoint of the log whose origin has this SHA-256, in hexadecimal.
    pub(crate) fn newest(&self, name: &str) -> Option<String> {
        let page = self.pages.get(self.by_name.get(name)?)?;
        let newest = page.newest.lock().unwrap_or_else(PoisonError::into_inner);
        newest.as_ref().map(|seen| seen.note.clone())
    }

    /// Decides a request, at a time in seconds since the epoch. Writes files: not to be called where others would wait.
    pub(crate) fn add(&self, body: &str, time: u64) -> Answer {
        let request = match AddCheckpoint::parse(body) {
            Ok(request) => request,
            Err(error) => return Answer::Malformed(error.to_string()),
        };
        let text = request.checkpoint.text();
        let checkpoint = match Checkpoint::parse_foreign(text) {
            Ok(checkpoint) => checkpoint,
            Err(error @ CheckpointError::EmptyRoot) => {
                return Answer::Inconsistent(error.to_string());
            }
            Err(error) => return Answer::Malformed(error.to_string()),
        };
        let Some(page) = self.pages.get(&checkpoint.origin) else {
            return Answer::UnknownLog;
        };
        let Ok(signed) = request.checkpoint.signed_by(&page.keys) else {
            return Answer::Untrusted;
        };
        if signed.is_empty() {
            return Answer::Untrusted;
        }
        let lines = signed.iter();
        let lines = lines.map(|(line, _)| signature_line(&line.name, line.key_id, &line.signature));
        self.extend(page, &request, checkpoint, lines.collect(), time)
    }

    /// The one step: compare with what was cosigned last, make the new one durable, cosign.
    fn extend(
        &self,
        page: &Page,
        request: &AddCheckpoint,
        new: Checkpoint,
        mut lines: Vec<String>,
        time: u64,
    ) -> Answer {
        let mut newest = page.newest.lock().unwrap_or_else(PoisonError::into_inner);
        let (size, root) = newest.as_ref().map_or((0, Hash::EMPTY), |seen| {
            (seen.checkpoint.size, seen.checkpoint.root)
        });
        let object = |why: &str| {
            if let Some(seen) = &*newest {
                self.evidence.keep(&seen.note, &request.checkpoint, why);
            }
        };
        if new.size < size {
            object("the log shows fewer records than were cosigned");
        }
        if request.old > new.size {
            return Answer::Malformed("the old size is above the checkpoint's".to_owned());
        }
        if request.old != size {
            return Answer::Conflict(size);
        }
        if let Err(error) = verify_consistency(size, new.size, &request.proof, &root, &new.root) {
            let why = format!("the checkpoint does not go on from the one cosigned: {error}");
            object(&why);
            return Answer::Inconsistent(why);
        }
        let line = self.cosigner.cosign(request.checkpoint.text(), time);
        lines.push(line.clone());
        let Ok(note) = Note::build(request.checkpoint.text(), &lines) else {
            return Answer::Malformed("the checkpoint has too many signatures".to_owned());
        };
        let note = note.to_string();
        if let Err(error) = write_durably(&page.path, &note) {
            tracing::error!(
                log.origin = new.origin,
                error = &error as &dyn std::error::Error,
                "witness: a checkpoint could not be made durable, and is not cosigned"
            );
            return Answer::Failed;
        }
        *newest = Some(Seen {
            checkpoint: new,
            note,
        });
        Answer::Cosigned(line)
    }
}

impl Page {
    /// What was remembered; it must still be what this witness wrote.
    fn load(&self, origin: &str, own: &VerifierKey) -> Result<Option<Seen>, BookError> {
        let text = match fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let read = || {
            let note = Note::parse(&text).ok()?;
            let checkpoint = Checkpoint::parse_foreign(note.text()).ok()?;
            let own = cosigned(&note, std::slice::from_ref(own)).ok()?;
            (checkpoint.origin == origin && !own.is_empty()).then_some(checkpoint)
        };
        let checkpoint = read().ok_or_else(|| BookError::Damaged {
            path: self.path.clone(),
        })?;
        Ok(Some(Seen {
            checkpoint,
            note: text,
        }))
    }
}

/// SHA-256 of the origin, in hexadecimal: the name of a log in paths.
fn page_name(origin: &str) -> String {
    sha256(&[origin.as_bytes()]).to_hex()
}

/// Replaces a file as a whole, durably.
pub(super) fn write_durably(path: &Path, content: &str) -> std::io::Result<()> {
    let partial = path.with_extension("partial");
    let mut file = fs::File::create(&partial)?;
    file.write_all(content.as_bytes())?;
    file.sync_all()?;
    fs::rename(&partial, path)?;
    match path.parent() {
        Some(parent) => fs::File::open(parent)?.sync_all(),
        None => Ok(()),
    }
}
