//! Taking a log: claim, key, load, guard, settings; or making one, with its key and record 0.

use crate::clock::Timekeeper;
use crate::config::EnvironmentCredential;
use crate::error::SubmitError;
use crate::guard::GuardError;
use crate::history::{load_signed, unusable};
use crate::ids::EntropyError;
use crate::ledger::{Handle, Inner, Published};
use crate::limits::QUEUE_RETRY_SECONDS;
use crate::load::Loaded;
use crate::log::Log;
use crate::pipeline::walk;
use crate::recent::Recent;
use crate::seal::Tip;
use crate::signer::{FileSigner, Signer};
use crate::store::{Head, StoreError};
use crate::witness;
use crate::writer;
use probity_governance::command::Operation;
use probity_governance::engine::ENGINE;
use probity_schemas::bundle::FORMAT;
use probity_schemas::event::log::{LogOpened, SettingChanged};
use probity_schemas::event::registry::CredentialIssued;
use probity_schemas::subject::Tenant;
use std::path::Path;
use std::sync::Arc;
use thiserror::Error;
use tokio::sync::{mpsc, watch};
use zeroize::Zeroizing;

/// What the key of idempotency fingerprints is derived for.
const FINGERPRINT_CONTEXT: &str = "probity 2026-11 idempotency fingerprint";

/// What the key of digests of chosen secrets is derived for.
const SECRET_CONTEXT: &str = "probity 2026-11 environment secret digest";

