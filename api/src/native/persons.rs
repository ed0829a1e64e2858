//! Personal values: what opens a record's digests, forgetting a person, and the legal holds that forbid it.
//!
//! A person's id stands in the path of a request and in no log line: routes are logged by their pattern.

use super::credentials::Recorded;
use super::{Input, idempotency, submit};
use crate::app::App;
use crate::auth::{Principal, Right};
use crate::error::{ApiError, Problem};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use probity_governance::command::{Erasure, Hold, Operation};
use probity_ledger::Receipt;
use probity_ledger::persons::OpenedDisclosure;
use probity_schemas::body::Body;
use probity_schemas::disclosure::Disclosure;
use probity_schemas::event::Event;
use probity_schemas::event::personal::HoldLifted;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Routes of this group.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_disclosures))
        .routes(routes!(erase_person))
        .routes(routes!(set_hold))
        .routes(routes!(lift_hold))
}

/// The disclosures of one record.
#[derive(Serialize, ToSchema)]
pub(crate) struct Disclosures {
    /// Those whose persons were not erased.
    disclosures: Vec<OneDisclosure>,
}

/// A personal value of a record.
#[derive(Serialize, ToSchema)]
pub(crate) struct OneDisclosure {
    /// What stands for it in the record.
    digest: String,
    /// What opens the digest (RFC 9901).
    disclosure: String,
    /// The member's name; none for an element of an array.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// The person it is about.
    person: String,
    /// The value.
    #[schema(value_type = Object)]
    value: Body,
}

/// Why a person is forgotten.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewErasure {
    /// The legal basis, in words; it stands in the record, so it names no person.
    #[schema(example = "GDPR article 17(1)(b)")]
    basis: String,
    /// Attachments that belong to the person, by their BLAKE3 names: their content is destroyed too, whoever else names it. At most 256.
    #[serde(default)]
    attachments: BTreeSet<String>,
}

/// What became of an erasure.
#[derive(Serialize, ToSchema)]
pub(crate) struct Erased {
    /// The record that says so.
    sequence: u64,
    /// How many disclosures were destroyed.
    disclosures: u64,
    /// The attachments whose content was destroyed; not those that had been before.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attachments: Vec<String>,
    /// By then the person's key was destroyed and the wrapping key replaced: copies of database and keys made before open nothing of the person without a copy of the replaced wrapping key.
    effective: String,
    /// Whether this is the answer to an earlier request with the same idempotency key.
    replayed: bool,
}

/// A legal hold.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewHold {
    /// Its name.
    #[schema(example = "case-2026-11")]
    id: String,
    /// Whom it is about; without one, everybody.
    person: Option<String>,
    /// Why, in words; it stands in the record, so it names no person.
    reason: String,
}

/// Why a hold is lifted.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Lifting {
    /// Why, in words.
    reason: String,
}

/// Opens the personal values of a record, as far as their persons were not erased.
#[utoipa::path(get, path = "/v1/logs/{tenant}/records/{sequence}/disclosures", tag = "persons",
    params(("tenant" = String, Path, description = "the log's tenant"), ("sequence" = u64, Path, description = "the record")),
    responses((status = 200, body = Disclosures), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 503, body = Problem)))]
