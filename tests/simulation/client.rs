//! A client: asks, waits, gives up, asks another node, asks again with the same key, reads what it can, and tells the model each answer.

use crate::jobs::{self, Job, Kind};
use crate::model::{Fate, Moment};
use crate::node::Running;
use crate::random::Dice;
use crate::world::{Log, World};
use probity_governance::execute::Rejected;
use probity_ledger::SubmitError;
use probity_ledger::store::{Span, StoreError};
use probity_schemas::proof::TlogProof;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// Times that a client sends one thing.
const ATTEMPTS_MAX: u64 = 6;

/// What a client is told.
enum Answer {
    /// It is recorded.
    Done,
    /// It is not recorded.
    No(&'static str),
    /// It may be recorded, or be recorded yet.
    Unknown,
}

/// A client's life.
pub(crate) async fn live(world: Arc<World>, dice: Dice, client: usize, jobs: u64) {
    for number in 0..jobs {
        sleep(dice.millis(0..900)).await;
        let log = dice.pick(&world.logs);
        if dice.chance(250) {
            look(&world, log, &dice).await;
            continue;
        }
        let pending = log.model(|model| model.pending.clone());
        let job = jobs::next(&dice, format!("c{client}-{number}"), client, &pending);
        log.model(|model| model.ask(&job));
        let attempts = if job.may_repeat() {
            dice.within(1..ATTEMPTS_MAX)
        } else {
            1
        };
        insist(&world, log, &dice, &job, attempts).await;
    }
}

/// Sends a job until it is acknowledged or patience ends; true when it was.
pub(crate) async fn insist(
    world: &World,
    log: &Log,
    dice: &Dice,
    job: &Job,
    attempts: u64,
) -> bool {
    let mut fate = Fate::MustNot;
    let mut at = dice.within(0..2);
    for _ in 0..attempts {
        let sent = log.model(|model| model.begin());
        let answer = send((world, log), dice, job, at as usize, sent).await;
        let told = match &answer {
            Answer::Done => "acknowledged",
            Answer::No(why) => why,
            Answer::Unknown => "not known",
        };
        let size = log.model(|model| model.size());
        world.trace.note(format_args!(
            "{} {:?} at {at}: {told}, {size}",
            job.mark,
            kind(job)
        ));
        match answer {
            Answer::Done => return true,
            Answer::No("rejected") => break,
            Answer::No("owned elsewhere" | "down" | "read only" | "no owner") => at = 1 - at,
            Answer::No(_) => {}
            Answer::Unknown => {
                fate = Fate::May;
                at = dice.within(0..2);
            }
        }
        sleep(dice.millis(20..1_500)).await;
    }
    log.model(|model| model.settle(job, fate));
    false
}

/// The kind of a job, without the ids that differ from run to run.
const fn kind(job: &Job) -> &'static str {
    match job.kind {
        Kind::Observe(_) => "observe",
        Kind::Decide => "decide",
        Kind::Resolve(_) => "resolve",
        Kind::Report => "report",
        Kind::Publish => "publish",
    }
}

async fn send(
    (world, log): (&World, &Log),
    dice: &Dice,
    job: &Job,
    at: usize,
    sent: Moment,
) -> Answer {
    let Some(Running { ledger, link }) = world.nodes[at].running() else {
        return Answer::No("down");
    };
    let patience = if dice.chance(100) {
        dice.millis(1..400)
    } else {
        dice.millis(2_000..20_000)
    };
    let submitted = ledger.submit(&log.tenant, job.submission.clone());
    let answer = tokio::select! {
        biased;
        () = link.died() => return Answer::Unknown,
        answer = timeout(patience, submitted) => answer,
    };
    world.count(|counts| counts.commands += 1);
    match answer {
        Err(_) => Answer::Unknown,
        Ok(Ok(receipt)) => {
            world.count(|counts| counts.acknowledged += 1);
            world.count(|counts| counts.replayed += u64::from(receipt.replayed));
            log.model(|model| model.hear(job, &receipt, sent));
            Answer::Done
        }
        Ok(Err(error)) => refused(log, job, &error),
    }
}

