//! The keys that adapters sign their reports with: an operator registers one as a JWK, and revokes it.
//!
//! One key an adapter and version, as this surface has it: a new one takes the place of the old, which is revoked after the
//! new one is recorded. Whoever wants two at once registers them at `/v1/logs/{tenant}/keys`.

use super::adapters::AdapterRecord;
use super::call::{self, Operator};
use super::envelope::{ErrorBody, Failure};
use super::fields::{self, Faults, Fields};
use super::intake::Payload;
use crate::app::App;
use crate::native::keys::registration;
use crate::open::OPERATOR_ACTOR;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use probity_governance::command::Operation;
use probity_governance::state::RegisteredKey;
use probity_schemas::actor_key::ActorKey;
use probity_schemas::event::Event;
use probity_schemas::subject::{Subject, actor};
use probity_schemas::vocabulary::{KeyAlgorithm, KeyPurpose};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Routes of this group.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(register_telemetry_key))
        .routes(routes!(revoke_telemetry_key))
}

/// A key of an adapter.
#[derive(Debug, ToSchema)]
pub(crate) struct TelemetryKeyBody {
    /// The served tenant.
    #[schema(required = false)]
    tenant_id: Option<String>,
    /// The adapter.
    adapter_id: String,
    /// The adapter's version that it is for; absent: every version.
    version: Option<String>,
    /// ed25519 or ES256.
    key_alg: String,
    /// The public key: RFC 8037 `{kty: OKP, crv: Ed25519, x}` or RFC 7518 `{kty: EC, crv: P-256, x, y}`.
    #[schema(value_type = Object)]
    public_jwk: Jwk,
    /// A name for people.
    key_id: Option<String>,
}

/// The public members of a JWK.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Jwk {
    kty: String,
    crv: String,
    x: Vec<u8>,
    y: Vec<u8>,
}

/// Which key is revoked.
#[derive(Debug, ToSchema)]
pub(crate) struct TelemetryKeyRevocation {
    /// The served tenant.
    #[schema(required = false)]
    tenant_id: Option<String>,
    /// The adapter.
    adapter_id: String,
    /// The version whose key it is; absent: all its keys.
    version: Option<String>,
    /// Why.
    reason: Option<String>,
}

/// The adapter whose key it is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AdapterReply {
    adapter: AdapterRecord,
}

impl TelemetryKeyBody {
    fn read(mut fields: Fields) -> Result<Self, Faults> {
        let body = Self {
            tenant_id: fields.optional("tenant_id", fields::id),
            adapter_id: fields.required("adapter_id", fields::id),
            version: fields.optional("version", fields::id),
            key_alg: fields.required("key_alg", fields::text),
            public_jwk: fields.nested_required("public_jwk", Jwk::read),
            key_id: fields.optional("key_id", fields::id),
        };
        fields.close(body)
    }
}

impl TelemetryKeyRevocation {
    fn read(mut fields: Fields) -> Result<Self, Faults> {
        let body = Self {
            tenant_id: fields.optional("tenant_id", fields::id),
            adapter_id: fields.required("adapter_id", fields::id),
            version: fields.optional("version", fields::id),
            reason: fields.optional("reason", fields::text),
        };
        fields.close(body)
    }
}

impl Jwk {
    fn read(fields: &mut Fields) -> Self {
        Self {
            kty: fields.required("kty", fields::text),
            crv: fields.required("crv", fields::text),
            x: fields.required("x", coordinate),
            y: fields.optional("y", coordinate).unwrap_or_default(),
        }
    }

    /// The key, if it is one of this algorithm.
    fn key(&self, algorithm: KeyAlgorithm) -> Option<ActorKey> {
        let (x, y) = (
            <&[u8; 32]>::try_from(&*self.x),
            <&[u8; 32]>::try_from(&*self.y),
        );
        let key = match (algorithm, self.kty.as_str(), self.crv.as_str()) {
            (KeyAlgorithm::Ed25519, "OKP", "Ed25519") if self.y.is_empty() => {
                ActorKey::ed25519(x.ok()?)
            }
            (KeyAlgorithm::Es256, "EC", "P-256") => ActorKey::p256(x.ok()?, y.ok()?),
            _ => return None,
        };
        key.ok()
    }
}

fn coordinate(raw: &str) -> Result<Vec<u8>, String> {
    let text = fields::text(raw)?;
    URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|_| "Expected base64url".to_owned())
}

/// Registers the key that an adapter signs its reports with; the one before is revoked.
#[utoipa::path(post, path = "/ops/api/adapters/telemetry-key", tag = "operators", security(("operator" = [])),
    request_body = TelemetryKeyBody,
    responses((status = 200, body = AdapterReply), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 404, body = ErrorBody), (status = 503, body = ErrorBody)))]
