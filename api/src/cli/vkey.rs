//! `probity vkey`: the key an auditor needs, from the key directory. May run beside a server.

use super::Failure;
use crate::config::{StoreConfig, parse_tenant};
use crate::output::say;
use probity_ledger::signer::{FileSigner, Signer as _};
use probity_schemas::subject::Tenant;

#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    store: StoreConfig,
    /// Whose log.
    #[arg(long, value_parser = parse_tenant)]
    tenant: Tenant,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let signer = FileSigner::load(&arguments.store.keys(), &arguments.tenant)?;
    let signer = signer.ok_or_else(|| Failure::NoLog {
        tenant: arguments.tenant.clone(),
    })?;
    say(signer.verifier_key());
    Ok(())
}
