//! `probity key rotate`, `compromised`: the key that signs a log, for a data directory that no server has open.

use super::Failure;
use super::key::{open, system_command};
use crate::config::{StoreConfig, parse_tenant};
use crate::output::{complain, say};
use probity_governance::command::Operation;
use probity_ledger::{Ledger, Submission, SubmitError};
use probity_schemas::event::signer::SignerCompromised;
use probity_schemas::subject::Tenant;

#[derive(clap::Args)]
pub(super) struct Rotate {
    #[command(flatten)]
    store: StoreConfig,
    /// Whose log.
    #[arg(long, value_parser = parse_tenant)]
    tenant: Tenant,
    /// Why.
    #[arg(long)]
    reason: Option<String>,
}

#[derive(clap::Args)]
pub(super) struct Compromised {
    #[command(flatten)]
    store: StoreConfig,
    /// Whose log.
    #[arg(long, value_parser = parse_tenant)]
    tenant: Tenant,
    /// The verifier key that was stolen; rotate it first.
    #[arg(long, value_name = "VKEY")]
    key: String,
    /// The size of the last checkpoint by it that is to be trusted, e.g. the last that a witness cosigned; 0 for none.
    #[arg(long, value_name = "SIZE")]
    last_trusted: u64,
    /// Why.
    #[arg(long)]
    reason: Option<String>,
}

/// Prints the new verifier key, alone on a line.
pub(super) async fn run_rotate(rotate: Rotate) -> Result<(), Failure> {
    let Rotate {
        store,
        tenant,
        reason,
    } = rotate;
    let instead = format!(
        "rotate the key through it:\n  curl -X POST -H 'authorization: Bearer ADMIN_KEY' -H 'content-type: application/json' \
         -d '{{}}' http://ADDRESS/v1/logs/{tenant}/signers"
    );
    let ledger = open(&store, instead).await?;
    let rotated = record_rotation(&ledger, &tenant, reason).await;
    ledger.close().await;
    let key = rotated?;
    complain(
        "rotated: the new key signs from now on; auditors follow from the old one, give it to your witnesses",
    );
    say(key);
    Ok(())
}

async fn record_rotation(
    ledger: &Ledger,
    tenant: &Tenant,
    reason: Option<String>,
) -> Result<String, SubmitError> {
    let signer = ledger.next_signer(tenant).await?;
    let operation = Operation::RotateSigner {
        signer: signer.clone(),
        reason,
    };
    ledger.submit(tenant, submission(operation)).await?;
    Ok(signer)
}

pub(super) async fn run_compromised(compromised: Compromised) -> Result<(), Failure> {
    let Compromised {
        store,
        tenant,
        key,
        last_trusted,
        reason,
    } = compromised;
    let instead = format!(
        "record it through it:\n  curl -X POST -H 'authorization: Bearer ADMIN_KEY' -H 'content-type: application/json' \
         -d '{{\"key\":\"{key}\",\"last_trusted_size\":{last_trusted}}}' http://ADDRESS/v1/logs/{tenant}/signers/compromised"
    );
    let ledger = open(&store, instead).await?;
    let operation = Operation::ReportCompromise(SignerCompromised {
        key,
        last_trusted_size: last_trusted,
        reason,
    });
    let recorded = ledger.submit(&tenant, submission(operation)).await;
    ledger.close().await;
    recorded?;
    Ok(())
}

fn submission(operation: Operation) -> Submission {
    Submission {
        command: system_command(operation),
        idempotency: None,
        attachments: Vec::new(),
    }
}
