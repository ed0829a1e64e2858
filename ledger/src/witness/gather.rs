//! What is done for a log with its witnesses: gather cosignatures, refuse to sign where one has evidence, tell how it stands.

use super::ask::{Given, Question};
use super::{WitnessError, Witnesses};
use crate::cosigned::{CosignedCheckpoint, Witnessed, origin_of};
use crate::error::SubmitError;
use crate::guard::GuardError;
use crate::ledger::{Inner, Ledger};
use crate::limits::WITNESS_ROWS_MAX;
use crate::store::{Head, StoreError};
use futures_util::future::join_all;
use probity_schemas::subject::Tenant;
use probity_schemas::vkey::VerifierKey;

/// Whom to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whom {
    /// Those that have not cosigned this checkpoint, as far as is known, and were not silent just now.
    Behind,
    /// Those that have not cosigned this checkpoint, as far as is known.
    BehindOrSilent,
    /// Everybody but the silent: what a witness knows is asked for, not its cosignature.
    All,
}

/// How the witnessing of a log stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WitnessingReport {
    /// Records of the log.
    pub size: u64,
    /// How far witnesses cosigned it.
    pub witnessed: Witnessed,
    /// Whether those make the quorum of the policy.
    pub quorum: bool,
    /// Why nothing is signed, if a witness has evidence against the log.
    pub refusal: Option<String>,
    /// Each witness of the policy.
    pub witnesses: Vec<WitnessReport>,
}

/// What is known of one witness.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WitnessReport {
    /// Its name in the policy.
    pub name: String,
    /// Its key.
    pub key: String,
    /// Where it is asked; one without a url is not.
    pub url: Option<String>,
    /// The newest size it cosigned and the time it gave, in seconds since the epoch, since this server started.
    pub cosigned: Option<(u64, u64)>,
    /// Why it did not cosign the last time.
    pub failure: Option<String>,
}

impl Ledger {
    /// Has the newest checkpoint cosigned, by those who did not do so yet, and gives the newest cosigned one if it covers all
    /// records that were there when this was called. `None` without witnesses, or when none of them cosigned it.
    ///
    /// # Errors
    /// [`StoreError`]; a witness that does not cosign is no error.
    pub async fn witness(&self, tenant: &Tenant) -> Result<Option<CosignedCheckpoint>, StoreError> {
        let (Some(head), Some(_)) = (
            self.0.store.head(tenant).await?,
            self.0.config.witnesses.as_ref(),
        ) else {
            return Ok(None);
        };
        gather(&self.0, &head, Whom::BehindOrSilent).await;
        let reader = self.reader();
        let Some(now) = reader.log(tenant).await? else {
            return Ok(None);
        };
        let newest = reader.cosigned(&now).await?;
        Ok(newest.filter(|newest| newest.size >= head.range.size()))
    }

    /// How witnessing stands; `None` without such a log.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn witnessing(
        &self,
        tenant: &Tenant,
    ) -> Result<Option<WitnessingReport>, StoreError> {
        let reader = self.reader();
        let Some(log) = reader.log(tenant).await? else {
            return Ok(None);
        };
        let newest = reader.cosigned(&log).await?;
        let witnesses = self.0.config.witnesses.as_ref();
        let quorum = |newest: &CosignedCheckpoint| {
            witnesses.is_some_and(|witnesses| witnesses.is_quorum(newest))
        };
        Ok(Some(WitnessingReport {
            size: log.size,
            witnessed: Witnessed::of(newest.as_ref(), log.size),
            quorum: newest.as_ref().is_some_and(quorum),
            refusal: witnesses.and_then(|witnesses| witnesses.refusal(tenant)),
            witnesses: witnesses.map_or_else(Vec::new, |witnesses| witnesses.reports(tenant)),
        }))
    }
}

impl Witnesses {
    fn is_quorum(&self, newest: &CosignedCheckpoint) -> bool {
        let keys = self.policy.witnesses().iter().map(|witness| &witness.key);
        let cosigned: Vec<_> = keys
            .filter(|key| newest.witnesses.contains(&key_name(key)))
            .collect();
        self.policy.is_satisfied_by(&cosigned)
    }

    fn reports(&self, tenant: &Tenant) -> Vec<WitnessReport> {
        let numbered = self.policy.witnesses().iter().enumerate();
        numbered
            .map(|(at, witness)| {
                let last = self.last(tenant, at);
                WitnessReport {
                    name: witness.name.clone(),
                    key: witness.key.to_string(),
                    url: witness.url.clone(),
                    cosigned: last.cosigned,
                    failure: last.failure.map(|failure| failure.to_string()),
                }
            })
            .collect()
    }
}

/// Has the checkpoints of all logs that this node writes cosigned, where they moved.
pub(crate) async fn gather_all(inner: &Inner) {
    for tenant in inner.owned() {
        match inner.store.head(&tenant).await {
            Ok(Some(head)) => drop(gather(inner, &head, Whom::Behind).await),
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(log.tenant = %tenant, error = &error as &dyn std::error::Error, "the log could not be witnessed");
            }
        }
    }
}

