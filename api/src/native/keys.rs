//! Keys of actors: registered and revoked by an admin, listed for whoever may see views. Public keys only.

use super::credentials::{Recorded, Revocation};
use super::{Checked, Input, submit};
use crate::app::App;
use crate::auth::{Principal, Right};
use crate::error::{ApiError, Problem};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use probity_governance::command::Operation;
use probity_governance::signing::KeyFault;
use probity_ledger::Receipt;
use probity_schemas::actor_key::ActorKey;
use probity_schemas::event::key::KeyRegistered;
use probity_schemas::vocabulary::KeyPurpose;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Routes of this group.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(register_key, list_keys))
        .routes(routes!(revoke_key))
}

/// A key, and whom it speaks for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewKey {
    /// Whose key: `user:…` for answers, `adapter:…` or `agent:…` for telemetry.
    actor: String,
    /// The public key: base64 of its DER SubjectPublicKeyInfo, Ed25519 or P-256.
    key: String,
    /// A name for people.
    label: Option<String>,
    /// What it may sign: approval or telemetry.
    #[schema(value_type = String, example = "approval")]
    purpose: KeyPurpose,
    /// The version of the adapter that it is for; absent: every version.
    version: Option<String>,
}

/// A key that was registered.
#[derive(Serialize, ToSchema)]
pub(crate) struct KeyMade {
    /// The key's id in this log, to revoke it by.
    id: String,
    /// SHA-256 of the key's DER, as signatures name it.
    keyid: String,
    /// The record that says so.
    sequence: Option<u64>,
}

/// The keys in force.
#[derive(Serialize, ToSchema)]
pub(crate) struct Keys {
    /// By id.
    items: Vec<KeyItem>,
}

/// A key in force.
#[derive(Serialize, ToSchema)]
pub(crate) struct KeyItem {
    /// The key's id in this log.
    id: String,
    /// Whose key.
    actor: String,
    /// The public key.
    key: String,
    /// SHA-256 of the key's DER.
    keyid: String,
    /// What it may sign.
    #[schema(value_type = String)]
    purpose: KeyPurpose,
    /// The version of the adapter that it is for.
    version: Option<String>,
}

/// The body of a key's registration; algorithm and key id follow from the key.
///
/// # Errors
/// [`KeyFault::Key`] for a text that is no safe key.
pub(crate) fn registration(
    actor: String,
    key: &str,
    label: Option<String>,
    purpose: KeyPurpose,
    version: Option<String>,
) -> Result<KeyRegistered, KeyFault> {
    let key: ActorKey = key.parse()?;
    Ok(KeyRegistered {
        actor,
        alg: key.algorithm(),
        key: key.to_string(),
        keyid: key.id(),
        label,
        purpose,
        version,
    })
}

/// The id under which a key was registered.
pub(crate) fn id_of(receipt: &Receipt) -> String {
    let record = receipt.records.last().and_then(|last| last.record().ok());
    let subject = record.map(|record| record.envelope.subject.to_string());
    let id = subject
        .as_deref()
        .and_then(|text| text.strip_prefix("key/"));
    id.unwrap_or_default().to_owned()
}

/// Registers the public key of an actor: from here on its signatures are taken.
#[utoipa::path(post, path = "/v1/logs/{tenant}/keys", tag = "keys",
    params(("tenant" = String, Path, description = "the log's tenant")), request_body = NewKey,
    responses((status = 201, body = KeyMade), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 422, body = Problem), (status = 503, body = Problem)))]
pub(crate) async fn register_key(
    State(app): State<App>,
    principal: Principal,
    Input { value, .. }: Input<NewKey>,
) -> Result<Response, ApiError> {
    principal.require(Right::Credentials)?;
    let invalid = |why: KeyFault| ApiError::Invalid {
        detail: format!("key: {why}"),
    };
    let NewKey {
        actor,
        key,
        label,
        purpose,
        version,
    } = value;
    let registered = registration(actor, &key, label, purpose, version).map_err(invalid)?;
    let keyid = registered.keyid.clone();
    let operation = Operation::RegisterKey(Box::new(registered));
    let receipt = submit(&app, &principal, operation, None).await?;
    let made = KeyMade {
        id: id_of(&receipt),
        keyid,
        sequence: receipt.last(),
    };
    Ok((StatusCode::CREATED, Json(made)).into_response())
}

/// The keys in force.
#[utoipa::path(get, path = "/v1/logs/{tenant}/keys", tag = "keys",
    params(("tenant" = String, Path, description = "the log's tenant")),
    responses((status = 200, body = Keys), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn list_keys(
    State(app): State<App>,
    principal: Principal,
) -> Result<Json<Keys>, ApiError> {
    principal.require(Right::Views)?;
    let directory = app.ledger.directory(&principal.tenant).await?;
    let directory = directory.ok_or(ApiError::NotFound { what: "log" })?;
    let items = directory.keys.iter().map(|(id, key)| KeyItem {
        id: id.clone(),
        actor: key.actor.clone(),
        key: key.key.clone(),
        keyid: key.keyid.clone(),
        purpose: key.purpose,
        version: key.version.clone(),
    });
    Ok(Json(Keys {
        items: items.collect(),
    }))
}

/// Revokes a key of an actor: from here on its signatures are not taken.
#[utoipa::path(delete, path = "/v1/logs/{tenant}/keys/{id}", tag = "keys",
    params(("tenant" = String, Path, description = "the log's tenant"), ("id" = String, Path, description = "the key"), Revocation),
    responses((status = 200, body = Recorded), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 503, body = Problem)))]
pub(crate) async fn revoke_key(
    State(app): State<App>,
    principal: Principal,
    Path((_, id)): Path<(String, String)>,
    Checked(why): Checked<Revocation>,
) -> Result<Json<Recorded>, ApiError> {
    principal.require(Right::Credentials)?;
    let operation = Operation::RevokeKey(id, why.reason);
    let receipt = submit(&app, &principal, operation, None).await?;
    Ok(Json(Recorded {
        sequence: receipt.last(),
    }))
}
