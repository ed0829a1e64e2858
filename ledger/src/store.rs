//! What the ledger asks of a database: one durable, fenced append, and reads.
//!
//! A store is trusted for nothing about integrity: whatever it changes, a judge names. It is trusted to keep what it
//! said it kept. Two stand behind this trait, SQLite and PostgreSQL; every test of one runs on both. Which records to
//! append, and what they say, is not decided here.

mod attachments;
mod error;
#[doc(hidden)]
pub mod faulty;
mod kept;
mod limits;
mod lock;
pub mod postgres;
mod rows;
pub mod sqlite;
mod url;

pub use attachments::{
    Attachment, AttachmentStore, ErasedAttachment, KeptAttachment, Leftovers, NamedAttachment,
    NewUpload, UploadNumber,
};
pub use error::{AppendError, StoreError, is_away};
pub use kept::{KeptCosignature, KeptTimestamp, PersonToken, SealedDisclosure};
pub use lock::FileLock;
pub use url::DatabaseUrl;

use async_trait::async_trait;
use probity_schemas::hash::Hash;
use probity_schemas::subject::Tenant;
use probity_schemas::tree::CompactRange;
use std::ops::Range;
use std::sync::Arc;

/// A log's number inside one store: the key of every row.
pub type LogNumber = i64;

/// The log's row: what the next append compares with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The log's number in this store.
    pub log: LogNumber,
    /// Its tenant.
    pub tenant: Tenant,
    /// Hash of the tree's leaves; size and root follow from it.
    pub range: CompactRange,
    /// Sum of the bytes of all lines, line feeds included.
    pub bytes: u64,
    /// Fencing token: grows by one with every take-over.
    pub epoch: i64,
    /// The newest checkpoint, a signed note; empty before record 0.
    pub checkpoint: String,
}

/// A record as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRecord {
    /// Its position.
    pub sequence: u64,
    /// Its leaf hash.
    pub leaf: Hash,
    /// Its line, without the line feed.
    pub line: Arc<[u8]>,
}

/// The newest record of a subject among some records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubjectEntry {
    /// The subject.
    pub subject: String,
    /// The record's position in the subject's stream.
    pub revision: u64,
    /// The record's position in the log.
    pub sequence: u64,
    /// The record's leaf hash.
    pub leaf: Hash,
}

/// A record to be appended, with what the indexes need.
#[derive(Clone, Debug)]
pub struct NewRecord {
    /// Its line, without the line feed.
    pub line: Arc<[u8]>,
    /// Its leaf hash.
    pub leaf: Hash,
    /// Its subject.
    pub subject: String,
    /// Its position in the subject's stream.
    pub revision: u64,
    /// Its time, microseconds since the epoch.
    pub time_micros: i64,
}

/// A second name that from now on leads to a subject. A later one takes its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAlias {
    /// The name.
    pub alias: String,
    /// What it leads to.
    pub subject: String,
}

/// An idempotency row: the answer to a request, kept so that a retry gets it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyRow {
    /// Scope and key, as one text (log apart): actor, operation, key.
    pub key: String,
    /// Keyed BLAKE3 of the request's body.
    pub fingerprint: [u8; 32],
    /// First record of the answer.
    pub first: u64,
    /// How many records; 0 when the answer recorded nothing.
    pub count: u64,
    /// When it was written, microseconds since the epoch.
    pub time_micros: i64,
    /// What the answer said besides its records (an encoding the caller chooses).
    pub reply: String,
}

/// One append: everything in it becomes durable together, or nothing of it.
#[derive(Clone, Debug)]
pub struct Append {
    /// The row the writer saw: the append happens only if log, size, root and epoch are still these.
    pub expected: Head,
    /// The row after it.
    pub next: Head,
    /// The records, in order; the first has sequence `expected.range.size()`.
    pub records: Vec<NewRecord>,
    /// Second names.
    pub aliases: Vec<NewAlias>,
    /// Idempotency rows.
    pub idempotency: Vec<IdempotencyRow>,
    /// Attachments; one that is there already is left as it is.
    pub attachments: Vec<Attachment>,
    /// Sealed disclosures.
    pub disclosures: Vec<SealedDisclosure>,
    /// Persons whose disclosures are deleted, those of this append not among them; kept, so that their keys can be destroyed.
    pub erased: Vec<PersonToken>,
    /// Attachments whose content is deleted, after what is named was looked for and before what comes is kept; that they were is kept.
    pub erased_attachments: Vec<ErasedAttachment>,
    /// Whether the row's checkpoint after it is kept for good.
    pub keep_checkpoint: bool,
    /// Attachments that its records name and that must be there whole, each once; from now on they are kept for good.
    pub named: Vec<NamedAttachment>,
}

