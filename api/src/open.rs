//! From configuration to an open ledger: what every command that opens a data directory does the same way.

use crate::config::{Secrets, ServerConfig, StoreConfig};
use probity_ledger::config::{Config, EnvironmentCredential};
use probity_ledger::limits::QUEUE_COMMANDS_MAX;
use probity_ledger::store::{DatabaseUrl, StoreError};
use probity_ledger::{Ledger, OpenError};
use probity_projections::{ViewError, Views, ViewsConfig};
use probity_schemas::subject::Tenant;
use probity_schemas::vocabulary::{CredentialMethod, Role};
use std::fs::DirBuilder;
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

/// Who acts with the one key for all operators.
pub const OPERATOR_ACTOR: &str = "user:local-operator";

/// The record store that is configured.
///
/// # Errors
/// [`StoreError`] when the text names no database; it does not repeat it.
pub fn database(store: &StoreConfig) -> Result<DatabaseUrl, StoreError> {
    store.database.as_ref().map_or_else(
        || Ok(DatabaseUrl::sqlite(store.data.join("probity.db"))),
        |text| text.0.parse(),
    )
}

/// A ledger for a command that does one thing and ends: no setting and no credential is changed.
///
/// # Errors
/// As [`database`].
pub fn command_config(store: &StoreConfig) -> Result<Config, StoreError> {
    Ok(Config {
        data: store.data.clone(),
        keys: store.keys(),
        database: database(store)?,
        origin: store.origin.clone(),
        address: String::new(),
        settings: Vec::new(),
        credentials: None,
        queue_commands_max: QUEUE_COMMANDS_MAX,
        witnesses: None,
        authority: None,
    })
}

/// A ledger for a server that listens at an address.
///
/// # Errors
/// As [`database`].
pub fn server_config(config: &ServerConfig, listening: SocketAddr) -> Result<Config, StoreError> {
    let address = config
        .address
        .clone()
        .unwrap_or_else(|| listening.to_string());
    let command = command_config(&config.store)?;
    Ok(Config {
        address,
        settings: config.settings(),
        credentials: Some(credentials(&config.tenant, &config.secrets)),
        queue_commands_max: config.queue,
        ..command
    })
}

/// Opens a ledger; its data directory is made when it is not there, for its owner alone.
///
/// # Errors
/// [`OpenError`] says what cannot be used.
pub async fn ledger(config: Config) -> Result<Ledger, OpenError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&config.data)
        .map_err(OpenError::Data)?;
    Ledger::open(config).await
}

/// The credentials whose secrets stand in the environment.
fn credentials(tenant: &Tenant, secrets: &Secrets) -> Vec<EnvironmentCredential> {
    let credential = |name: &str, actor: &str, method, role, secret| EnvironmentCredential {
        tenant: tenant.clone(),
        id: format!("environment-{name}"),
        actor: actor.to_owned(),
        method,
        roles: vec![role],
        secret,
    };
    let adapters = secrets.adapter_jwt.clone().map(|secret| {
        credential(
            "adapters",
            "adapter:*",
            CredentialMethod::AdapterToken,
            Role::Agent,
            secret,
        )
    });
    let operators = secrets.ops_key.clone().map(|secret| {
        credential(
            "operators",
            OPERATOR_ACTOR,
            CredentialMethod::SharedKey,
            Role::Approver,
            secret,
        )
    });
    adapters.into_iter().chain(operators).collect()
}

/// The views beside a ledger, followed from now on.
///
/// # Errors
/// [`ViewError`] when their database cannot be used.
pub async fn views(
    data: &Path,
    database: DatabaseUrl,
    ledger: &Ledger,
) -> Result<Views, ViewError> {
    let place = ViewsConfig {
        data: data.to_owned(),
        database,
    };
    let views = Views::open(&place, ledger.reader()).await?;
    views.start();
    Ok(views)
}
