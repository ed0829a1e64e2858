//! `probity guard`: what to do about a database that holds less than was signed.

use super::{Failure, key};
use crate::config::{StoreConfig, parse_tenant};
use crate::output::{complain, say};
use probity_schemas::subject::Tenant;

#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// Accept that signed records are lost: the log goes on as another log, whose first new record says so.
    Accept(Accept),
}

#[derive(clap::Args)]
pub(super) struct Accept {
    #[command(flatten)]
    store: StoreConfig,
    /// Whose log.
    #[arg(long, value_parser = parse_tenant)]
    tenant: Tenant,
}

/// Prints the new verifier key, alone on a line.
pub(super) async fn run(command: Command) -> Result<(), Failure> {
    let Command::Accept(Accept { store, tenant }) = command;
    let ledger = key::open(&store, "stop it, and accept then".to_owned()).await?;
    let accepted = ledger.accept_loss(&tenant).await;
    ledger.close().await;
    let key = accepted?;
    complain(
        "accepted: the loss is recorded; give auditors this verifier key for what comes after it",
    );
    say(key);
    Ok(())
}
