//! One process at a time: an advisory lock on a file, which the kernel lifts when its holder ends, however it ends.
//! Not a lease: on one machine the lock itself says who may write.

use std::fs::{File, OpenOptions};
use std::path::Path;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::StoreError;

/// A lock held as long as this value lives. The file stays behind, empty; only the lock on it counts.
#[derive(Debug)]
pub struct FileLock {
    _file: File,
}

impl FileLock {
    /// Takes the lock on `path`, making the file if need be.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when another holds it, [`StoreError::Io`] when the file cannot be made.
    pub fn take(path: &Path) -> Result<Self, StoreError> {
        let mut options = OpenOptions::new();
        let opened = options.write(true).create(true).truncate(false).open(path);
        let file = opened.map_err(|error| named(path, &error))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self { _file: file }),
            Err(Errno::WOULDBLOCK) => Err(StoreError::Locked),
            Err(error) => Err(StoreError::Io(error.into())),
        }
    }
}

/// The same error, with the file that it is about.
fn named(path: &Path, error: &std::io::Error) -> std::io::Error {
    std::io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
