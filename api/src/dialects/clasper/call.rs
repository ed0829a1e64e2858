//! What every handler does alike: know its caller, submit, read a case, wait for a view.
//!
//! No endpoint's words are here. Whoever holds a good token is let in here; what it may do, the rules say.

use super::case::Case;
use super::credentials::{self, ADAPTER_HEADER, Adapter, GoodTokens, OPERATOR_HEADER, Place};
use super::envelope::Failure;
use crate::app::App;
use crate::open::OPERATOR_ACTOR;
use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::StatusCode;
use axum::http::request::Parts;
use probity_governance::command::{Alias, Command, Operation};
use probity_governance::state::Directory;
use probity_ledger::clock::{Clock as _, SystemClock};
use probity_ledger::store::{Attachment, LogNumber, Span, StoredRecord};
use probity_ledger::{Receipt, Submission};
use probity_projections::Entry;
use probity_schemas::event::Event;
use probity_schemas::subject::Subject;
use probity_schemas::time::Time;
use std::sync::Arc;
use uuid::Uuid;

/// What records call this surface.
const SURFACE: &str = "clasper";

/// The workspace of a new data directory, and the only one of this surface.
const WORKSPACE: &str = "local";

/// Records of a case that are read at once, and bytes of their lines.
const CASE_RECORDS_MAX: u32 = 256;
const CASE_BYTES_MAX: usize = 1024 * 1024;

/// An operator who proved to hold the shared key.
pub(crate) struct Operator;

/// Where this surface's tokens are valid.
pub(crate) fn place(app: &App) -> Place<'_> {
    let secrets = &app.config.secrets;
    Place {
        secret: secrets.adapter_jwt.as_ref().map(|secret| secret.as_str()),
        algorithm: secrets.adapter_jwt_algorithm,
        tenant: app.config.tenant.as_str(),
        workspace: WORKSPACE,
    }
}

/// The time, for what runs out.
pub(crate) fn now() -> Time {
    SystemClock.now()
}

impl FromRequestParts<App> for Adapter {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let token = header(&parts.headers, ADAPTER_HEADER);
        let known = parts.extensions.get::<Arc<GoodTokens>>();
        let known = known.ok_or_else(Failure::unanswerable)?;
        let adapter = credentials::adapter(token, place(app), now().micros() / 1_000_000, known)?;
        admit(app, &adapter.actor).await?;
        Ok(adapter)
    }
}

impl FromRequestParts<App> for Operator {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let configured = app.config.secrets.ops_key.as_ref().map(|key| key.as_str());
        credentials::operator(header(&parts.headers, OPERATOR_HEADER), configured)?;
        admit(app, OPERATOR_ACTOR).await?;
        Ok(Self)
    }
}

fn header<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Lets an authenticated caller in, unless its credential was revoked in the log, or it asks too often.
async fn admit(app: &App, actor: &str) -> Result<(), Failure> {
    let span = tracing::Span::current();
    span.record("tenant.id", app.config.tenant.as_str())
        .record("actor.id", actor);
    app.count_request(actor)?;
    if directory(app).await?.roles_of(actor).is_empty() {
        let error = "The credential is revoked".to_owned();
        return Err(Failure::Credential {
            status: StatusCode::FORBIDDEN,
            error,
            code: "invalid_token",
        });
    }
    Ok(())
}

/// What is in force now.
pub(crate) async fn directory(app: &App) -> Result<Arc<Directory>, Failure> {
    Ok(app
        .ledger
        .directory(&app.config.tenant)
        .await?
        .unwrap_or_default())
}

/// Submits what an actor asks for.
pub(crate) async fn submit(
    app: &App,
    actor: &str,
    operation: Operation,
) -> Result<Receipt, Failure> {
    submit_with(app, actor, operation, Vec::new()).await
}

/// Submits what an actor asks for, with what is kept beside its records.
pub(crate) async fn submit_with(
    app: &App,
    actor: &str,
    operation: Operation,
    attachments: Vec<Attachment>,
) -> Result<Receipt, Failure> {
    let command = command(actor, operation);
    let submission = Submission {
        command,
        idempotency: None,
        attachments,
    };
    Ok(app.ledger.submit(&app.config.tenant, submission).await?)
}

/// A command of an actor through this surface. What is about one execution is correlated by it.
fn command(actor: &str, operation: Operation) -> Command {
    let correlation = match &operation {
        Operation::RequestDecision(asked) => asked.request.execution.clone(),
        Operation::Report(report) => Some(report.execution.clone()),
        _ => None,
    };
    Command {
        actor: actor.to_owned(),
        surface: SURFACE,
        workspace: None,
        correlation,
        causation: None,
        traceparent: None,
        operation,
    }
}

/// A receipt's records, as views read them.
pub(crate) fn entries(receipt: &Receipt) -> Result<Vec<Entry>, Failure> {
    let stored = receipt.records.iter().map(|record| StoredRecord {
        sequence: record.sequence,
        leaf: record.leaf,
        line: Arc::clone(&record.line),
    });
    stored.map(|stored| entry(&stored)).collect()
}

fn entry(stored: &StoredRecord) -> Result<Entry, Failure> {
    Entry::decode(stored).map_err(|fault| Failure::corrupt(&fault))
}

/// When the thing that a record changes came into being: the time of the first record since it was last retired.
pub(crate) async fn first(app: &App, changed: &Entry) -> Result<Time, Failure> {
    let history = history(app, &changed.subject).await?;
    let before = history
        .into_iter()
        .take_while(|entry| entry.sequence <= changed.sequence);
    let began = before.fold(None, |began, entry| match entry.event {
        Event::PolicyRetired(_) => None,
        _ => began.or(Some(entry.time)),
    });
    Ok(began.unwrap_or(changed.time))
}

/// The decision of this id, from its own records.
pub(crate) async fn case(app: &App, decision: Uuid) -> Result<Option<Case>, Failure> {
    Case::fold(history(app, &Subject::of("decision", decision)).await?)
}

/// The newest decision about an adapter's execution, from its own records.
pub(crate) async fn case_of_execution(
    app: &App,
    adapter: &Adapter,
    execution: &str,
) -> Result<Option<Case>, Failure> {
    let Some(log) = log(app).await? else {
        return Ok(None);
    };
    let alias = Alias::execution(&adapter.actor, None, execution);
    let subject = app.ledger.reader().subject_of(log, &alias).await?;
    match subject.and_then(|subject| Subject::parse(&subject).ok()) {
        Some(subject) => Case::fold(history(app, &subject).await?),
        None => Ok(None),
    }
}

/// The records of a subject, in order.
pub(crate) async fn history(app: &App, subject: &Subject) -> Result<Vec<Entry>, Failure> {
    let Some(log) = log(app).await? else {
        return Ok(Vec::new());
    };
    let reader = app.ledger.reader();
    let mut entries: Vec<Entry> = Vec::new();
    loop {
        let span = Span::Subject(subject.as_str(), entries.len() as u64);
        let page = reader
            .read(log, span, CASE_RECORDS_MAX, CASE_BYTES_MAX)
            .await?;
        if page.is_empty() {
            return Ok(entries);
        }
        for stored in &page {
            entries.push(entry(stored)?);
        }
    }
}

async fn log(app: &App) -> Result<Option<LogNumber>, Failure> {
    Ok(app
        .ledger
        .reader()
        .log(&app.config.tenant)
        .await?
        .map(|head| head.log))
}
