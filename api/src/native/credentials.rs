//! Credentials: issued to and revoked from agents and people, by an admin. A key is shown once.

use super::{Checked, Input, submit};
use crate::app::App;
use crate::auth::{Principal, Right};
use crate::error::{ApiError, Problem};
use crate::key::MintedKey;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use probity_governance::command::Operation;
use probity_schemas::event::registry::CredentialIssued;
use probity_schemas::subject::actor;
use probity_schemas::vocabulary::{CredentialMethod, Role};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

/// Routes of this group.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(issue_credential))
        .routes(routes!(revoke_credential))
}

/// Whom a key is for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewCredential {
    /// What it may do: admin, approver, operator, agent, auditor or viewer.
    #[schema(value_type = String, example = "agent")]
    role: Role,
    /// The agent that acts with it. Without one, a person acts with it, known by the credential's id.
    agent: Option<String>,
}

/// A key that was just issued.
#[derive(Serialize, ToSchema)]
pub(crate) struct Issued {
    /// The credential's id.
    id: String,
    /// The key. It is not shown again.
    key: String,
    /// Who acts with it, as records name it.
    actor: String,
    /// What it may do.
    #[schema(value_type = String)]
    role: Role,
    /// The record that says so.
    sequence: Option<u64>,
}

/// What is recorded of a change.
#[derive(Serialize, ToSchema)]
pub(crate) struct Recorded {
    /// The record's position.
    pub(crate) sequence: Option<u64>,
}

/// Why a credential is revoked.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Revocation {
    /// Why, in words.
    pub(crate) reason: Option<String>,
}

/// Who acts with a credential: the agent named, or a person known by the credential's id.
///
/// # Errors
/// [`ApiError::Invalid`] when the agent's id is empty or too long.
pub(crate) fn bearer(role: Role, agent: Option<&str>, id: &Uuid) -> Result<String, ApiError> {
    let own = id.to_string();
    let (kind, name) = match (agent, role) {
        (Some(agent), _) => ("agent", agent),
        (None, Role::Agent) => ("agent", own.as_str()),
        (None, _) => ("user", own.as_str()),
    };
    actor(kind, name).map_err(|error| ApiError::Invalid {
        detail: format!("agent: {error}"),
    })
}

/// Makes a key and the command that issues it.
///
/// # Errors
/// As [`bearer`]; [`ApiError::Random`] when the system has no randomness.
pub(crate) fn mint(
    tenant: &probity_schemas::subject::Tenant,
    role: Role,
    agent: Option<&str>,
) -> Result<(MintedKey, CredentialIssued), ApiError> {
    let minted = MintedKey::mint(tenant)?;
    let actor = bearer(role, agent, &minted.id)?;
    let issued = CredentialIssued {
        actor,
        digest: minted.digest.clone(),
        method: CredentialMethod::Key,
        roles: vec![role],
    };
    Ok((minted, issued))
}

/// Issues a key with one role. The answer is the only time the key is shown.
#[utoipa::path(post, path = "/v1/logs/{tenant}/credentials", tag = "credentials",
    params(("tenant" = String, Path, description = "the log's tenant")), request_body = NewCredential,
    responses((status = 201, body = Issued), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 422, body = Problem), (status = 503, body = Problem)))]
pub(crate) async fn issue_credential(
    State(app): State<App>,
    principal: Principal,
    Input { value, .. }: Input<NewCredential>,
) -> Result<Response, ApiError> {
    principal.require(Right::Credentials)?;
    let (minted, issued) = mint(&principal.tenant, value.role, value.agent.as_deref())?;
    let actor = issued.actor.clone();
    let operation = Operation::IssueCredential(minted.id.to_string(), Box::new(issued));
    let sequence = submit(&app, &principal, operation, None).await?.last();
    let answer = Issued {
        id: minted.id.to_string(),
        key: minted.key.to_string(),
        actor,
        role: value.role,
        sequence,
    };
    Ok((
        StatusCode::CREATED,
        [(CACHE_CONTROL, "no-store")],
        Json(answer),
    )
        .into_response())
}

/// Revokes a credential, for good.
#[utoipa::path(delete, path = "/v1/logs/{tenant}/credentials/{id}", tag = "credentials",
    params(("tenant" = String, Path, description = "the log's tenant"), ("id" = String, Path, description = "the credential"), Revocation),
    responses((status = 200, body = Recorded), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem), (status = 503, body = Problem)))]
pub(crate) async fn revoke_credential(
    State(app): State<App>,
    principal: Principal,
    Path((_, id)): Path<(String, String)>,
    Checked(why): Checked<Revocation>,
) -> Result<Json<Recorded>, ApiError> {
    principal.require(Right::Credentials)?;
    let receipt = submit(
        &app,
        &principal,
        Operation::RevokeCredential(id, why.reason),
        None,
    )
    .await?;
    Ok(Json(Recorded {
        sequence: receipt.last(),
    }))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::bearer;
    use probity_schemas::vocabulary::Role;
    use uuid::Uuid;

    #[test]
    fn a_bearer_is_an_agent_or_a_person() {
        let id = Uuid::nil();
        for (role, agent, expected) in [
            (Role::Agent, Some("crew 7"), "agent:crew%207"),
            (
                Role::Agent,
                None,
                "agent:00000000-0000-0000-0000-000000000000",
            ),
            (
                Role::Approver,
                None,
                "user:00000000-0000-0000-0000-000000000000",
            ),
        ] {
            assert_eq!(bearer(role, agent, &id).unwrap(), expected);
        }
        assert!(bearer(Role::Agent, Some(""), &id).is_err());
    }
}
