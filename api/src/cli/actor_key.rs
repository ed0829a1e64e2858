//! `probity key approver`, `register`, `unregister`: keys of actors. The first is for the person's own machine, the others
//! for a data directory that no server has open.

use super::Failure;
use super::key::{open, system_command};
use crate::config::{StoreConfig, parse_tenant};
use crate::native::keys::{id_of, registration};
use crate::output::say;
use crate::person_key::PersonKey;
use probity_governance::command::Operation;
use probity_ledger::{Receipt, Submission};
use probity_schemas::subject::Tenant;
use probity_schemas::vocabulary::KeyPurpose;
use std::path::PathBuf;

#[derive(clap::Args)]
pub(super) struct Approver {
    /// Where the key is written; it never leaves this file.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

#[derive(clap::Args)]
pub(super) struct Register {
    #[command(flatten)]
    store: StoreConfig,
    /// Whose log.
    #[arg(long, value_parser = parse_tenant)]
    tenant: Tenant,
    /// For whom: `user:…`, `adapter:…`, `agent:…`.
    #[arg(long)]
    actor: String,
    /// The public key, as `probity key approver` prints it.
    #[arg(long, value_name = "KEY")]
    public: String,
    /// What it may sign: approval or telemetry.
    #[arg(long, default_value = "approval", value_parser = parse_purpose)]
    purpose: KeyPurpose,
    /// The version of the adapter that it is for.
    #[arg(long)]
    version_of_adapter: Option<String>,
    /// A name for people.
    #[arg(long)]
    label: Option<String>,
}

#[derive(clap::Args)]
pub(super) struct Unregister {
    #[command(flatten)]
    store: StoreConfig,
    /// Whose log.
    #[arg(long, value_parser = parse_tenant)]
    tenant: Tenant,
    /// The id that `register` printed.
    #[arg(long)]
    id: String,
    /// Why.
    #[arg(long)]
    reason: Option<String>,
}

pub(super) fn run_approver(approver: &Approver) -> Result<(), Failure> {
    let key = PersonKey::create(&approver.out)?;
    say(key.public()?);
    Ok(())
}

pub(super) async fn run_register(register: Register) -> Result<(), Failure> {
    let Register {
        store,
        tenant,
        actor,
        public,
        purpose,
        version_of_adapter,
        label,
    } = register;
    let registered = registration(actor, &public, label, purpose, version_of_adapter)?;
    let instead = format!(
        "register the key through it:\n  curl -X POST -H 'authorization: Bearer ADMIN_KEY' -H 'content-type: application/json' \
         -d '{{\"actor\":\"{}\",\"key\":\"{public}\",\"purpose\":\"{purpose}\"}}' http://ADDRESS/v1/logs/{tenant}/keys",
        registered.actor
    );
    let operation = Operation::RegisterKey(Box::new(registered));
    let receipt = record(&store, instead, &tenant, operation).await?;
    say(id_of(&receipt));
    Ok(())
}

pub(super) async fn run_unregister(unregister: Unregister) -> Result<(), Failure> {
    let Unregister {
        store,
        tenant,
        id,
        reason,
    } = unregister;
    let instead = format!(
        "revoke the key through it:\n  curl -X DELETE -H 'authorization: Bearer ADMIN_KEY' http://ADDRESS/v1/logs/{tenant}/keys/{id}"
    );
    let operation = Operation::RevokeKey(id, reason);
    record(&store, instead, &tenant, operation).await?;
    Ok(())
}

async fn record(
    store: &StoreConfig,
    instead: String,
    tenant: &Tenant,
    operation: Operation,
) -> Result<Receipt, Failure> {
    let ledger = open(store, instead).await?;
    let submission = Submission {
        command: system_command(operation),
        idempotency: None,
        attachments: Vec::new(),
    };
    let receipt = ledger.submit(tenant, submission).await;
    ledger.close().await;
    Ok(receipt?)
}

fn parse_purpose(text: &str) -> Result<KeyPurpose, String> {
    KeyPurpose::parse(text).ok_or_else(|| "expected approval or telemetry".to_owned())
}