async fn register_telemetry_key(
    State(app): State<App>,
    _operator: Operator,
    payload: Payload,
) -> Result<Json<AdapterReply>, Failure> {
    let body = TelemetryKeyBody::read(payload.fields()?)?;
    call::place(&app).is_of(body.tenant_id.as_deref())?;
    let algorithm = KeyAlgorithm::parse(&body.key_alg).ok_or_else(|| {
        let words = "key_alg is ed25519 or ES256".to_owned();
        Failure::coded(words, "unsupported_algorithm")
    })?;
    let key = body.public_jwk.key(algorithm).ok_or_else(|| {
        let words = format!("public_jwk is no {algorithm} key");
        Failure::coded(words, "invalid_key")
    })?;
    let reply = adapter(&app, &body.adapter_id).await?;
    let producer = producer(&body.adapter_id)?;
    let (spki, version) = (key.to_string(), body.version);
    let is_same = |held: &RegisteredKey| held.key == spki && held.version == version;
    let before = keys(&app, &producer).await?;
    if !before.iter().any(|(_, held)| is_same(held)) {
        let purpose = KeyPurpose::Telemetry;
        let registered = registration(producer, &spki, body.key_id, purpose, version.clone())
            .map_err(|why| Failure::coded(why.to_string(), "invalid_key"))?;
        let operation = Operation::RegisterKey(Box::new(registered));
        call::submit(&app, OPERATOR_ACTOR, operation).await?;
    }
    for (id, held) in before {
        if held.version == version && !is_same(&held) {
            let reason = Some("replaced".to_owned());
            call::submit(&app, OPERATOR_ACTOR, Operation::RevokeKey(id, reason)).await?;
        }
    }
    Ok(Json(reply))
}

/// Revokes the keys that an adapter signs its reports with.
#[utoipa::path(post, path = "/ops/api/adapters/telemetry-key/revoke", tag = "operators", security(("operator" = [])),
    request_body = TelemetryKeyRevocation,
    responses((status = 200, body = AdapterReply), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 404, body = ErrorBody), (status = 503, body = ErrorBody)))]
async fn revoke_telemetry_key(
    State(app): State<App>,
    _operator: Operator,
    payload: Payload,
) -> Result<Json<AdapterReply>, Failure> {
    let body = TelemetryKeyRevocation::read(payload.fields()?)?;
    call::place(&app).is_of(body.tenant_id.as_deref())?;
    let reply = adapter(&app, &body.adapter_id).await?;
    for (id, held) in keys(&app, &producer(&body.adapter_id)?).await? {
        if body.version.is_none() || held.version == body.version {
            let operation = Operation::RevokeKey(id, body.reason.clone());
            call::submit(&app, OPERATOR_ACTOR, operation).await?;
        }
    }
    Ok(Json(reply))
}

fn producer(adapter: &str) -> Result<String, Failure> {
    actor("adapter", adapter).map_err(|_| not_found())
}

fn not_found() -> Failure {
    Failure::said(StatusCode::NOT_FOUND, "Adapter not found")
}

/// The keys in force for a producer's reports, by id.
async fn keys(app: &App, producer: &str) -> Result<Vec<(String, RegisteredKey)>, Failure> {
    let directory = call::directory(app).await?;
    let own = directory
        .keys
        .iter()
        .filter(|(_, key)| key.actor == producer && key.purpose == KeyPurpose::Telemetry);
    Ok(own.map(|(id, key)| (id.clone(), key.clone())).collect())
}

/// The adapter as it is registered, from its own records.
async fn adapter(app: &App, id: &str) -> Result<AdapterReply, Failure> {
    let subject = Subject::new("adapter", id).map_err(|_| not_found())?;
    let history = call::history(app, &subject).await?;
    let created = history.first().map(|entry| entry.time);
    let newest = history.iter().rev().find_map(|entry| match &entry.event {
        Event::AdapterRegistered(adapter) => Some((adapter, entry.time)),
        _ => None,
    });
    let (registered, updated) = newest.ok_or_else(not_found)?;
    let tenant = app.config.tenant.as_str();
    let created = created.unwrap_or(updated);
    let adapter = AdapterRecord::of(registered, tenant, created, updated);
    Ok(AdapterReply { adapter })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::{Fields, TelemetryKeyBody};
    use probity_schemas::body::Body;
    use probity_schemas::vocabulary::KeyAlgorithm::{Ed25519, Es256};
    use serde_json::{Value, json};

    /// The keys of RFC 8037 A.2 and RFC 7515 A.3.
    fn okp() -> Value {
        json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})
    }
    fn ec() -> Value {
        json!({"kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})
    }

    #[test]
    fn a_jwk_is_a_key_of_its_own_algorithm_only() {
        let mut elsewhere = ec();
        elsewhere["y"] = elsewhere["x"].clone();
        let table = [
            (okp(), Ed25519, true),
            (ec(), Es256, true),
            (okp(), Es256, false),
            (ec(), Ed25519, false),
            (elsewhere, Es256, false),
        ];
        for (jwk, algorithm, expected) in table {
            let body = json!({"adapter_id": "a", "key_alg": "x", "public_jwk": jwk});
            let body = Body::from_foreign(body.to_string().as_bytes()).unwrap();
            let read = TelemetryKeyBody::read(Fields::open(Some(&body)).unwrap()).unwrap();
            assert_eq!(
                read.public_jwk.key(algorithm).is_some(),
                expected,
                "{body:?}"
            );
        }
    }
}
