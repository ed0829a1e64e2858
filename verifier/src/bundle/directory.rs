//! A bundle directory: its single members in the order of the layout, whatever order the file system lists them in;
//! those of a directory of it as they come.
//!
//! Links are not followed: a bundle is what lies in its directory.

use super::ReadError;
use crate::limits::TOP_LEVEL_NAMES_MAX;
use std::collections::VecDeque;
use std::fs::{File, ReadDir};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Everything on the top level of a bundle, in the order in which it is read.
const TOP_LEVEL: [&str; 9] = [
    "bundle.json",
    "checkpoint",
    "checkpoints",
    "timestamps",
    "proofs.jsonl",
    "records.jsonl",
    "disclosures.jsonl",
    "attachments",
    "schemas",
];

/// A bundle directory, at some member of it.
pub(super) struct Directory {
    root: PathBuf,
    /// Names on the top level that are still to be read, in order; unknown ones last.
    waiting: VecDeque<String>,
    /// The directory being listed.
    open: Option<(String, ReadDir)>,
    file: Option<File>,
}

impl Directory {
    pub(super) fn open(root: &Path) -> Result<Self, ReadError> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(root)?.take(TOP_LEVEL_NAMES_MAX) {
            let name = entry?.file_name().to_string_lossy().into_owned();
            let place = TOP_LEVEL.iter().position(|known| *known == name);
            names.push((place.unwrap_or(TOP_LEVEL.len()), name));
        }
        if names.is_empty() {
            return Err(ReadError::Empty);
        }
        names.sort();
        Ok(Self {
            root: root.to_owned(),
            waiting: names.into_iter().map(|(_, name)| name).collect(),
            open: None,
            file: None,
        })
    }

    /// Path and length of the next file; a name that is no plain file or known directory is an error.
    pub(super) fn next_file(&mut self) -> Result<Option<(String, u64)>, ReadError> {
        self.file = None;
        while let Some(path) = self.next_name()? {
            let place = self.root.join(&path);
            let meta = std::fs::symlink_metadata(&place)?;
            if meta.is_file() {
                self.file = Some(File::open(place)?);
                return Ok(Some((path, meta.len())));
            }
            if !meta.is_dir() || !TOP_LEVEL.contains(&path.as_str()) {
                return Err(ReadError::NotAFile { path });
            }
            self.open = Some((path, std::fs::read_dir(place)?));
        }
        Ok(None)
    }

    fn next_name(&mut self) -> Result<Option<String>, ReadError> {
        if let Some((directory, listing)) = &mut self.open {
            if let Some(entry) = listing.next() {
                let name = entry?.file_name();
                return Ok(Some(format!("{directory}/{}", name.to_string_lossy())));
            }
            self.open = None;
        }
        Ok(self.waiting.pop_front())
    }
}

/// The content of the present member.
impl Read for Directory {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.as_mut().map_or(Ok(0), |file| file.read(buffer))
    }
}