/// The second guard: before a log is signed, no witness that answers may have seen more of it, or something else.
pub(crate) async fn check(inner: &Inner, head: &Head) -> Result<(), SubmitError> {
    if head.range.size() == 0 {
        return Ok(());
    }
    match gather(inner, head, Whom::All).await {
        Some(why) => Err(SubmitError::ReadOnly { why }),
        None => Ok(()),
    }
}

/// Asks for cosignatures of this head and keeps them; why the log must not be signed, where a witness shows it.
async fn gather(inner: &Inner, head: &Head, whom: Whom) -> Option<String> {
    let witnesses = inner.config.witnesses.as_ref()?;
    if head.range.size() == 0 || !keep_guard(inner, head) {
        return None;
    }
    let size = head.range.size();
    let kept = match kept_sizes(inner, head).await {
        Ok(kept) => kept,
        Err(error) => {
            tracing::warn!(log.tenant = %head.tenant, error = &error as &dyn std::error::Error, "cosignatures could not be read");
            return None;
        }
    };
    let exchanges = witnesses.with_url().filter_map(|(at, witness, prefix)| {
        let name = key_name(&witness.key);
        let known = kept
            .iter()
            .find(|(key, _)| *key == name)
            .map_or(0, |(_, size)| *size);
        let known = known.max(
            witnesses
                .last(&head.tenant, at)
                .cosigned
                .map_or(0, |(size, _)| size),
        );
        let wanted = match whom {
            Whom::Behind => known < size && !witnesses.is_silent(at),
            Whom::BehindOrSilent => known < size,
            Whom::All => !witnesses.is_silent(at),
        };
        let question = Question {
            store: &*inner.store,
            head,
            witness,
            prefix,
        };
        wanted.then_some(async move { (at, question.ask(&*witnesses.courier, known).await) })
    });
    let mut evidence = None;
    for (at, outcome) in join_all(exchanges).await {
        if let Some(error) = settle(inner, witnesses, head, at, outcome).await {
            evidence = evidence.or(Some(error));
        }
    }
    evidence
}

/// Keeps what a witness gave, or notes why it did not. Evidence against the log stops its writer.
async fn settle(
    inner: &Inner,
    witnesses: &Witnesses,
    head: &Head,
    at: usize,
    outcome: Result<Given, WitnessError>,
) -> Option<String> {
    let name = witnesses
        .policy
        .witnesses()
        .get(at)
        .map_or("", |witness| &witness.name);
    let outcome = match outcome {
        Ok(given) => match inner.store.put_cosignature(head.log, &given.kept).await {
            Ok(()) => Ok((given.kept.size, given.time)),
            Err(error) => Err(WitnessError::Log {
                why: error.to_string(),
            }),
        },
        Err(error) => Err(error),
    };
    witnesses.note(&head.tenant, at, outcome.clone());
    let Err(error) = outcome else {
        metrics::counter!("probity_ledger_cosignatures_total").increment(1);
        return None;
    };
    metrics::counter!("probity_ledger_witness_failures_total").increment(1);
    if !error.is_evidence() || is_behind_the_log(inner, head, &error).await {
        tracing::warn!(log.tenant = %head.tenant, witness.name = name, error = &error as &dyn std::error::Error, "a witness did not cosign");
        return None;
    }
    let why = format!(
        "witness {name}: {error}; put the right database back and start again, or take the witness out of the policy file if it is wrong"
    );
    tracing::error!(log.tenant = %head.tenant, witness.name = name, why, "a witness has evidence against this log: it is not signed any more");
    metrics::counter!("probity_ledger_witness_evidence_total").increment(1);
    witnesses.refuse(&head.tenant, why.clone());
    Some(why)
}

/// Whether the log grew past what the witness saw while it was asked, so that it is no evidence: another node had it cosign.
async fn is_behind_the_log(inner: &Inner, asked: &Head, error: &WitnessError) -> bool {
    let WitnessError::Ahead { seen, .. } = error else {
        return false;
    };
    let now = inner.store.head(&asked.tenant).await;
    matches!(now, Ok(Some(now)) if now.range.size() >= *seen)
}

/// A checkpoint is durable in the guard before anybody else sees it.
pub(crate) fn keep_guard(inner: &Inner, head: &Head) -> bool {
    match inner.guard.keep(&head.tenant, &head.checkpoint) {
        Ok(()) => true,
        Err(GuardError::NotHeld) => false,
        Err(error) => {
            tracing::error!(log.tenant = %head.tenant, error = &error as &dyn std::error::Error, "the guard was not written, and no witness is asked");
            false
        }
    }
}

/// The newest size that each witness cosigned, as the store has it.
async fn kept_sizes(inner: &Inner, head: &Head) -> Result<Vec<(String, u64)>, StoreError> {
    let origin = origin_of(&head.checkpoint)?;
    let rows = inner
        .store
        .newest_cosignatures(head.log, &origin, WITNESS_ROWS_MAX)
        .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.witness, row.size))
        .collect())
}

fn key_name(key: &VerifierKey) -> String {
    format!("{}+{}", key.name(), key.id())
}
