//! A bundle as a row of members, whether it lies in a directory or in a tar archive. An archive is read once, from
//! front to back, and never unpacked: its names touch no file system.
//!
//! What makes a bundle unreadable is found here: names that no bundle has, members twice or out of order, links,
//! damage to the archive. What its members say is judged elsewhere.

mod directory;
mod tar;

use directory::Directory;
use probity_schemas::bundle::{BundleError, Member};
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;
use tar::TarReader;

/// A bundle that is being read, member by member.
pub struct Bundle {
    source: Source,
    /// The member before, for the order.
    before: Option<Member>,
}

enum Source {
    Directory(Directory),
    Tar(TarReader<Box<dyn Read + Send>>),
}

/// Why a bundle cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// A file or directory cannot be read.
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
    /// A member that no bundle has, that is too long, or that stands twice or out of order.
    #[error("is not laid out as a bundle: {0}")]
    Layout(#[from] BundleError),
    /// Neither a directory nor a regular file.
    #[error("is neither a directory nor a tar archive")]
    NotABundle,
    /// An empty file, directory or archive.
    #[error("is empty")]
    Empty,
    /// A part of a log without its proofs, or with proofs that end inside a line.
    #[error("has no whole proofs.jsonl, which a part of a log needs")]
    NoProofs,
    /// No records: nothing to verify.
    #[error("holds no records: there is nothing to verify")]
    NoRecords,
    /// A line that is longer than any record, and may have no end.
    #[error("cannot be read further: a line is longer than any record")]
    EndlessLine,
    /// A bundle that says of itself that it is a part of a log.
    #[error("is a part of a log, and judged as one only if you say so (--partial)")]
    Partial,
    /// A link, a device, or another thing that is no plain file.
    #[error("holds {path:?}, which is not a plain file")]
    NotAFile {
        /// The name.
        path: String,
    },
    /// The archive ends too early.
    #[error("is cut off: the archive ends inside a member or before its end mark")]
    Truncated,
    /// A header whose checksum is wrong, or that is no header.
    #[error(
        "is no tar archive, or damaged (a compressed one must be unpacked first): byte {offset} begins no valid header"
    )]
    BadHeader {
        /// Where the header begins.
        offset: u64,
    },
    /// Something follows the end of the archive.
    #[error("has data after the end of the archive")]
    TrailingData,
}

impl Bundle {
    /// Opens a bundle directory or tar archive.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        let meta = std::fs::metadata(path)?;
        if meta.is_dir() {
            return Ok(Self::of(Source::Directory(Directory::open(path)?)));
        }
        if !meta.is_file() {
            return Err(ReadError::NotABundle);
        }
        if meta.len() == 0 {
            return Err(ReadError::Empty);
        }
        Ok(Self::from_tar(File::open(path)?))
    }

    /// Reads a tar archive from anything that can be read.
    pub fn from_tar(archive: impl Read + Send + 'static) -> Self {
        let archive: Box<dyn Read + Send> = Box::new(BufReader::with_capacity(128 * 1024, archive));
        Self::of(Source::Tar(TarReader::new(archive)))
    }

    const fn of(source: Source) -> Self {
        Self {
            source,
            before: None,
        }
    }

    /// The next member and its length; what is left unread of the one before is passed over.
    pub(crate) fn next_member(&mut self) -> Result<Option<(Member, u64)>, ReadError> {
        let (next, in_order) = match &mut self.source {
            Source::Directory(directory) => (directory.next_file()?, false),
            Source::Tar(archive) => (archive.next_file()?, true),
        };
        let Some((path, bytes)) = next else {
            return Ok(None);
        };
        let member = Member::parse(&path)?;
        member.check_bytes(bytes)?;
        if in_order {
            member.follows(self.before.as_ref())?;
        }
        self.before = Some(member.clone());
        Ok(Some((member, bytes)))
    }

    /// The content of the member that [`Self::next_member`] gave last.
    pub(crate) fn content(&mut self) -> &mut (dyn Read + Send) {
        match &mut self.source {
            Source::Directory(directory) => directory,
            Source::Tar(archive) => archive,
        }
    }

    /// The whole content of a member whose length has a limit.
    pub(crate) fn whole(&mut self, bytes: u64) -> Result<Vec<u8>, ReadError> {
        let mut content = Vec::new();
        self.content().take(bytes).read_to_end(&mut content)?;
        Ok(content)
    }
}

/// A path as the layout writes it: `./` before it, or `/` after a directory, say nothing.
fn plain(path: &str) -> &str {
    let path = path.strip_prefix("./").unwrap_or(path);
    path.strip_suffix('/').unwrap_or(path)
}
