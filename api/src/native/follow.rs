//! A stream of lines: page after page, each read when the client has taken the one before.
//!
//! So a slow client costs one page of memory and no transaction. Without `follow` the stream ends at the size the log had
//! when it was asked for; with it, it waits for more until the client goes or the server stops.

use crate::limits::{FOLLOW_POLL_MILLIS, PAGE_BYTES_MAX, PAGE_RECORDS_MAX};
use axum::body::Bytes;
use futures_util::{Stream, StreamExt as _, stream};
use probity_ledger::reader::{LogHead, Reader};
use probity_ledger::store::{Span, StoreError, StoredRecord};
use probity_schemas::time::Time;
use std::io;
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Which records, and whether to wait for more.
#[derive(Debug)]
pub(crate) struct Selection {
    /// The first sequence, or revision.
    pub(crate) from: u64,
    /// How many.
    pub(crate) limit: u64,
    /// Only of one subject.
    pub(crate) subject: Option<String>,
    /// Only from a time on.
    pub(crate) since: Option<Time>,
    /// Whether to go on with new ones.
    pub(crate) follow: bool,
}

/// Where a stream is.
struct Cursor {
    reader: Reader,
    head: LogHead,
    selection: Selection,
    changes: watch::Receiver<u64>,
    stopping: CancellationToken,
}

/// The selected lines, a page a piece, each with its line feed. The first page is read before the answer begins, so that an error there is an
/// answer; later ones break it off.
///
/// # Errors
/// [`StoreError`] when the first page cannot be read.
pub(crate) async fn lines(
    reader: Reader,
    head: LogHead,
    selection: Selection,
    stopping: CancellationToken,
) -> Result<impl Stream<Item = io::Result<Bytes>> + Send + 'static, StoreError> {
    let changes = reader.changes();
    let mut cursor = Cursor {
        reader,
        head,
        selection,
        changes,
        stopping,
    };
    cursor.changes.mark_unchanged();
    let first = cursor.read().await?;
    let begun = (!first.is_empty()).then(|| Ok(join(&first)));
    let rest = stream::try_unfold(cursor, |mut cursor| async move {
        let page = cursor.next_page().await?;
        Ok((!page.is_empty()).then(|| (join(&page), cursor)))
    });
    Ok(stream::iter(begun).chain(rest))
}

impl Cursor {
    /// The next page; an empty one ends the stream.
    async fn next_page(&mut self) -> io::Result<Vec<StoredRecord>> {
        loop {
            self.changes.mark_unchanged();
            let page = self.read().await.map_err(|error| {
                tracing::error!(error.chain = %error, log.id = self.head.log_id, "records: a stream broke off");
                io::Error::other(error)
            })?;
            if !page.is_empty() || !self.selection.follow || self.selection.limit == 0 {
                return Ok(page);
            }
            if !self.wait().await {
                return Ok(Vec::new());
            }
        }
    }

    async fn read(&mut self) -> Result<Vec<StoredRecord>, StoreError> {
        let limit = u32::try_from(self.selection.limit)
            .unwrap_or(u32::MAX)
            .min(PAGE_RECORDS_MAX);
        if limit == 0 {
            return Ok(Vec::new());
        }
        let mut page = self
            .reader
            .read(self.head.log, self.span(), limit, PAGE_BYTES_MAX)
            .await?;
        if !self.selection.follow {
            page.retain(|record| record.sequence < self.head.size);
        }
        self.pass(&page);
        Ok(page)
    }

    fn span(&self) -> Span<'_> {
        match (&self.selection.subject, self.selection.since) {
            (Some(subject), _) => Span::Subject(subject, self.selection.from),
            (None, Some(time)) => Span::Since(time.micros(), self.selection.from),
            (None, None) => Span::From(self.selection.from),
        }
    }

    /// Moves on past a page: a subject's revisions have no gaps, positions are in the records.
    fn pass(&mut self, page: &[StoredRecord]) {
        let Some(last) = page.last() else { return };
        self.selection.limit = self.selection.limit.saturating_sub(page.len() as u64);
        self.selection.from = match &self.selection.subject {
            Some(_) => self.selection.from + page.len() as u64,
            None => last.sequence + 1,
        };
    }

    /// Waits for something new; false when the server stops. Other nodes' records are found by looking now and then.
    async fn wait(&mut self) -> bool {
        let nap = tokio::time::sleep(Duration::from_millis(FOLLOW_POLL_MILLIS));
        tokio::select! {
            () = self.stopping.cancelled() => false,
            () = nap => true,
            Ok(()) = self.changes.changed() => true,
        }
    }
}

fn join(page: &[StoredRecord]) -> Bytes {
    let bytes: usize = page.iter().map(|record| record.line.len() + 1).sum();
    let mut text = Vec::with_capacity(bytes);
    for record in page {
        text.extend_from_slice(&record.line);
        text.push(b'\n');
    }
    text.into()
}