/// What a refusal means. Those that say that something is broken must never come.
fn refused(log: &Log, job: &Job, error: &SubmitError) -> Answer {
    Answer::No(match error {
        SubmitError::OutcomeUnknown => return Answer::Unknown,
        SubmitError::Rejected(Rejected::AlreadyResolved { .. }) => "rejected",
        SubmitError::Rejected(_) if log.model(|model| model.skewed) => "rejected",
        SubmitError::OwnedElsewhere { .. } => "owned elsewhere",
        SubmitError::NoOwner { .. } => "no owner",
        SubmitError::ReadOnly { why } if !why.contains("signed:") => "read only",
        SubmitError::NotRecorded => "not recorded",
        SubmitError::QueueFull { .. } => "queue full",
        SubmitError::IdempotencyInFlight => "in flight",
        SubmitError::Clock(_) => "clock",
        SubmitError::Stopped => "stopped",
        SubmitError::Store(error) if is_fault(error) => "store",
        wrong => panic!("{}: {wrong:?}", job.mark),
    })
}

/// Whether a store failed because it was made to.
fn is_fault(error: &StoreError) -> bool {
    matches!(error, StoreError::Io(_) | StoreError::Silent { .. })
}

/// Reads something from some node. What cannot be read now is not read; what is read is held against everything known.
async fn look(world: &World, log: &Log, dice: &Dice) {
    let Some(Running { ledger, link }) = dice.pick(&world.nodes).running() else {
        return;
    };
    let looking = async {
        match dice.within(0..4) {
            0 => checkpoint(log, &ledger).await,
            1 => inclusion(log, dice, &ledger).await,
            2 => page(log, dice, &ledger).await,
            _ => consistency(log, dice, &ledger).await,
        }
    };
    let looked = tokio::select! {
        biased;
        () = link.died() => return,
        looked = timeout(Duration::from_secs(20), looking) => looked,
    };
    world.count(|counts| counts.reads += 1);
    if let Ok(Err(error)) = looked {
        assert!(is_fault(&error), "a read failed: {error:?}");
    }
}

type Looked = Result<(), StoreError>;

async fn checkpoint(log: &Log, ledger: &probity_ledger::Ledger) -> Looked {
    let before = log.model(|model| model.size());
    let text = ledger.checkpoint(&log.tenant).await?;
    let size = log.model(|model| model.see_checkpoint(&text.expect("the log has records")));
    assert!(
        size >= before,
        "a checkpoint over {size} records, {before} were acknowledged"
    );
    Ok(())
}

async fn inclusion(log: &Log, dice: &Dice, ledger: &probity_ledger::Ledger) -> Looked {
    let known: Vec<_> = log
        .model(|model| model.leaves().clone())
        .into_iter()
        .collect();
    if known.is_empty() {
        return Ok(());
    }
    let (sequence, leaf) = *dice.pick(&known);
    let proof = ledger.inclusion(&log.tenant, sequence).await?;
    let proof = TlogProof::parse(&proof.expect("a record that was seen")).unwrap();
    let keys = log.model(|model| model.keys.clone());
    proof
        .verify(&leaf, &keys)
        .expect("a receipt proves its record");
    log.model(|model| model.see_checkpoint(&proof.checkpoint.to_string()));
    Ok(())
}

async fn page(log: &Log, dice: &Dice, ledger: &probity_ledger::Ledger) -> Looked {
    let before = log.model(|model| model.size());
    let first = dice.within(0..before);
    let reader = ledger.reader();
    let head = reader.log(&log.tenant).await?.expect("the log has records");
    let page = reader
        .read(head.log, Span::From(first), 20, 1 << 20)
        .await?;
    let least = (before - first).min(20) as usize;
    assert!(
        page.len() >= least,
        "{} of {least} acknowledged records",
        page.len()
    );
    log.model(|model| model.see_page(first, &page));
    Ok(())
}

async fn consistency(log: &Log, dice: &Dice, ledger: &probity_ledger::Ledger) -> Looked {
    let sizes: Vec<u64> = log.model(|model| model.checkpoints.keys().copied().collect());
    let (one, other) = (*dice.pick(&sizes), *dice.pick(&sizes));
    let (old, new) = (one.min(other), one.max(other));
    let proof = ledger.consistency(&log.tenant, old, new).await?;
    let proof = proof.expect("a log that had this size");
    log.model(|model| model.see_consistency(old, new, &proof));
    Ok(())
}
