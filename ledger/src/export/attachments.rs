//! The attachments of a bundle, streamed part by part. What the store holds goes out as it is: that it has the hash it is named by
//! is for the judge to say. One that is not there, or not all of it, is left out and counted.

use super::ExportError;
use crate::export::BundleSink;
use crate::reader::Reader;
use crate::store::{KeptAttachment, LogNumber};
use probity_schemas::bundle::Member;
use probity_schemas::event::telemetry::is_attachment_name;
use probity_schemas::record::Record;
use std::collections::BTreeSet;

/// Attachments listed at once.
const ATTACHMENTS_A_PAGE: u32 = 500;

/// How many attachments went out, and how many should have and are not there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Attached {
    pub(super) there: u64,
    pub(super) missing: u64,
}

/// All that the first `size` records of a log name.
pub(super) async fn of_log(
    reader: &Reader,
    log: LogNumber,
    size: u64,
    sink: &mut dyn BundleSink,
) -> Result<Attached, ExportError> {
    let (mut after, mut attached) = (String::new(), Attached::default());
    loop {
        let page = reader
            .store()
            .attachment_list(log, size, &after, ATTACHMENTS_A_PAGE)
            .await?;
        let Some(last) = page.last() else {
            return Ok(attached);
        };
        after.clone_from(&last.blake3);
        for kept in &page {
            put(reader, Some(kept), sink, &mut attached).await?;
        }
    }
}

/// Those of these names.
pub(super) async fn of_names(
    reader: &Reader,
    log: LogNumber,
    names: BTreeSet<String>,
    sink: &mut dyn BundleSink,
) -> Result<Attached, ExportError> {
    let mut attached = Attached::default();
    for name in names {
        let found = reader.store().attachments(log, &[name]).await?;
        put(
            reader,
            found.first().and_then(Option::as_ref),
            sink,
            &mut attached,
        )
        .await?;
    }
    Ok(attached)
}

/// The names of the attachments that a line names.
pub(super) fn names_in(line: &[u8]) -> Vec<String> {
    // Few records name any; the others are not read.
    const KEY: &[u8] = b"\"blake3\":\"";
    if !line.windows(KEY.len()).any(|window| window == KEY) {
        return Vec::new();
    }
    let event = Record::parse_canonical(line).and_then(|record| record.event());
    let named = event.map(|event| {
        let names = event.attachments().iter().map(|named| named.blake3.clone());
        names.filter(|name| is_attachment_name(name)).collect()
    });
    named.unwrap_or_default()
}

async fn put(
    reader: &Reader,
    kept: Option<&KeptAttachment>,
    sink: &mut dyn BundleSink,
    attached: &mut Attached,
) -> Result<(), ExportError> {
    let Some(kept) = kept else {
        attached.missing += 1;
        return Ok(());
    };
    let store = reader.store();
    // A tar says the length first, and what is not all there cannot be made up.
    if store.attachment_bytes(kept).await? != kept.bytes {
        tracing::warn!(
            attachment.blake3 = kept.blake3,
            "export: an attachment is not all there, and left out"
        );
        attached.missing += 1;
        return Ok(());
    }
    let member = Member::Attachment(kept.blake3.clone());
    sink.begin(&member.to_string(), kept.bytes).await?;
    let mut part = 0;
    while let Some(content) = store.attachment_part(kept, part).await? {
        sink.put(content.into()).await?;
        part += 1;
    }
    sink.end().await?;
    attached.there += 1;
    Ok(())
}