/// What a store is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// To read, also beside a process that writes; whatever would write is refused.
    Read,
    /// To write; the schema is brought up to date first.
    Write,
}

/// Which records of a log to read.
#[derive(Clone, Copy, Debug)]
pub enum Span<'a> {
    /// From this sequence on.
    From(u64),
    /// Of one subject, from this revision on.
    Subject(&'a str, u64),
    /// Not before this time (microseconds since the epoch), from this sequence on.
    Since(i64, u64),
}

/// Who owns a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The node's id.
    pub node: String,
    /// Where it takes requests, e.g. `127.0.0.1:8080`.
    pub address: String,
    /// Whether its lease holds, by the store's own clock.
    pub alive: bool,
    /// The log's epoch.
    pub epoch: i64,
}

/// Opens the database of that name.
///
/// # Errors
/// [`StoreError::Locked`] when another process writes to the file, [`StoreError::NotDurable`] when the server may lose what it
/// said it kept, and whatever the database says.
pub async fn open(url: &DatabaseUrl, mode: Mode) -> Result<Arc<dyn Store>, StoreError> {
    match &url.0 {
        url::Kind::Sqlite(path) => Ok(Arc::new(sqlite::SqliteStore::open(path, mode).await?)),
        url::Kind::Postgres(options) => {
            let options = options.as_ref().clone();
            Ok(Arc::new(
                postgres::PostgresStore::open(options, mode).await?,
            ))
        }
    }
}

/// A database that keeps logs.
///
/// Promises. After `append` answered `Ok` the records, the row and everything else in the [`Append`] survive the loss of
/// power. Appends to one log never overlap; appends to several may share a commit. A reader sees whole appends only.
/// Everything may be called by many at once. Dropping a call does not take back what it asked for: whether it was done is
/// then unknown. Texts hold no NUL. Nothing here is to be used to make a decision: that is for the writer's state.
#[async_trait]
pub trait Store: AttachmentStore {
    /// The durability in force, for people: e.g. `sqlite WAL synchronous=FULL`.
    fn durability(&self) -> String;

    /// Every log in the store.
    async fn heads(&self) -> Result<Vec<Head>, StoreError>;

    /// One log's row; `None` when the tenant has no log.
    async fn head(&self, tenant: &Tenant) -> Result<Option<Head>, StoreError>;

    /// Makes the row of a log that has no record yet; the row that is there when somebody was faster.
    async fn create(&self, tenant: &Tenant) -> Result<Head, StoreError>;

    /// Appends, durably, exactly once or not at all. An alias or an idempotency key that is there already is replaced.
    ///
    /// After [`AppendError::Unknown`] the writer must [`claim`](Store::claim) the log and go by the row that gives: an append that
    /// was still under way is then done or fenced off. [`Store::head`] alone does not fence it.
    async fn append(&self, append: Append) -> Result<(), AppendError>;

    /// Reads records in order of sequence (of revision, for a subject), at most `limit`, and no more once
    /// their lines have reached `bytes_max`; at least one when there is one and `limit` is not 0.
    async fn read(
        &self,
        log: LogNumber,
        span: Span<'_>,
        limit: u32,
        bytes_max: usize,
    ) -> Result<Vec<StoredRecord>, StoreError>;

    /// Leaf hashes of `count` records from `first` on, in order; fewer at the end of the log.
    async fn leaves(&self, log: LogNumber, first: u64, count: u32)
    -> Result<Vec<Hash>, StoreError>;

    /// The newest record of each subject asked for: revision and leaf hash.
    async fn subject_heads(
        &self,
        log: LogNumber,
        subjects: &[String],
    ) -> Result<Vec<Option<(u64, Hash)>>, StoreError>;

    /// The newest record of each subject among `records` (by sequence), in byte order of subject, after a subject, at most
    /// `limit`.
    async fn subjects(
        &self,
        log: LogNumber,
        records: Range<u64>,
        after: &str,
        limit: u32,
    ) -> Result<Vec<SubjectEntry>, StoreError>;

    /// What each alias leads to.
    async fn aliases(
        &self,
        log: LogNumber,
        aliases: &[String],
    ) -> Result<Vec<Option<String>>, StoreError>;

