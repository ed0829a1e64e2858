//! The one writer of a log: it drains its queue into a batch, walks the batch, and starts again.
//!
//! While a batch is being made durable the next one gathers in the queue; batches size themselves. The queue is bounded and
//! refuses at the door, so nobody waits without a bound.

use crate::admit::{Admitted, Lookups};
use crate::limits::{BATCH_BYTES_MAX, BATCH_COMMANDS_MAX, BATCH_RECORDS_MAX, HEARTBEAT_SECONDS};
use crate::log::Log;
use crate::pipeline::walk;
use probity_governance::command::{Command, Operation};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// Runs until the queue is closed and empty, the lease was lost, or an invariant broke.
pub(crate) async fn run(mut log: Log, mut queue: mpsc::Receiver<Admitted>) {
    let term = log.lease.term();
    let mut tick = tokio::time::interval(Duration::from_secs(HEARTBEAT_SECONDS));
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let batch = tokio::select! {
            biased;
            first = queue.recv() => match first {
                Some(first) => gather(first, &mut queue),
                None => break,
            },
            _ = tick.tick() => due(&log).into_iter().collect(),
        };
        if log.lease.term() != term {
            tracing::warn!(log.tenant = %log.tenant, "the log is given up with the lease");
            refuse(batch);
            break;
        }
        if batch.is_empty() {
            continue;
        }
        if log.poisoned && log.reload().await.is_err() {
            refuse(batch);
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        }
        if let Err(error) = walk(&mut log, batch).await {
            tracing::error!(log.tenant = %log.tenant, error = &error as &dyn std::error::Error, "the writer stops");
            break;
        }
        log.snapshot(false).await;
    }
    queue.close();
    while let Some(waiting) = queue.recv().await {
        refuse(vec![waiting]);
    }
    if log.lease.holds() && log.lease.term() == term {
        log.snapshot(true).await;
    }
}

/// What is in the queue, up to the size of a batch.
fn gather(first: Admitted, queue: &mut mpsc::Receiver<Admitted>) -> Vec<Admitted> {
    let (mut records, mut bytes) = weight(&first.command.operation);
    let mut batch = vec![first];
    while records < BATCH_RECORDS_MAX && bytes < BATCH_BYTES_MAX && batch.len() < BATCH_COMMANDS_MAX
    {
        let Ok(next) = queue.try_recv() else { break };
        let (more_records, more_bytes) = weight(&next.command.operation);
        (records, bytes) = (records + more_records, bytes + more_bytes);
        batch.push(next);
    }
    metrics::histogram!("probity_ledger_batch_commands")
        .record(u32::try_from(batch.len()).unwrap_or(u32::MAX));
    batch
}

/// About how many records and bytes a command will make.
fn weight(operation: &Operation) -> (usize, usize) {
    const RECORD_BYTES: usize = 1024;
    match operation {
        Operation::Observe(all) => (
            all.len(),
            all.iter()
                .map(|one| RECORD_BYTES + one.body.as_str().len())
                .sum(),
        ),
        Operation::RequestDecision(asked) => (
            1,
            2 * RECORD_BYTES
                + asked
                    .request
                    .context
                    .as_ref()
                    .map_or(0, |context| context.as_str().len()),
        ),
        // Nothing follows it in its batch, so that its checkpoint covers it and no later record.
        Operation::RotateSigner { .. } => (BATCH_RECORDS_MAX, RECORD_BYTES),
        _ => (2, 2 * RECORD_BYTES),
    }
}

/// A command of the ledger's own when something has run out.
fn due(log: &Log) -> Option<Admitted> {
    log.state.due(log.clock.now()).next()?;
    Some(internal(Operation::ExpireDue).0)
}

/// A command that the ledger itself gives.
pub(crate) fn internal(
    operation: Operation,
) -> (
    Admitted,
    oneshot::Receiver<Result<crate::receipt::Receipt, crate::error::SubmitError>>,
) {
    let (answer, receipt) = oneshot::channel();
    let command = Command {
        actor: "system".to_owned(),
        surface: "ledger",
        workspace: None,
        correlation: None,
        causation: None,
        traceparent: None,
        operation,
    };
    (
        Admitted::internal(command, Lookups::default(), answer),
        receipt,
    )
}

fn refuse(batch: Vec<Admitted>) {
    for admitted in batch {
        let _ = admitted
            .answer
            .send(Err(crate::error::SubmitError::NotRecorded));
    }
}
