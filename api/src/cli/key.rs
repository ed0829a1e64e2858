//! `probity key`: credentials of a data directory that no server has open.

use super::{Failure, actor_key, signer};
use crate::config::{StoreConfig, parse_tenant};
use crate::native::{SURFACE, credentials};
use crate::open;
use crate::output::say;
use probity_governance::command::{Command as LedgerCommand, Operation};
use probity_governance::permission::SYSTEM;
use probity_ledger::OpenError;
use probity_ledger::store::StoreError;
use probity_ledger::{Ledger, Submission};
use probity_schemas::subject::Tenant;
use probity_schemas::vocabulary::Role;

#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// Issue a key and print it, alone on a line, once.
    Issue(Issue),
    /// Revoke a credential for good.
    Revoke(Revoke),
    /// Make your own key to sign answers with, and print its public part.
    Approver(actor_key::Approver),
    /// Register the public key of a person or a producer, and print its id.
    Register(actor_key::Register),
    /// Revoke a registered public key for good.
    Unregister(actor_key::Unregister),
    /// Have a new key sign the log's checkpoints from now on, and print its verifier key.
    Rotate(signer::Rotate),
    /// Record that a key of the log, rotated away, was stolen, and up to which size it is to be trusted.
    Compromised(signer::Compromised),
}

#[derive(clap::Args)]
pub(super) struct Issue {
    #[command(flatten)]
    store: StoreConfig,
    /// Whose log; it is made when it is not there.
    #[arg(long, value_parser = parse_tenant)]
    tenant: Tenant,
    /// What the key may do: admin, approver, operator, agent, auditor or viewer.
    #[arg(long, value_parser = parse_role)]
    role: Role,
    /// The agent that acts with it. Without one a person acts with it.
    #[arg(long)]
    agent: Option<String>,
}

#[derive(clap::Args)]
pub(super) struct Revoke {
    #[command(flatten)]
    store: StoreConfig,
    /// Whose log.
    #[arg(long, value_parser = parse_tenant)]
    tenant: Tenant,
    /// The credential: the UUID inside its key.
    #[arg(long)]
    id: String,
    /// Why.
    #[arg(long)]
    reason: Option<String>,
}

pub(super) async fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Issue(issue) => run_issue(issue).await,
        Command::Revoke(revoke) => run_revoke(revoke).await,
        Command::Approver(approver) => actor_key::run_approver(&approver),
        Command::Register(register) => actor_key::run_register(register).await,
        Command::Unregister(unregister) => actor_key::run_unregister(unregister).await,
        Command::Rotate(rotate) => signer::run_rotate(rotate).await,
        Command::Compromised(compromised) => signer::run_compromised(compromised).await,
    }
}

async fn run_issue(issue: Issue) -> Result<(), Failure> {
    let Issue {
        store,
        tenant,
        role,
        agent,
    } = issue;
    let (minted, issued) = credentials::mint(&tenant, role, agent.as_deref())?;
    let agent = agent.map_or_else(String::new, |agent| format!(",\"agent\":\"{agent}\""));
    let instead = format!(
        "issue the key through it:\n  curl -X POST -H 'authorization: Bearer ADMIN_KEY' -H 'content-type: application/json' \
         -d '{{\"role\":\"{role}\"{agent}}}' http://ADDRESS/v1/logs/{tenant}/credentials"
    );
    let ledger = open(&store, instead).await?;
    let operation = Operation::IssueCredential(minted.id.to_string(), Box::new(issued));
    let recorded = record(&ledger, &tenant, operation, true).await;
    ledger.close().await;
    recorded.map(|()| say(minted.key.as_str()))
}

async fn run_revoke(revoke: Revoke) -> Result<(), Failure> {
    let Revoke {
        store,
        tenant,
        id,
        reason,
    } = revoke;
    let instead = format!(
        "revoke the key through it:\n  curl -X DELETE -H 'authorization: Bearer ADMIN_KEY' http://ADDRESS/v1/logs/{tenant}/credentials/{id}"
    );
    let ledger = open(&store, instead).await?;
    let recorded = record(
        &ledger,
        &tenant,
        Operation::RevokeCredential(id, reason),
        false,
    )
    .await;
    ledger.close().await;
    recorded
}

/// Opens the data directory; `instead` says what to do when a server has it.
pub(super) async fn open(store: &StoreConfig, instead: String) -> Result<Ledger, Failure> {
    match open::ledger(open::command_config(store)?).await {
        Err(OpenError::Store(StoreError::Locked)) => Err(Failure::InUse { instead }),
        opened => Ok(opened?),
    }
}

async fn record(
    ledger: &Ledger,
    tenant: &Tenant,
    operation: Operation,
    create: bool,
) -> Result<(), Failure> {
    if create {
        ledger.create_log(tenant).await?;
    }
    ledger
        .submit(
            tenant,
            Submission {
                command: system_command(operation),
                idempotency: None,
                attachments: Vec::new(),
            },
        )
        .await?;
    Ok(())
}

/// A command of whoever holds the data directory itself.
pub(crate) fn system_command(operation: Operation) -> LedgerCommand {
    LedgerCommand {
        actor: SYSTEM.to_owned(),
        surface: SURFACE,
        workspace: None,
        correlation: None,
        causation: None,
        traceparent: None,
        operation,
    }
}

fn parse_role(text: &str) -> Result<Role, String> {
    Role::parse(text)
        .ok_or_else(|| "expected admin, approver, operator, agent, auditor or viewer".to_owned())
}
