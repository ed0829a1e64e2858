//! Appending observations: a batch of NDJSON, all or nothing.

use super::{body, idempotency, is_media_type, submit};
use crate::app::App;
use crate::auth::{Principal, Right};
use crate::error::{ApiError, Problem};
use crate::limits::RECEIPTS_MAX;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use probity_governance::command::{Observation, Operation, Personal};
use probity_ledger::Receipt;
use probity_schemas::body::Body;
use probity_schemas::event::telemetry::AttachmentRef;
use probity_schemas::limits::{BATCH_BYTES_MAX, BATCH_LINES_MAX, RECORD_ATTACHMENTS_MAX};
use probity_schemas::subject::{RESERVED_THINGS, Subject};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// RFC 7240: which preference was kept to.
const PREFERENCE_APPLIED: &str = "preference-applied";

/// Routes of this group.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(append_records))
}

/// One line of a batch.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ObservationLine<'a> {
    /// The reporter's label for this kind of observation.
    kind: String,
    /// What it is about, `<thing>/<id>`. Not a thing whose stream carries state (decision, policy, …).
    #[schema(example = "ticket/4711")]
    subject: String,
    /// What was observed: any JSON value.
    #[serde(borrow)]
    #[schema(value_type = Object)]
    data: &'a RawValue,
    /// Content that belongs to it, uploaded before; at most 16.
    #[serde(default)]
    attachments: Vec<AttachmentLine>,
    /// Values in `data` about persons: they stand in the record as digests alone, and can be erased.
    #[serde(default)]
    personal: Vec<PersonalValue>,
    /// CloudEvents `correlationid`: e.g. the execution or decision it belongs to.
    correlationid: Option<String>,
    /// CloudEvents `causationid`.
    causationid: Option<String>,
    /// W3C `traceparent`.
    traceparent: Option<String>,
}

/// Content that a line names.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AttachmentLine {
    /// BLAKE3 of the content, 64 lower-case hexadecimal digits.
    blake3: String,
    /// Its length.
    bytes: u64,
    /// Its media type.
    #[schema(example = "image/png")]
    media_type: String,
}

/// A value about a person.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PersonalValue {
    /// Where in `data`: a JSON Pointer (RFC 6901).
    #[schema(example = "/customer/email")]
    pointer: String,
    /// About whom: the id under which the person can be erased.
    #[schema(example = "customer-4711")]
    person: String,
}

/// Where a batch went.
#[derive(Serialize, ToSchema)]
pub(crate) struct Appended {
    /// Sequence of its first record.
    first: Option<u64>,
    /// Sequence of its last record.
    last: Option<u64>,
    /// How many records it became.
    count: u64,
    /// Size of the log that the checkpoint below covers.
    size: u64,
    /// Whether this is the answer to an earlier request with the same idempotency key.
    replayed: bool,
    /// The signed checkpoint that covers the batch (C2SP tlog-checkpoint).
    checkpoint: String,
    /// With `Prefer: receipt`: the last record's receipt (C2SP tlog-proof).
    #[serde(skip_serializing_if = "Option::is_none")]
    receipt: Option<String>,
    /// With `Prefer: receipts`: every record's receipt, in order. For at most 100 records; more are refused, and not recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    receipts: Option<Vec<String>>,
}

/// Appends a batch of observations, one JSON object a line: all of them, or none.
#[utoipa::path(post, path = "/v1/logs/{tenant}/records", tag = "records",
    params(("tenant" = String, Path, description = "the log's tenant"),
        ("Idempotency-Key" = Option<String>, Header, description = "a retry with the same key and body is answered the same"),
        ("Prefer" = Option<String>, Header, description = "`receipt` (of the last record) or `receipts` (of every record, at most 100)")),
    request_body(content = ObservationLine<'_>, content_type = "application/x-ndjson"),
    responses((status = 201, body = Appended, headers(("Preference-Applied" = Option<String>, description = "the preference that was kept to"))),
        (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 413, body = Problem), (status = 415, body = Problem), (status = 422, body = Problem), (status = 503, body = Problem)))]
pub(crate) async fn append_records(
    State(app): State<App>,
    principal: Principal,
    headers: HeaderMap,
    Batch(bytes): Batch,
) -> Result<Response, ApiError> {
    principal.require(Right::Append)?;
    let wanted = Wanted::of(&headers);
    let key = idempotency(&headers, &bytes)?;
    // Canonical form of up to 16 MiB: not on a thread that others wait for.
    let observations = tokio::task::spawn_blocking(move || observations(&bytes))
        .await
        .map_err(|_| ApiError::Panicked)??;
    wanted.check(observations.len())?;
    let receipt = submit(&app, &principal, Operation::Observe(observations), key).await?;
    let body = Json(appended(&app, &receipt, wanted).await?);
    let applied = wanted.applied().map(|name| [(PREFERENCE_APPLIED, name)]);
    Ok((StatusCode::CREATED, applied, body).into_response())
}

