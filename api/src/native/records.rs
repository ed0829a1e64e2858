//! Reading records: the exact lines, NDJSON, by position, by subject, by time, and on as they come.

use super::Checked;
use super::follow::{Selection, lines};
use crate::app::App;
use crate::auth::{Principal, Right};
use crate::error::{ApiError, Problem};
use axum::body::Body;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use probity_schemas::subject::is_subject;
use probity_schemas::time::Time;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Routes of this group.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(read_records))
}

/// Which records.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct RecordQuery {
    /// The first sequence; with `subject`, the first revision. 0 when absent.
    from: Option<u64>,
    /// How many records at most. All when absent.
    limit: Option<u64>,
    /// Only of this subject, e.g. `decision/0199…`.
    subject: Option<String>,
    /// Only records not before this time (RFC 3339).
    since: Option<String>,
    /// After the last record go on with new ones as they come, until the client or the server stops.
    #[serde(default)]
    follow: bool,
}

/// Streams records: the exact lines of the log, one a line.
#[utoipa::path(get, path = "/v1/logs/{tenant}/records", tag = "records",
    params(("tenant" = String, Path, description = "the log's tenant"), RecordQuery),
    responses((status = 200, content_type = "application/x-ndjson", body = String,
            headers(("x-probity-size" = u64, description = "how many records the log had"))),
        (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn read_records(
    State(app): State<App>,
    principal: Principal,
    Checked(query): Checked<RecordQuery>,
) -> Result<Response, ApiError> {
    principal.require(Right::Records)?;
    let selection = query.selection()?;
    let reader = app.ledger.reader();
    let head = reader
        .log(&principal.tenant)
        .await?
        .ok_or(ApiError::NotFound { what: "log" })?;
    let size = head.size;
    let stream = lines(reader, head, selection, app.stopping.clone()).await?;
    let headers = [
        (CONTENT_TYPE.as_str(), "application/x-ndjson".to_owned()),
        ("x-probity-size", size.to_string()),
    ];
    Ok((headers, Body::from_stream(stream)).into_response())
}

impl RecordQuery {
    fn selection(self) -> Result<Selection, ApiError> {
        let invalid = |detail: &str| ApiError::Invalid {
            detail: detail.to_owned(),
        };
        if self.subject.is_some() && self.since.is_some() {
            return Err(invalid("subject, since: expected one of the two"));
        }
        if self
            .subject
            .as_deref()
            .is_some_and(|subject| !is_subject(subject))
        {
            return Err(invalid("subject: expected thing/id"));
        }
        let since = self.since.as_deref().map(Time::parse_rfc3339).transpose();
        Ok(Selection {
            from: self.from.unwrap_or(0),
            limit: self.limit.unwrap_or(u64::MAX),
            subject: self.subject,
            since: since.map_err(|_| invalid("since: expected an RFC 3339 time"))?,
            follow: self.follow,
        })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::RecordQuery;

    #[test]
    fn a_query_selects_in_one_way() {
        let query = |subject: Option<&str>, since: Option<&str>| {
            let texts = (subject.map(str::to_owned), since.map(str::to_owned));
            RecordQuery {
                subject: texts.0,
                since: texts.1,
                ..RecordQuery::default()
            }
            .selection()
        };
        assert_eq!(query(None, None).unwrap().limit, u64::MAX);
        assert!(query(Some("decision/1"), None).is_ok());
        assert!(query(None, Some("2026-11-22T10:11:12+01:00")).is_ok());
        for (subject, since) in [
            (Some("decision"), None),
            (None, Some("yesterday")),
            (Some("a/b"), Some("2026-11-22T10:11:12Z")),
        ] {
            assert!(query(subject, since).is_err(), "{subject:?} {since:?}");
        }
    }
}
