//! Having checkpoints stamped with the time by an authority (RFC 3161): on a cadence, and before an export.
//!
//! A stamp shows that the log was this long at that time. What comes back is kept if it answers the request; whether its signature
//! holds, and whose it is, is for the auditor to judge, who brings the authority's certificate.

use crate::cosigned::origin_of;
use crate::courier::{Answer, Courier, CourierError, Letter};
use crate::ledger::{Inner, Ledger};
use crate::store::{Head, KeptTimestamp, StoreError};
use crate::witness::gather::keep_guard;
use probity_schemas::subject::Tenant;
use probity_schemas::timestamp::{Timestamp, TimestampError, request};
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;

/// The authority of a server's logs, and how it is asked.
#[derive(Debug)]
pub struct Authority {
    url: String,
    period: Duration,
    courier: Arc<dyn Courier>,
}

/// Why a checkpoint was not stamped.
#[derive(Debug, Error)]
pub enum StampError {
    /// There is no answer.
    #[error(transparent)]
    Courier(#[from] CourierError),
    /// It refuses.
    #[error("it answers {status}")]
    Refused {
        /// The status code.
        status: u16,
    },
    /// It answers with something else than was asked for.
    #[error("its answer is no time-stamp of the checkpoint")]
    Answer(#[from] TimestampError),
    /// No random bytes are to be had.
    #[error("no random bytes: {why}")]
    Random {
        /// What the system says.
        why: String,
    },
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] StoreError),
}

impl Authority {
    /// The authority at an address, asked once in a `period` about each log that moved.
    #[must_use]
    pub fn new(url: String, period: Duration, courier: Arc<dyn Courier>) -> Self {
        Self {
            url,
            period,
            courier,
        }
    }

    /// One stamp of a note.
    async fn stamp(&self, note: &str) -> Result<(Timestamp, Vec<u8>), StampError> {
        let mut nonce = [0; 16];
        getrandom::fill(&mut nonce).map_err(|error| StampError::Random {
            why: error.to_string(),
        })?;
        let letter = Letter {
            url: self.url.clone(),
            media_type: "application/timestamp-query",
            body: request(note.as_bytes(), nonce)?,
        };
        match self.courier.post(letter).await? {
            Answer { status: 200, body } => {
                let stamp = Timestamp::parse(&body)?;
                stamp.answers(note.as_bytes(), nonce)?;
                Ok((stamp, body))
            }
            Answer { status, .. } => Err(StampError::Refused { status }),
        }
    }
}

impl Ledger {
    /// Has the newest checkpoint stamped, if it is not yet. Without an authority, and where it does not answer, nothing is done: the
    /// log says so, and what was stamped before stays.
    ///
    /// # Errors
    /// [`StoreError`]; an authority that does not stamp is no error.
    pub async fn stamp(&self, tenant: &Tenant) -> Result<(), StoreError> {
        let Some(authority) = &self.0.config.authority else {
            return Ok(());
        };
        if let Some(head) = self.0.store.head(tenant).await? {
            settle(
                &head,
                stamp(&self.0, authority, &head, Duration::ZERO).await,
            );
        }
        Ok(())
    }
}

/// Has the checkpoints of all logs that this node writes stamped, where they moved and the last stamp is old enough.
pub(crate) async fn stamp_due(inner: &Inner) {
    let Some(authority) = &inner.config.authority else {
        return;
    };
    for tenant in inner.owned() {
        match inner.store.head(&tenant).await {
            Ok(Some(head)) => {
                settle(
                    &head,
                    stamp(inner, authority, &head, authority.period).await,
                );
            }
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(log.tenant = %tenant, error = &error as &dyn std::error::Error, "the log could not be stamped");
            }
        }
    }
}

fn settle(head: &Head, stamped: Result<bool, StampError>) {
    match stamped {
        Ok(false) => {}
        Ok(true) => metrics::counter!("probity_ledger_timestamps_total").increment(1),
        Err(error) => {
            metrics::counter!("probity_ledger_timestamp_failures_total").increment(1);
            tracing::warn!(log.tenant = %head.tenant, error = &error as &dyn std::error::Error, "the authority did not stamp the checkpoint");
        }
    }
}

/// Stamps this head, unless it is stamped, or another stamp is younger than `age`; whether it did.
async fn stamp(
    inner: &Inner,
    authority: &Authority,
    head: &Head,
    age: Duration,
) -> Result<bool, StampError> {
    let size = head.range.size();
    if size == 0 {
        return Ok(false);
    }
    let origin = origin_of(&head.checkpoint)?;
    let newest = inner
        .store
        .timestamps_before(head.log, &origin, size + 1, 1)
        .await?;
    if let Some(newest) = newest.first() {
        let since = inner
            .clock
            .now()
            .micros()
            .saturating_sub(newest.time.micros());
        let since = Duration::from_micros(u64::try_from(since).unwrap_or(0));
        if newest.size == size || since < age {
            return Ok(false);
        }
    }
    if !keep_guard(inner, head) {
        return Ok(false);
    }
    let (stamp, reply) = authority.stamp(&head.checkpoint).await?;
    let kept = KeptTimestamp {
        origin,
        size,
        time: stamp.time,
        checkpoint: head.checkpoint.clone(),
        reply,
    };
    inner.store.put_timestamp(head.log, &kept).await?;
    Ok(true)
}