/// The body of a batch, of the right media type and within its limit.
pub(crate) struct Batch(Bytes);

impl FromRequest<App> for Batch {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &App) -> Result<Self, ApiError> {
        if !is_media_type(request.headers(), "application/x-ndjson") {
            return Err(ApiError::MediaType {
                expected: "application/x-ndjson",
            });
        }
        let bytes = body(request, app).await?;
        let fits = bytes.len() <= BATCH_BYTES_MAX;
        if fits {
            Ok(Self(bytes))
        } else {
            Err(ApiError::TooLarge {
                what: "bytes of a batch",
                max: BATCH_BYTES_MAX as u64,
            })
        }
    }
}

/// Which receipts a caller asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    None,
    Last,
    All,
}

impl Wanted {
    /// Reads `Prefer` (RFC 7240): names in any case, parameters passed over, the first of two rules.
    fn of(headers: &HeaderMap) -> Self {
        let preferences = headers
            .get_all("prefer")
            .iter()
            .filter_map(|value| value.to_str().ok());
        let mut names = preferences
            .flat_map(|text| text.split(','))
            .filter_map(|preference| preference.split(';').next())
            .map(str::trim);
        names
            .find_map(|name| {
                [Self::Last, Self::All].into_iter().find(|wanted| {
                    let known = wanted.applied();
                    known.is_some_and(|known| name.eq_ignore_ascii_case(known))
                })
            })
            .unwrap_or(Self::None)
    }

    /// What `Preference-Applied` says.
    const fn applied(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Last => Some("receipt"),
            Self::All => Some("receipts"),
        }
    }

    /// Refuses to record what could then not be answered as asked.
    const fn check(self, records: usize) -> Result<(), ApiError> {
        if matches!(self, Self::All) && records as u64 > RECEIPTS_MAX {
            return Err(ApiError::TooLarge {
                what: "records of a batch that asks for every receipt",
                max: RECEIPTS_MAX,
            });
        }
        Ok(())
    }
}

async fn appended(app: &App, receipt: &Receipt, wanted: Wanted) -> Result<Appended, ApiError> {
    let (first, last) = (receipt.first(), receipt.last());
    let count = receipt.records.len() as u64;
    let mut receipts = Vec::new();
    for sequence in sequences(first, last, wanted) {
        receipts.extend(app.ledger.inclusion(&receipt.tenant, sequence).await?);
    }
    Ok(Appended {
        first,
        last,
        count,
        size: receipt.size,
        replayed: receipt.replayed,
        checkpoint: receipt.checkpoint.to_string(),
        receipt: if wanted == Wanted::Last {
            receipts.pop()
        } else {
            None
        },
        receipts: if wanted == Wanted::All {
            Some(receipts)
        } else {
            None
        },
    })
}

/// The records whose receipts are wanted.
fn sequences(first: Option<u64>, last: Option<u64>, wanted: Wanted) -> std::ops::Range<u64> {
    let end = last.map_or(0, |last| last + 1);
    match wanted {
        Wanted::None => 0..0,
        Wanted::Last => end.saturating_sub(1)..end,
        Wanted::All => first.unwrap_or(end)..end,
    }
}

/// Reads a batch. Every line must be good, or none is taken.
fn observations(batch: &[u8]) -> Result<Vec<Observation>, ApiError> {
    let batch = batch.strip_suffix(b"\n").unwrap_or(batch);
    if batch.is_empty() {
        return Err(ApiError::Invalid {
            detail: "the batch is empty".to_owned(),
        });
    }
    let lines = batch.split(|byte| *byte == b'\n').enumerate();
    let mut observations = Vec::new();
    for (index, line) in lines {
        if index >= BATCH_LINES_MAX {
            return Err(ApiError::TooLarge {
                what: "lines of a batch",
                max: BATCH_LINES_MAX as u64,
            });
        }
        observations.push(observation(line).map_err(|detail| ApiError::Line {
            line: index as u64 + 1,
            detail,
        })?);
    }
    Ok(observations)
}

