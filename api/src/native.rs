//! The native API, `/v1/…`: logs, records, receipts, bundles, credentials, views. One file a group of endpoints.
//!
//! Handlers read words, ask for a right, call, answer. Their names are the operation ids of the OpenAPI document.

pub(crate) mod approvals;
pub(crate) mod attachments;
pub(crate) mod bundles;
pub(crate) mod credentials;
pub(crate) mod decisions;
pub(crate) mod follow;
pub(crate) mod keys;
pub(crate) mod observations;
pub(crate) mod openapi;
pub(crate) mod page;
pub(crate) mod persons;
pub(crate) mod proofs;
pub(crate) mod records;
pub(crate) mod signers;
pub(crate) mod spending;
pub(crate) mod tiles;
pub(crate) mod views;
pub(crate) mod witnesses;

use crate::app::App;
use crate::auth::Principal;
use crate::error::ApiError;
use crate::limits::IDEMPOTENCY_KEY_BYTES_MAX;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::header::CONTENT_LENGTH;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use probity_governance::command::{Command, Operation};
use probity_ledger::{Idempotency, Receipt, Submission};
use serde::de::DeserializeOwned;
use utoipa_axum::router::OpenApiRouter;

/// What records call this surface.
pub(crate) const SURFACE: &str = "native";

/// Every native route.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(observations::routes())
        .merge(records::routes())
        .merge(attachments::routes())
        .merge(proofs::routes())
        .merge(tiles::routes())
        .merge(bundles::routes())
        .merge(witnesses::routes())
        .merge(persons::routes())
        .merge(decisions::routes())
        .merge(credentials::routes())
        .merge(keys::routes())
        .merge(signers::routes())
        .merge(approvals::routes())
        .merge(spending::routes())
        .merge(views::routes())
}

/// A command of the caller's, through this surface.
pub(crate) fn command(principal: &Principal, operation: Operation) -> Command {
    Command {
        actor: principal.actor.clone(),
        surface: SURFACE,
        workspace: None,
        correlation: None,
        causation: None,
        traceparent: None,
        operation,
    }
}

/// Submits a command in the log of its caller.
pub(crate) async fn submit(
    app: &App,
    principal: &Principal,
    operation: Operation,
    idempotency: Option<Idempotency>,
) -> Result<Receipt, ApiError> {
    let submission = Submission {
        command: command(principal, operation),
        idempotency,
        attachments: Vec::new(),
    };
    Ok(app.ledger.submit(&principal.tenant, submission).await?)
}

/// The `Idempotency-Key` of a request, and the body that it stands for.
pub(crate) fn idempotency(
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<Option<Idempotency>, ApiError> {
    let Some(key) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    let key = key
        .to_str()
        .ok()
        .filter(|key| (1..=IDEMPOTENCY_KEY_BYTES_MAX).contains(&key.len()));
    let key = key.ok_or_else(|| ApiError::Malformed {
        detail: "idempotency-key: expected 1 to 255 printable bytes".to_owned(),
    })?;
    Ok(Some(Idempotency {
        key: key.to_owned(),
        body: body.clone(),
    }))
}

/// A JSON body, and its bytes.
pub(crate) struct Input<T> {
    pub(crate) value: T,
    pub(crate) bytes: Bytes,
}

impl<T: DeserializeOwned> FromRequest<App> for Input<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &App) -> Result<Self, ApiError> {
        let json = is_media_type(request.headers(), "application/json");
        if !json {
            return Err(ApiError::MediaType {
                expected: "application/json",
            });
        }
        let bytes = body(request, app).await?;
        let value = serde_json::from_slice(&bytes).map_err(|error| ApiError::Malformed {
            detail: error.to_string(),
        })?;
        Ok(Self { value, bytes })
    }
}

/// A body within the limit.
pub(crate) async fn body(request: Request, app: &App) -> Result<Bytes, ApiError> {
    let max = app.config.body_bytes_max as u64;
    let too_large = || ApiError::TooLarge {
        what: "bytes of the body",
        max,
    };
    // A length that is announced need not be waited for.
    let announced = request.headers().get(CONTENT_LENGTH);
    let announced = announced.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > max) {
        return Err(too_large());
    }
    let bytes = Bytes::from_request(request, app).await;
    bytes.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => too_large(),
        _ => ApiError::Malformed {
            detail: "the body broke off".to_owned(),
        },
    })
}

/// Whether the body is said to be of a media type; parameters after it do not matter.
pub(crate) fn is_media_type(headers: &HeaderMap, expected: &str) -> bool {
    let value = headers
        .get(axum::http::header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    value
        .split(';')
        .next()
        .is_some_and(|essence| essence.trim().eq_ignore_ascii_case(expected))
}

/// A query that names only what is known.
pub(crate) struct Checked<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequestParts<App> for Checked<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let query = Query::from_request_parts(parts, app).await;
        query
            .map(|Query(value)| Self(value))
            .map_err(|error| ApiError::Malformed {
                detail: error.body_text(),
            })
    }
}