/// Why a ledger was not opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The store.
    #[error("the store could not be opened")]
    Store(#[from] StoreError),
    /// The data directory.
    #[error("the data directory cannot be used")]
    Data(#[from] std::io::Error),
    /// No random numbers.
    #[error("no node id could be made")]
    Entropy(#[from] EntropyError),
}

/// A log that was taken.
pub(crate) struct Opened {
    pub handle: Handle,
}

/// Takes a log, or says who has it.
///
/// # Errors
/// [`SubmitError`].
pub(crate) async fn open_log(inner: &Inner, tenant: &Tenant) -> Result<Opened, SubmitError> {
    let term = inner.lease.term();
    if inner.store.head(tenant).await?.is_none() {
        return Err(SubmitError::NoLog);
    }
    let head = claim(inner, tenant).await?;
    let (signer, loaded) = if head.range.size() == 0 {
        let signer = first_signer(inner, tenant).await?;
        let tip = Tip::start(signer.verifier_key().name().to_owned());
        let start = Loaded {
            tip,
            ..Loaded::start()
        };
        (signer, start)
    } else {
        load_signed(&*inner.store, &inner.config.keys, &head).await?
    };
    inner
        .guard
        .check(&*inner.store, &head)
        .await
        .map_err(guarded)?;
    witness::gather::check(inner, &head).await?;
    let opening = head.range.size() == 0;
    let mut log = assemble(inner, tenant, head, loaded, Arc::clone(&signer));
    if opening {
        record_own(
            &mut log,
            Operation::OpenLog(Box::new(opened(tenant, &*signer)?)),
        )
        .await?;
    }
    seal_environment(inner, &mut log).await?;
    log.publish();
    Ok(Opened {
        handle: start(inner, log, term)?,
    })
}

async fn claim(inner: &Inner, tenant: &Tenant) -> Result<Head, SubmitError> {
    if let Some(head) = inner.store.claim(tenant, &inner.lease.node()).await? {
        return Ok(head);
    }
    match inner.store.owner(tenant).await? {
        Some(owner) if owner.alive && owner.node != inner.lease.node() => {
            Err(SubmitError::OwnedElsewhere {
                address: owner.address,
            })
        }
        _ => Err(SubmitError::NoOwner {
            retry_after_seconds: QUEUE_RETRY_SECONDS,
        }),
    }
}

pub(crate) fn assemble(
    inner: &Inner,
    tenant: &Tenant,
    head: Head,
    loaded: Loaded,
    signer: Arc<dyn Signer>,
) -> Log {
    let published = Published::of(&head, &loaded.state);
    Log {
        tenant: tenant.clone(),
        store: Arc::clone(&inner.store),
        signer,
        next_signer: None,
        keys: inner.config.keys.clone(),
        clock: Arc::clone(&inner.clock),
        lease: inner.lease.clone(),
        recent: Recent::since(head.range.size()),
        snapshot_size: loaded.from,
        head,
        state: loaded.state,
        tip: loaded.tip,
        time: Timekeeper::after(loaded.time, inner.agreed.clone()),
        poisoned: false,
        published: watch::channel(Arc::new(published)).0,
        changes: inner.changes.clone(),
    }
}

fn start(inner: &Inner, log: Log, term: u64) -> Result<Handle, SubmitError> {
    let _here = inner.runtime.enter();
    let (queue, waiting) = mpsc::channel(inner.config.queue_commands_max.max(1));
    Ok(Handle {
        log: log.head.log,
        queue,
        published: log.published.subscribe(),
        in_flight: crate::admit::InFlightKeys::default(),
        aliases: crate::aliases::Aliases::of(Arc::clone(&inner.store), log.head.log),
        fingerprint_key: fingerprint_key(&log)?,
        term,
        task: std::sync::Mutex::new(Some(tokio::spawn(writer::run(log, waiting)))),
    })
}

/// The key of idempotency fingerprints. It is the first key's, as long as that is here, so that a retry finds its first answer
/// across a rotation; one that is here and cannot be read is not passed over for another.
fn fingerprint_key(log: &Log) -> Result<Zeroizing<[u8; 32]>, SubmitError> {
    let first = log.state.directory.signers.first();
    let first = first.map(|term| FileSigner::named(&log.keys, &log.tenant, &term.key));
    let first = first.transpose().map_err(unusable)?.flatten();
    Ok(first.map_or_else(
        || log.signer.derive(FINGERPRINT_CONTEXT),
        |first| first.derive(FINGERPRINT_CONTEXT),
    ))
}

/// The key of a log that has no record yet; made when it is not there.
async fn first_signer(inner: &Inner, tenant: &Tenant) -> Result<Arc<dyn Signer>, SubmitError> {
    let keys = &inner.config.keys;
    if let Some(signer) = FileSigner::load(keys, tenant).map_err(unusable)? {
        return Ok(Arc::new(signer));
    }
    let origin = format!("{}/{tenant}", origin_name(inner).await?);
    Ok(Arc::new(
        FileSigner::create(keys, tenant, &origin).map_err(unusable)?,
    ))
}

/// The first part of every origin in this store: fixed by its first record.
async fn origin_name(inner: &Inner) -> Result<String, SubmitError> {
    for head in inner.store.heads().await? {
        if head.range.size() > 0 {
            let origin = crate::reader::opening(&*inner.store, head.log)
                .await?
                .origin;
            let name = origin.split('/').next().unwrap_or_default().to_owned();
            return match &inner.config.origin {
                Some(asked) if *asked != name => Err(SubmitError::ReadOnly {
                    why: format!(
                        "the origin is {name} since the first record, and {asked} is asked for"
                    ),
                }),
                _ => Ok(name),
            };
        }
    }
    match &inner.config.origin {
        Some(name) => Ok(name.clone()),
        None => {
            let mut bytes = [0u8; 4];
            getrandom::fill(&mut bytes).map_err(|error| entropy(error.into()))?;
            Ok(format!("probity-{:08x}.local", u32::from_be_bytes(bytes)))
        }
    }
}

fn opened(tenant: &Tenant, signer: &dyn Signer) -> Result<LogOpened, SubmitError> {
    let mut id = [0u8; 16];
    getrandom::fill(&mut id).map_err(|error| entropy(error.into()))?;
    Ok(LogOpened {
        engine: ENGINE,
        format: FORMAT,
        log_id: format!("{:032x}", u128::from_be_bytes(id)),
        origin: signer.verifier_key().name().to_owned(),
        signer: signer.verifier_key().to_string(),
        tenant: tenant.to_string(),
    })
}

/// Seals the configuration and the credentials of the environment where they differ from what is recorded.
async fn seal_environment(inner: &Inner, log: &mut Log) -> Result<(), SubmitError> {
    let directory = Arc::clone(&log.state.directory);
    for (name, value) in &inner.config.settings {
        if directory.settings.get(name) != value.as_ref() {
            let changed = SettingChanged {
                name: name.clone(),
                value: value.clone(),
            };
            record_own(log, Operation::ChangeSetting(changed)).await?;
        }
    }
    let Some(given) = &inner.config.credentials else {
        return Ok(());
    };
    let mine: Vec<&EnvironmentCredential> = given
        .iter()
        .filter(|credential| credential.tenant == log.tenant)
        .collect();
    for credential in &mine {
        let issued = environment_credential(credential, &*log.signer);
        let same = directory
            .credentials
            .get(&credential.id)
            .is_some_and(|known| {
                !known.revoked
                    && known.digest == issued.digest
                    && known.roles == issued.roles
                    && known.actor == issued.actor
            });
        if !same {
            record_own(
                log,
                Operation::IssueCredential(credential.id.clone(), Box::new(issued)),
            )
            .await?;
        }
    }
    for (id, known) in &directory.credentials {
        let gone =
            id.starts_with("environment-") && !mine.iter().any(|credential| credential.id == *id);
        if gone && !known.revoked {
            let why = Some("it is not in the environment any more".to_owned());
            record_own(log, Operation::RevokeCredential(id.clone(), why)).await?;
        }
    }
    Ok(())
}

/// The record of a secret that people chose: a digest under a key that only the signer's holder has.
fn environment_credential(
    credential: &EnvironmentCredential,
    signer: &dyn Signer,
) -> CredentialIssued {
    let key: Zeroizing<[u8; 32]> = signer.derive(SECRET_CONTEXT);
    CredentialIssued {
        actor: credential.actor.clone(),
        digest: blake3::keyed_hash(&key, credential.secret.as_bytes())
            .to_hex()
            .to_string(),
        method: credential.method,
        roles: credential.roles.clone(),
    }
}

/// Records one of the ledger's own commands, before the log takes any other.
pub(crate) async fn record_own(log: &mut Log, operation: Operation) -> Result<(), SubmitError> {
    let (admitted, receipt) = writer::internal(operation);
    walk(log, vec![admitted]).await?;
    receipt
        .await
        .unwrap_or(Err(SubmitError::NotRecorded))
        .map(drop)
}

/// The node's id, made once per data directory.
///
/// # Errors
/// [`OpenError`].
pub(crate) fn node_id(data: &Path) -> Result<String, OpenError> {
    let path = data.join("node");
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(text.trim().to_owned()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let id = crate::ids::salt()?.to_hex();
            let id = id.get(..32).unwrap_or_default().to_owned();
            std::fs::create_dir_all(data)?;
            std::fs::write(&path, &id)?;
            Ok(id)
        }
        Err(error) => Err(error.into()),
    }
}

fn guarded(error: GuardError) -> SubmitError {
    SubmitError::ReadOnly {
        why: error.to_string(),
    }
}

fn entropy(error: EntropyError) -> SubmitError {
    SubmitError::Unsealable(crate::seal::SealError::Entropy(error))
}