fn observation(line: &[u8]) -> Result<Observation, String> {
    let line: ObservationLine<'_> =
        serde_json::from_slice(line).map_err(|error| error.to_string())?;
    let subject = Subject::parse(&line.subject).map_err(|error| error.to_string())?;
    if RESERVED_THINGS.contains(&subject.thing()) {
        return Err(format!(
            "subject: {} carries state; name it in correlationid instead",
            subject.thing()
        ));
    }
    let body =
        Body::from_foreign(line.data.get().as_bytes()).map_err(|error| format!("data: {error}"))?;
    Ok(Observation {
        attachments: attachments(line.attachments)?,
        kind: line.kind,
        subject,
        body,
        personal: line.personal.into_iter().map(Personal::from).collect(),
        correlation: line.correlationid,
        causation: line.causationid,
        traceparent: line.traceparent,
    })
}

fn attachments(lines: Vec<AttachmentLine>) -> Result<Vec<AttachmentRef>, String> {
    if lines.len() > RECORD_ATTACHMENTS_MAX {
        return Err(format!("attachments: more than {RECORD_ATTACHMENTS_MAX}"));
    }
    let named = lines.into_iter().map(|line| {
        let named = AttachmentRef {
            blake3: line.blake3,
            bytes: line.bytes,
            media_type: line.media_type,
        };
        match named.fault() {
            Some(fault) => Err(format!("attachments: {fault}")),
            None => Ok(named),
        }
    });
    named.collect()
}

impl From<PersonalValue> for Personal {
    fn from(value: PersonalValue) -> Self {
        Self {
            pointer: value.pointer,
            person: value.person,
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::{Wanted, observations, sequences};
    use crate::error::ApiError;
    use axum::http::{HeaderMap, HeaderName};

    const GOOD: &str = r#"{"kind":"seen","subject":"ticket/1","data":{"b":1,"a":2}}"#;

    #[test]
    fn a_batch_is_read_line_by_line() {
        let two = observations(format!("{GOOD}\n{GOOD}\n").as_bytes()).unwrap();
        assert_eq!(two.len(), 2);
        assert_eq!(two[0].body.as_str(), r#"{"a":2,"b":1}"#);
        assert_eq!(observations(GOOD.as_bytes()).unwrap().len(), 1);
    }

    /// What is refused, and the line that is named.
    #[test]
    fn a_bad_line_is_named() {
        let bad = [
            "",
            "{}",
            "[]",
            "not json",
            r#"{"kind":"seen","subject":"ticket/1"}"#,
            r#"{"kind":"seen","subject":"ticket","data":1}"#,
            r#"{"kind":"seen","subject":"decision/1","data":1}"#,
            r#"{"kind":"seen","subject":"ticket/1","data":{"a":1,"a":2}}"#,
            r#"{"kind":"seen","subject":"ticket/1","data":9007199254740993}"#,
            r#"{"kind":"seen","subject":"ticket/1","data":1,"extra":1}"#,
            r#"{"kind":"seen","subject":"ticket/1","data":1,"attachments":[{"blake3":"AB","bytes":1,"media_type":"text/plain"}]}"#,
        ];
        for line in bad {
            let error = observations(format!("{GOOD}\n{line}\n{GOOD}").as_bytes()).unwrap_err();
            assert!(
                matches!(error, ApiError::Line { line: 2, .. }),
                "{line}: {error}"
            );
        }
    }

    #[test]
    fn an_empty_or_endless_batch_is_refused() {
        assert!(matches!(observations(b""), Err(ApiError::Invalid { .. })));
        assert!(matches!(observations(b"\n"), Err(ApiError::Invalid { .. })));
        let endless = format!("{GOOD}\n").repeat(10_001);
        assert!(matches!(
            observations(endless.as_bytes()),
            Err(ApiError::TooLarge { .. })
        ));
    }

    #[test]
    fn receipts_come_as_asked_for() {
        let prefer = |text: &str| {
            Wanted::of(&HeaderMap::from_iter([(
                HeaderName::from_static("prefer"),
                text.parse().unwrap(),
            )]))
        };
        assert_eq!(prefer("respond-async, receipt"), Wanted::Last);
        assert_eq!(prefer("receipts"), Wanted::All);
        assert_eq!(prefer("Receipt; why=not, receipts"), Wanted::Last);
        assert_eq!(prefer("return=minimal"), Wanted::None);
        assert_eq!(sequences(Some(3), Some(5), Wanted::Last), 5..6);
        assert_eq!(sequences(Some(3), Some(5), Wanted::All), 3..6);
        assert!(sequences(None, None, Wanted::All).is_empty());
        assert!(Wanted::All.check(100).is_ok() && Wanted::Last.check(101).is_ok());
        let refused = Wanted::All.check(101);
        assert!(matches!(refused, Err(ApiError::TooLarge { max: 100, .. })));
    }
}
