//! What every answer from a view has: a page, the position it was read at, and a bounded wait for the position asked for.

use crate::app::App;
use crate::auth::{Principal, Right};
use crate::error::ApiError;
use crate::limits::{PAGE_ROWS_DEFAULT, PAGE_ROWS_MAX, POSITION_WAIT_MILLIS};
use axum::Json;
use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use probity_projections::{Page, Position};
use probity_schemas::time::Time;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use utoipa::{IntoParams, ToSchema};

/// How many records the view had seen when it answered.
pub(crate) const POSITION: HeaderName = HeaderName::from_static("x-probity-position");

/// Which part of a list, and how fresh.
#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageQuery {
    /// Rows at most: 1 to 500, 50 when absent.
    limit: Option<u32>,
    /// Rows to leave out first.
    offset: Option<u32>,
    /// Wait (bounded) until the view has seen so many records: one more than the sequence of a record that must be in it. When absent,
    /// the view shows what was committed when it was asked; one that is further behind answers as it is.
    min_position: Option<u64>,
}

/// Part of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Rows<T> {
    /// The rows.
    pub(crate) items: Vec<T>,
    /// Rows at most, as asked for.
    pub(crate) limit: u32,
    /// Rows left out first, as asked for.
    pub(crate) offset: u32,
}

/// A row of a view, an object; what its fields are is written where the view is.
#[derive(ToSchema)]
#[schema(value_type = Object)]
#[expect(
    dead_code,
    reason = "a name in the document; rows are written as the views give them"
)]
pub(crate) struct Row(serde_json::Map<String, serde_json::Value>);

impl PageQuery {
    /// Lets a reader of views in, and waits for the position it asks for, or for what is committed now.
    pub(crate) async fn admit(&self, app: &App, principal: &Principal) -> Result<(), ApiError> {
        principal.require(Right::Views)?;
        let Some(size) = self.min_position else {
            return Ok(app.settle(&principal.tenant).await?);
        };
        let wait = Duration::from_millis(POSITION_WAIT_MILLIS);
        let reached = app.views.wait(&principal.tenant, size, wait).await;
        reached.map(drop).map_err(|not_yet| ApiError::NotYet {
            position: not_yet.position.size,
        })
    }

    /// The page.
    pub(crate) fn page(&self) -> Page {
        let limit = self
            .limit
            .unwrap_or(PAGE_ROWS_DEFAULT)
            .clamp(1, PAGE_ROWS_MAX);
        Page {
            limit,
            offset: self.offset.unwrap_or(0),
        }
    }

    /// Rows as an answer.
    pub(crate) fn answer<T: Serialize>(&self, (items, position): (Vec<T>, Position)) -> Response {
        let Page { limit, offset } = self.page();
        positioned(
            &Rows {
                items,
                limit,
                offset,
            },
            &position,
        )
    }
}

/// An answer with its position.
pub(crate) fn positioned(body: &impl Serialize, position: &Position) -> Response {
    ([(POSITION, HeaderValue::from(position.size))], Json(body)).into_response()
}

/// A time in a query.
pub(crate) fn time(name: &str, text: Option<&str>) -> Result<Option<Time>, ApiError> {
    let read = |text| {
        Time::parse_rfc3339(text).map_err(|_| ApiError::Invalid {
            detail: format!("{name}: expected an RFC 3339 time"),
        })
    };
    text.map(read).transpose()
}

/// Words of a closed list, separated by commas.
pub(crate) fn words<T>(
    name: &str,
    text: Option<&str>,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Vec<T>, ApiError> {
    let words = text
        .into_iter()
        .flat_map(|text| text.split(','))
        .map(str::trim);
    words
        .map(|word| {
            parse(word).ok_or_else(|| ApiError::Invalid {
                detail: format!("{name}: {word:?} is not known"),
            })
        })
        .collect()
}

/// A word of a closed list.
pub(crate) fn word<T>(
    name: &str,
    text: Option<&str>,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, ApiError> {
    Ok(words(name, text, parse)?.pop())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::{PageQuery, time, words};
    use probity_schemas::vocabulary::Verdict;

    #[test]
    fn pages_are_bounded() {
        let page = |limit| {
            PageQuery {
                limit,
                ..PageQuery::default()
            }
            .page()
            .limit
        };
        assert_eq!(
            [
                page(None),
                page(Some(0)),
                page(Some(7)),
                page(Some(u32::MAX))
            ],
            [50, 1, 7, 500]
        );
    }

    #[test]
    fn words_and_times_are_read_or_refused() {
        assert_eq!(
            words("verdict", Some("allow, deny"), Verdict::parse).unwrap(),
            [Verdict::Allow, Verdict::Deny]
        );
        assert!(words("verdict", None, Verdict::parse).unwrap().is_empty());
        assert!(words("verdict", Some("maybe"), Verdict::parse).is_err());
        assert!(
            time("since", Some("2026-11-22T10:11:12Z"))
                .unwrap()
                .is_some()
        );
        assert!(time("since", Some("yesterday")).is_err());
    }
}
