//! What a witness keeps when a log shows it something that contradicts what it cosigned: both signed notes, side by side. The
//! log's own signatures are what makes them evidence; this witness's word is not needed.

use super::book::write_durably;
use crate::limits::EVIDENCE_MAX;
use probity_schemas::hash::sha256;
use probity_schemas::note::Note;
use std::fs;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

/// The directory of evidence: one directory a contradiction, with `cosigned`, `presented` and `why`.
pub(super) struct Evidence {
    directory: PathBuf,
    count: Mutex<usize>,
}

impl Evidence {
    pub(super) fn open(directory: PathBuf) -> std::io::Result<Self> {
        fs::create_dir_all(&directory)?;
        let count = fs::read_dir(&directory)?.count();
        Ok(Self {
            directory,
            count: Mutex::new(count),
        })
    }

    /// Keeps both notes; the same text again is kept once. What cannot be kept is said in the log, and refused all the same.
    pub(super) fn keep(&self, cosigned: &str, presented: &Note, why: &str) {
        let mut count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        let name = sha256(&[presented.text().as_bytes()]).to_hex();
        let place = self.directory.join(&name);
        if place.exists() {
            return;
        }
        tracing::error!(
            evidence.name = name,
            why,
            "witness: a log contradicts itself"
        );
        if *count >= EVIDENCE_MAX {
            tracing::error!(
                "witness: there are {EVIDENCE_MAX} pieces of evidence already: no more is kept"
            );
            return;
        }
        let kept = fs::create_dir(&place)
            .and_then(|()| write_durably(&place.join("cosigned"), cosigned))
            .and_then(|()| write_durably(&place.join("presented"), &presented.to_string()))
            .and_then(|()| write_durably(&place.join("why"), &format!("{why}\n")))
            .and_then(|()| fs::File::open(&self.directory)?.sync_all());
        match kept {
            Ok(()) => *count += 1,
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "witness: evidence could not be kept"
                );
            }
        }
    }
}
