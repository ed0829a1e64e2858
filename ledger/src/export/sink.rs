//! Where a bundle is written to: a tar archive, or a directory. What is written is not decided here.

use async_trait::async_trait;
use bytes::Bytes;
use std::path::{Path, PathBuf};
use tokio::io::{AsyncWrite, AsyncWriteExt as _};

/// Where a bundle goes: members one after the other, each with its size said first.
#[async_trait]
pub trait BundleSink: Send {
    /// Begins a member.
    async fn begin(&mut self, path: &str, bytes: u64) -> std::io::Result<()>;

    /// The next bytes of the member.
    async fn put(&mut self, bytes: Bytes) -> std::io::Result<()>;

    /// Ends the member.
    async fn end(&mut self) -> std::io::Result<()>;

    /// Ends the bundle; it is durable where the sink can make it so.
    async fn finish(&mut self) -> std::io::Result<()>;
}

/// A bundle as a tar archive, to a file, a pipe or a response.
pub struct TarSink<W> {
    to: W,
    padding: usize,
}

impl<W: AsyncWrite + Send + Unpin> TarSink<W> {
    /// Writes to this.
    pub const fn new(to: W) -> Self {
        Self { to, padding: 0 }
    }

    /// What was written to.
    pub fn into_inner(self) -> W {
        self.to
    }
}

/// A tar is made of blocks of this many bytes.
const TAR_BLOCK_BYTES: u64 = 512;

#[async_trait]
impl<W: AsyncWrite + Send + Unpin> BundleSink for TarSink<W> {
    async fn begin(&mut self, path: &str, bytes: u64) -> std::io::Result<()> {
        let mut header = tar::Header::new_ustar();
        header.set_path(path)?;
        header.set_size(bytes);
        header.set_mode(0o644);
        header.set_mtime(0);
        header.set_entry_type(tar::EntryType::Regular);
        header.set_cksum();
        let padding = (TAR_BLOCK_BYTES - bytes % TAR_BLOCK_BYTES) % TAR_BLOCK_BYTES;
        self.padding = usize::try_from(padding).unwrap_or(0);
        self.to.write_all(header.as_bytes()).await
    }

    async fn put(&mut self, bytes: Bytes) -> std::io::Result<()> {
        self.to.write_all(&bytes).await
    }

    async fn end(&mut self) -> std::io::Result<()> {
        let zeros = [0u8; 512];
        self.to
            .write_all(zeros.get(..self.padding).unwrap_or_default())
            .await
    }

    async fn finish(&mut self) -> std::io::Result<()> {
        self.to.write_all(&[0u8; 1024]).await?;
        self.to.flush().await
    }
}

/// A bundle as a directory, which must not exist yet.
pub struct DirectorySink {
    root: PathBuf,
    member: Option<tokio::fs::File>,
}

impl DirectorySink {
    /// Makes the directory.
    ///
    /// # Errors
    /// When it exists, or cannot be made.
    pub fn create(root: &Path) -> std::io::Result<Self> {
        std::fs::create_dir(root)?;
        Ok(Self {
            root: root.to_owned(),
            member: None,
        })
    }
}

#[async_trait]
impl BundleSink for DirectorySink {
    async fn begin(&mut self, path: &str, _: u64) -> std::io::Result<()> {
        let path = self.root.join(path);
        if let Some(parent) = path.parent() {
            tokio::fs::create_dir_all(parent).await?;
        }
        self.member = Some(tokio::fs::File::create_new(&path).await?);
        Ok(())
    }

    async fn put(&mut self, bytes: Bytes) -> std::io::Result<()> {
        match &mut self.member {
            Some(file) => file.write_all(&bytes).await,
            None => Err(std::io::Error::other("no member was begun")),
        }
    }

    async fn end(&mut self) -> std::io::Result<()> {
        match self.member.take() {
            Some(mut file) => {
                // What was put is written beside: only this says whether it was.
                file.flush().await?;
                file.sync_all().await
            }
            None => Ok(()),
        }
    }

    async fn finish(&mut self) -> std::io::Result<()> {
        tokio::fs::File::open(&self.root).await?.sync_all().await
    }
}
