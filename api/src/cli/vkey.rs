//! `probity vkey`: the key an auditor needs. Which one is in force is said by the log; it is printed only if the key directory
//! holds it, so that nobody who can write to the database alone makes us hand out a key of theirs. May run beside a server.

use super::Failure;
use crate::config::{StoreConfig, parse_tenant};
use crate::open;
use crate::output::say;
use probity_ledger::Reader;
use probity_ledger::signer::FileSigner;
use probity_schemas::subject::Tenant;

#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    store: StoreConfig,
    /// Whose log.
    #[arg(long, value_parser = parse_tenant)]
    tenant: Tenant,
    /// Print every key that the log names, the first one first, each with the record that named it.
    #[arg(long)]
    all: bool,
}

pub(super) async fn run(arguments: &Arguments) -> Result<(), Failure> {
    let Arguments { store, tenant, all } = arguments;
    let no_log = || Failure::NoLog {
        tenant: tenant.clone(),
    };
    let database = open::database(store)?;
    if database.file().is_some_and(|file| !file.exists()) {
        return Err(no_log());
    }
    let terms = Reader::open(&database).await?.signers(tenant).await?;
    let newest = terms.last().ok_or_else(no_log)?;
    if FileSigner::named(&store.keys(), tenant, &newest.key)?.is_none() {
        return Err(Failure::KeyNotHeld {
            key: newest.key.clone(),
        });
    }
    if !all {
        say(&newest.key);
        return Ok(());
    }
    for term in &terms {
        let compromised = match term.last_trusted_size {
            Some(size) => format!(", compromised: to be trusted up to size {size}"),
            None => String::new(),
        };
        say(format_args!(
            "{} from record {}{compromised}",
            term.key, term.sequence
        ));
    }
    Ok(())
}