    /// The idempotency row of each key asked for.
    async fn idempotency(
        &self,
        log: LogNumber,
        keys: &[String],
    ) -> Result<Vec<Option<IdempotencyRow>>, StoreError>;

    /// Forgets idempotency rows written before a time (microseconds since the epoch), at most 10,000; how many went.
    async fn forget_idempotency(&self, before_micros: i64) -> Result<u64, StoreError>;

    /// Sealed disclosures of records before `end`, in order of sequence and place, after (sequence, place), at most `limit`.
    async fn disclosures(
        &self,
        log: LogNumber,
        after: Option<(u64, u32)>,
        end: u64,
        limit: u32,
    ) -> Result<Vec<SealedDisclosure>, StoreError>;

    /// How many disclosures of a person there are.
    async fn disclosures_of(&self, log: LogNumber, person: PersonToken) -> Result<u64, StoreError>;

    /// Persons that were erased in any log, in byte order, after this one, at most `limit`.
    async fn erased(&self, after: PersonToken, limit: u32) -> Result<Vec<PersonToken>, StoreError>;

    /// Keeps a cosignature, durably and for good; one of this witness at this size that is there is left as it is.
    async fn put_cosignature(
        &self,
        log: LogNumber,
        kept: &KeptCosignature,
    ) -> Result<(), StoreError>;

    /// The cosignatures of a log under this origin, largest size first, then by witness, at most `limit`.
    async fn newest_cosignatures(
        &self,
        log: LogNumber,
        origin: &str,
        limit: u32,
    ) -> Result<Vec<KeptCosignature>, StoreError>;

    /// Keeps a time-stamp, durably and for good; one at this size that is there is left as it is.
    async fn put_timestamp(&self, log: LogNumber, kept: &KeptTimestamp) -> Result<(), StoreError>;

    /// The time-stamps of a log under this origin over fewer than `size` records, largest size first, at most `limit`.
    async fn timestamps_before(
        &self,
        log: LogNumber,
        origin: &str,
        size: u64,
        limit: u32,
    ) -> Result<Vec<KeptTimestamp>, StoreError>;

    /// Checkpoints that were kept with their append, of sizes above `after`, in order of size, at most `limit`.
    async fn kept_checkpoints(
        &self,
        log: LogNumber,
        after: u64,
        limit: u32,
    ) -> Result<Vec<(u64, String)>, StoreError>;

    /// Keeps a snapshot of the writer's state in place of the one before.
    async fn put_snapshot(
        &self,
        log: LogNumber,
        size: u64,
        content: &[u8],
    ) -> Result<(), StoreError>;

    /// The snapshot, if there is one.
    async fn snapshot(&self, log: LogNumber) -> Result<Option<Vec<u8>>, StoreError>;

    /// Keeps full tiles (level, index, 8192 bytes of hashes); one that is there is left as it is.
    async fn put_tiles(
        &self,
        log: LogNumber,
        tiles: &[(u8, u64, Vec<u8>)],
    ) -> Result<(), StoreError>;

    /// Each tile asked for, by level and index.
    async fn tiles(
        &self,
        log: LogNumber,
        wanted: &[(u8, u64)],
    ) -> Result<Vec<Option<Vec<u8>>>, StoreError>;

    /// How many full tiles of a level are kept without a gap from 0.
    async fn tile_count(&self, log: LogNumber, level: u8) -> Result<u64, StoreError>;

    /// Renews this node's lease for `seconds` by the store's clock. `false`: it had run out (or was never begun) and was not
    /// renewed; the node must drop all it owns and call [`Store::rejoin`].
    async fn renew(&self, node: &str, address: &str, seconds: u32) -> Result<bool, StoreError>;

    /// Begins a new lease, e.g. at start.
    async fn rejoin(&self, node: &str, address: &str, seconds: u32) -> Result<(), StoreError>;

    /// Takes a log, durably: gives its row with `epoch + 1` when nobody owns it, the owner's lease has run out, or the owner is
    /// this node; `None` when somebody else holds it, or there is no such log. From then on an append that expects an
    /// older epoch is a conflict.
    async fn claim(&self, tenant: &Tenant, node: &str) -> Result<Option<Head>, StoreError>;

    /// Gives all this node's logs up at a graceful stop, and ends its lease.
    async fn release(&self, node: &str) -> Result<(), StoreError>;

    /// Who owns a log.
    async fn owner(&self, tenant: &Tenant) -> Result<Option<Owner>, StoreError>;

    /// Closes the store after what it was given is done.
    async fn close(&self);
}
