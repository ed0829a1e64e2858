//! The log as files that never change (C2SP tlog-tiles), and proofs between two sizes of it. Who may only prove sees hashes, who may
//! read records sees lines.

use super::Checked;
use crate::app::App;
use crate::auth::{Principal, Right};
use crate::error::{ApiError, Problem};
use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use probity_schemas::tile::{TileContent, TilePath};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Routes of this group.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(get_tile))
        .routes(routes!(get_consistency))
}

/// For what never changes. `private`, because a cache that others share does not know who may read it.
pub(crate) const IMMUTABLE: &str = "private, max-age=31536000, immutable";

const BYTES: &str = "application/octet-stream";

/// A tile of the log's tree, or the lines below it (C2SP tlog-tiles): `<L>/<N>`, `entries/<N>`, and behind a partial one `.p/<W>`.
///
/// Every width that the log ever had can be asked for, and none of them ever changes. An entry bundle holds each line behind its
/// length, two bytes big-endian; it needs the right to read records.
#[utoipa::path(get, path = "/v1/logs/{tenant}/tile/{*path}", tag = "proofs",
    params(("tenant" = String, Path, description = "the log's tenant"),
        ("path" = String, Path, description = "e.g. `0/x001/x234/067`, `1/000.p/17`, `entries/273.p/112`")),
    responses((status = 200, content_type = "application/octet-stream", body = Vec<u8>), (status = 400, body = Problem),
        (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn get_tile(
    State(app): State<App>,
    principal: Principal,
    Path((_, path)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    principal.require(Right::Prove)?;
    let path: TilePath = path
        .parse()
        .map_err(|error| malformed(format!("{path}: {error}")))?;
    if path.content == TileContent::Entries {
        principal.require(Right::Records)?;
    }
    let tile = app.ledger.tile(&principal.tenant, &path).await?;
    let tile = tile.ok_or(ApiError::NotFound { what: "tile" })?;
    let headers = [(CONTENT_TYPE, BYTES), (CACHE_CONTROL, IMMUTABLE)];
    Ok((headers, tile).into_response())
}

/// Two sizes of a log.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Sizes {
    /// The older size: records of the checkpoint that you kept.
    from: u64,
    /// The newer size: records of the checkpoint that you were given.
    to: u64,
}

/// The proof that the log of the older size is the beginning of the log of the newer one (RFC 6962): one hash a line, base64.
///
/// The lines are those that a request to a witness carries (C2SP tlog-witness). There are none when the sizes are equal or the
/// older one is 0: then there is nothing to prove.
#[utoipa::path(get, path = "/v1/logs/{tenant}/consistency", tag = "proofs",
    params(("tenant" = String, Path, description = "the log's tenant"), Sizes),
    responses((status = 200, content_type = "text/plain", body = String), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn get_consistency(
    State(app): State<App>,
    principal: Principal,
    Checked(Sizes { from, to }): Checked<Sizes>,
) -> Result<Response, ApiError> {
    principal.require(Right::Prove)?;
    if from > to {
        return Err(ApiError::Invalid {
            detail: format!("from, to: {from} is more than {to}"),
        });
    }
    let proof = app.ledger.consistency(&principal.tenant, from, to).await?;
    let proof = proof.ok_or(ApiError::NotFound { what: "size" })?;
    let lines: String = proof.iter().map(|hash| format!("{hash}\n")).collect();
    Ok(([(CACHE_CONTROL, IMMUTABLE)], lines).into_response())
}

const fn malformed(detail: String) -> ApiError {
    ApiError::Malformed { detail }
}
