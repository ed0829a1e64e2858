//! How a ledger is opened: places, limits, and what of the environment is sealed into the logs.

use crate::store::DatabaseUrl;
use crate::timestamping::Authority;
use crate::witness::Witnesses;
use probity_schemas::subject::Tenant;
use probity_schemas::vocabulary::{CredentialMethod, Role};
use std::path::PathBuf;
use std::sync::Arc;
use zeroize::Zeroizing;

/// How a ledger is opened.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the lock, the node's id and, on SQLite, the database live.
    pub data: PathBuf,
    /// Where the signer keys and the guard live.
    pub keys: PathBuf,
    /// The database.
    pub database: DatabaseUrl,
    /// The first part of the origin; fixed by the first record of a store.
    pub origin: Option<String>,
    /// Where other nodes reach this one.
    pub address: String,
    /// Settings that decisions depend on, sealed when they differ: name and value, no value to take it away.
    pub settings: Vec<(String, Option<String>)>,
    /// Credentials that the environment gives, sealed when they differ; one that is gone is revoked. `None` where the
    /// environment is not a server's, so that nothing follows from what it lacks.
    pub credentials: Option<Vec<EnvironmentCredential>>,
    /// Commands that may wait for a log's writer.
    pub queue_commands_max: usize,
    /// Who is to cosign checkpoints.
    pub witnesses: Option<Arc<Witnesses>>,
    /// Who is to stamp checkpoints with the time.
    pub authority: Option<Arc<Authority>>,
}

/// A credential whose secret stands in the environment.
#[derive(Clone)]
pub struct EnvironmentCredential {
    /// The tenant it is good for.
    pub tenant: Tenant,
    /// Its id: `environment-<name>`.
    pub id: String,
    /// Who acts with it.
    pub actor: String,
    /// How it is presented.
    pub method: CredentialMethod,
    /// What it may do.
    pub roles: Vec<Role>,
    /// The secret; only a keyed digest of it is recorded.
    pub secret: Zeroizing<String>,
}

impl std::fmt::Debug for EnvironmentCredential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EnvironmentCredential")
            .field("id", &self.id)
            .field("actor", &self.actor)
            .finish_non_exhaustive()
    }
}
