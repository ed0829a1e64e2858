//! What goes on beside the writers: the lease, the guard, tiles, seals, witnesses, time-stamps, forgotten idempotency keys and uploads, keys of erased persons.
//!
//! None of it holds up an append, and all of it may fail and be tried again.

use crate::guard::GuardError;
use crate::ledger::{Inner, Ledger};
use crate::limits::{
    HEARTBEAT_SECONDS, IDEMPOTENCY_DAYS, SEAL_LOOK_SECONDS, STAMP_LOOK_SECONDS, TILE_ROUNDS_A_BEAT,
};
use std::sync::{Arc, PoisonError, Weak};
use std::time::Duration;

/// How often old idempotency keys are looked for.
const FORGET_SECONDS: u64 = 600;

/// Starts the tasks; they end with the ledger.
pub(crate) fn start(ledger: &Ledger) {
    let inner = &ledger.0;
    let lease = tokio::spawn(inner.lease.clone().keep(Arc::clone(&inner.store)));
    let watch = tokio::spawn(every(
        Duration::from_secs(HEARTBEAT_SECONDS),
        Arc::downgrade(inner),
        Chore::GuardAndTiles,
    ));
    let forget = tokio::spawn(every(
        Duration::from_secs(FORGET_SECONDS),
        Arc::downgrade(inner),
        Chore::Forget,
    ));
    let witness = inner.config.witnesses.as_ref().map(|witnesses| {
        tokio::spawn(every(
            witnesses.period(),
            Arc::downgrade(inner),
            Chore::Witness,
        ))
    });
    let stamp = inner.config.authority.as_ref().map(|_| {
        tokio::spawn(every(
            Duration::from_secs(STAMP_LOOK_SECONDS),
            Arc::downgrade(inner),
            Chore::Stamp,
        ))
    });
    let seal = tokio::spawn(every(
        Duration::from_secs(SEAL_LOOK_SECONDS),
        Arc::downgrade(inner),
        Chore::Seal,
    ));
    inner
        .tasks
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .extend(
            [lease, watch, forget, seal]
                .into_iter()
                .chain(witness)
                .chain(stamp),
        );
}

#[derive(Clone, Copy)]
enum Chore {
    GuardAndTiles,
    Forget,
    Witness,
    Stamp,
    Seal,
}

async fn every(period: Duration, inner: Weak<Inner>, chore: Chore) {
    let mut tick = tokio::time::interval(period);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        let Some(inner) = inner.upgrade() else { return };
        match chore {
            Chore::GuardAndTiles => {
                keep_guard(&inner).await;
                write_tiles(&inner).await;
            }
            Chore::Forget => {
                forget(&inner).await;
                forget_persons(&inner).await;
                crate::upload::sweep(&inner, None).await;
            }
            Chore::Witness => crate::witness::gather::gather_all(&inner).await,
            Chore::Stamp => crate::timestamping::stamp_due(&inner).await,
            Chore::Seal => Ledger(inner).seal_due().await,
        }
    }
}

/// Keeps the newest checkpoint of every log whose key is here, owned or not.
pub(crate) async fn keep_guard(inner: &Inner) {
    let heads = match inner.store.heads().await {
        Ok(heads) => heads,
        Err(error) => {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the guard could not be written"
            );
            return;
        }
    };
    for head in heads {
        if head.checkpoint.is_empty() {
            continue;
        }
        match inner.guard.keep(&head.tenant, &head.checkpoint) {
            Ok(()) | Err(GuardError::NotHeld) => {}
            Err(error) => {
                tracing::error!(log.tenant = %head.tenant, error = &error as &dyn std::error::Error, "the guard was not written");
            }
        }
    }
}

/// Writes what is missing of the logs' tiles, or much of it: a proof where tiles are missing reads thousands of leaves.
async fn write_tiles(inner: &Inner) {
    for tenant in inner.owned() {
        for _ in 0..TILE_ROUNDS_A_BEAT {
            let written = match inner.store.head(&tenant).await {
                Ok(Some(head)) => crate::proof::write_tiles(&*inner.store, &head).await,
                Ok(None) => Ok(0),
                Err(error) => Err(error),
            };
            match written {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(log.tenant = %tenant, error = &error as &dyn std::error::Error, "tiles were not written");
                    break;
                }
            }
        }
    }
}

async fn forget(inner: &Inner) {
    let before = inner
        .clock
        .now()
        .plus_seconds(-IDEMPOTENCY_DAYS * 24 * 3600);
    if let Err(error) = inner.store.forget_idempotency(before.micros()).await {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "old idempotency keys were not forgotten"
        );
    }
}

/// Ends erasures that were recorded and whose keys, or whose attachments' bytes in files of the store, are still there.
async fn forget_persons(inner: &Inner) {
    if let Err(error) = inner.store.overwrite_deleted().await {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "what was deleted may be in the store's files still"
        );
    }
    if let Err(error) = crate::personal::finish_erasures(inner).await {
        tracing::error!(
            error = &error as &dyn std::error::Error,
            "keys of erased persons may be there still"
        );
    }
}
