//! Opening a log: the snapshot if there is a good one, then the records after it, checked while they are folded.
//!
//! The same code runs at start, after a commit whose outcome was not known, and for a node that only reads.

use crate::ids::Ids;
use crate::limits::{REPLAY_BYTES, REPLAY_RECORDS};
use crate::seal::Tip;
use crate::signer::Signer;
use crate::snapshot;
use crate::store::{Head, Span, Store, StoreError, StoredRecord};
use probity_governance::state::{Applied, State};
use probity_schemas::chain::ChainTip;
use probity_schemas::event::Event;
use probity_schemas::record::Record;
use probity_schemas::time::Time;
use probity_schemas::tree::CompactRange;
use uuid::Uuid;

/// What a log's records add up to.
pub(crate) struct Loaded {
    pub state: State,
    pub tip: Tip,
    /// The time of the last record; known once the log was read to its end.
    pub time: Time,
    /// The size the snapshot had; 0 without one.
    pub from: u64,
}

impl Loaded {
    /// Before record 0.
    pub(crate) fn start() -> Self {
        Self {
            state: State::default(),
            tip: Tip::start(String::new()),
            time: Time::from_micros(0),
            from: 0,
        }
    }
}

/// Loads a log up to its row, and checks that the records have the row's root.
///
/// # Errors
/// [`StoreError::Corrupt`] when they have not, or a record does not follow the one before.
pub(crate) async fn load(
    store: &dyn Store,
    head: &Head,
    signer: Option<&dyn Signer>,
) -> Result<Loaded, StoreError> {
    // A snapshot is believed by its seal only, and only the signer's key can check that.
    let mut loaded = match (store.snapshot(head.log).await?, signer) {
        (Some(content), Some(signer)) => from_snapshot(store, head, signer, &content).await?,
        _ => Loaded::start(),
    };
    catch_up(store, head, &mut loaded).await?;
    Ok(loaded)
}

/// Folds the records after what is loaded, up to the log's row.
pub(crate) async fn catch_up(
    store: &dyn Store,
    head: &Head,
    loaded: &mut Loaded,
) -> Result<(), StoreError> {
    let size = head.range.size();
    let (id, time) = last_of(store, head, loaded.tip.range.size()).await?;
    let mut chain = ChainTip {
        next: loaded.tip.range.size(),
        previous: loaded.tip.leaf,
        id,
        time,
    };
    while chain.next < size {
        let limit = u32::try_from(size - chain.next)
            .unwrap_or(u32::MAX)
            .min(REPLAY_RECORDS);
        let page = store
            .read(head.log, Span::From(chain.next), limit, REPLAY_BYTES)
            .await?;
        if page.is_empty() {
            return Err(StoreError::Corrupt {
                what: format!("record {} of {} is missing", chain.next, head.tenant),
            });
        }
        for stored in &page {
            fold(stored, &mut chain, loaded)?;
        }
    }
    loaded.tip.ids = Ids::after(chain.id);
    loaded.tip.leaf = chain.previous;
    loaded.time = chain.time;
    if loaded.tip.range.root() == head.range.root() && loaded.tip.range.size() == size {
        Ok(())
    } else {
        Err(StoreError::Corrupt {
            what: format!(
                "the records of {} do not have the root of its row",
                head.tenant
            ),
        })
    }
}

fn fold(
    stored: &StoredRecord,
    chain: &mut ChainTip,
    loaded: &mut Loaded,
) -> Result<(), StoreError> {
    let corrupt = |why: String| StoreError::Corrupt {
        what: format!("record {}: {why}", stored.sequence),
    };
    let record =
        Record::parse_canonical(&stored.line).map_err(|error| corrupt(error.to_string()))?;
    chain
        .follow(&record)
        .map_err(|error| corrupt(error.to_string()))?;
    let event = record.event().map_err(|error| corrupt(error.to_string()))?;
    loaded
        .state
        .apply(&Applied {
            leaf: record.leaf,
            sequence: record.sequence,
            subject: &record.envelope.subject,
            actor: &record.envelope.actor,
            time: record.envelope.time,
            workspace: record.envelope.workspace.as_deref(),
            event: &event,
        })
        .map_err(|error| corrupt(error.to_string()))?;
    match &event {
        Event::LogOpened(opened) => loaded.tip.origin.clone_from(&opened.origin),
        Event::LogRestored(restored) => loaded.tip.origin.clone_from(&restored.origin),
        _ => {}
    }
    loaded.tip.range.push(record.leaf);
    loaded.tip.bytes += stored.line.len() as u64 + 1;
    evict_closed(&mut loaded.state);
    Ok(())
}

/// A start must not gather every case that was ever closed; they are found again when they are needed.
fn evict_closed(state: &mut State) {
    const CLOSED_KEPT_MAX: usize = 4096;
    if state.closed.len() > CLOSED_KEPT_MAX {
        state.closed.clear();
    }
}

/// Id and time of the last of so many records: asked of the record itself, as a writer's clock goes on after it.
async fn last_of(store: &dyn Store, head: &Head, size: u64) -> Result<(Uuid, Time), StoreError> {
    let Some(last) = size.checked_sub(1) else {
        return Ok((Uuid::nil(), Time::from_micros(0)));
    };
    let page = store
        .read(head.log, Span::From(last), 1, REPLAY_BYTES)
        .await?;
    let found = page
        .first()
        .and_then(|stored| Record::parse_canonical(&stored.line).ok())
        .map(|record| (record.id, record.envelope.time));
    found.ok_or_else(|| StoreError::Corrupt {
        what: format!("record {last} of {} is missing", head.tenant),
    })
}

/// Uses a snapshot only if it is this log's, made by this signer for this program, and the log still has its last leaf.
async fn from_snapshot(
    store: &dyn Store,
    head: &Head,
    signer: &dyn Signer,
    content: &[u8],
) -> Result<Loaded, StoreError> {
    let drop_it = |why: &str| {
        tracing::warn!(log.tenant = %head.tenant, snapshot.dropped = why, "the snapshot is of no use; every record is read");
        Ok(Loaded::start())
    };
    let snapshot = match snapshot::decode(content, signer) {
        Ok(snapshot) => snapshot,
        Err(error) => return drop_it(&error.to_string()),
    };
    let size = snapshot.range.size();
    let Some(last) = size.checked_sub(1).filter(|_| size <= head.range.size()) else {
        return drop_it("it is ahead of the log");
    };
    if store.leaves(head.log, last, 1).await?.first() != Some(&snapshot.leaf) {
        return drop_it("the log has another record there");
    }
    let tip = Tip {
        origin: snapshot.origin,
        range: snapshot.range,
        bytes: snapshot.bytes,
        leaf: snapshot.leaf,
        ids: Ids::after(Uuid::nil()),
    };
    Ok(Loaded {
        state: snapshot.state,
        tip,
        time: Time::from_micros(0),
        from: size,
    })
}

/// The compact range of a log at a size it once had, from the hashes in the store.
pub(crate) async fn range_at(
    store: &dyn Store,
    head: &Head,
    size: u64,
) -> Result<CompactRange, StoreError> {
    let nodes = probity_schemas::tree::range_nodes(size);
    let mut hashes = Vec::with_capacity(nodes.len());
    for node in nodes {
        hashes.push(crate::proof::node_hash(store, head.log, node).await?);
    }
    CompactRange::from_parts(size, hashes).map_err(|error| StoreError::Corrupt {
        what: error.to_string(),
    })
}