pub(crate) async fn list_disclosures(
    State(app): State<App>,
    principal: Principal,
    Path((_, sequence)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    principal.require(Right::Disclosures)?;
    let no_record = |_| ApiError::NotFound { what: "record" };
    let sequence = sequence.parse().map_err(no_record)?;
    let opened = app.ledger.disclosures(&principal.tenant, sequence).await;
    let opened = opened.map_err(probity_ledger::SubmitError::from)?;
    let disclosures = opened.into_iter().map(one).collect::<Result<_, _>>()?;
    Ok((
        [(CACHE_CONTROL, "no-store")],
        Json(Disclosures { disclosures }),
    )
        .into_response())
}

fn one(opened: OpenedDisclosure) -> Result<OneDisclosure, ApiError> {
    let disclosure = Disclosure::parse(&opened.disclosure).map_err(|_| ApiError::Panicked)?;
    Ok(OneDisclosure {
        digest: disclosure.digest().to_string(),
        name: disclosure.name().map(str::to_owned),
        value: disclosure.value().clone(),
        disclosure: opened.disclosure,
        person: opened.person,
    })
}

/// Forgets a person: destroys their disclosures and their key, and records that it was done. May be repeated. Under a legal hold
/// it is refused, and the refusal is recorded.
#[utoipa::path(post, path = "/v1/logs/{tenant}/persons/{id}/erase", tag = "persons",
    params(("tenant" = String, Path, description = "the log's tenant"), ("id" = String, Path, description = "the person, as reports named them"),
        ("Idempotency-Key" = Option<String>, Header, description = "a retry with the same key and body is answered the same")),
    request_body = NewErasure,
    responses((status = 200, body = Erased), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem), (status = 503, body = Problem)))]
pub(crate) async fn erase_person(
    State(app): State<App>,
    principal: Principal,
    Path((_, person)): Path<(String, String)>,
    headers: HeaderMap,
    Input { value, bytes }: Input<NewErasure>,
) -> Result<Json<Erased>, ApiError> {
    principal.require(Right::Persons)?;
    let asked = [person.as_bytes(), b"\n", &bytes].concat();
    let key = idempotency(&headers, &asked.into())?;
    let erasure = Erasure {
        person,
        basis: value.basis,
        attachments: value.attachments,
        token: None,
        disclosures: 0,
    };
    let receipt = submit(&app, &principal, Operation::Erase(erasure), key).await?;
    erased(&receipt, app.ledger.now().to_string())
}

fn erased(receipt: &Receipt, effective: String) -> Result<Json<Erased>, ApiError> {
    let committed = receipt.records.first().ok_or(ApiError::Panicked)?;
    match committed.event() {
        Ok(Event::PersonalErased(erased)) => Ok(Json(Erased {
            sequence: committed.sequence,
            disclosures: erased.disclosures,
            attachments: erased.attachments,
            effective,
            replayed: receipt.replayed,
        })),
        Ok(Event::ErasureRefused(refused)) => Err(ApiError::Held {
            hold: refused.hold,
            sequence: committed.sequence,
        }),
        _ => Err(ApiError::Panicked),
    }
}

/// Sets a legal hold: until it is lifted, the person it names, or nobody of this log, is erased.
#[utoipa::path(post, path = "/v1/logs/{tenant}/holds", tag = "persons",
    params(("tenant" = String, Path, description = "the log's tenant")), request_body = NewHold,
    responses((status = 201, body = Recorded), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem), (status = 503, body = Problem)))]
pub(crate) async fn set_hold(
    State(app): State<App>,
    principal: Principal,
    Input { value, .. }: Input<NewHold>,
) -> Result<(StatusCode, Json<Recorded>), ApiError> {
    principal.require(Right::Persons)?;
    let operation = Operation::SetHold(Hold {
        id: value.id,
        person: value.person,
        token: None,
        reason: value.reason,
    });
    let sequence = submit(&app, &principal, operation, None).await?.last();
    Ok((StatusCode::CREATED, Json(Recorded { sequence })))
}

/// Lifts a legal hold.
#[utoipa::path(post, path = "/v1/logs/{tenant}/holds/{id}/lift", tag = "persons",
    params(("tenant" = String, Path, description = "the log's tenant"), ("id" = String, Path, description = "the hold")),
    request_body = Lifting,
    responses((status = 200, body = Recorded), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 422, body = Problem), (status = 503, body = Problem)))]
pub(crate) async fn lift_hold(
    State(app): State<App>,
    principal: Principal,
    Path((_, id)): Path<(String, String)>,
    Input { value, .. }: Input<Lifting>,
) -> Result<Json<Recorded>, ApiError> {
    principal.require(Right::Persons)?;
    let reason = value.reason;
    let operation = Operation::LiftHold(HoldLifted { id, reason });
    let sequence = submit(&app, &principal, operation, None).await?.last();
    Ok(Json(Recorded { sequence }))
}
