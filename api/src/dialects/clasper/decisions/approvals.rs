//! Decisions as operators see them: what waits for a person, and the person's answer.

use super::super::call::{self, Operator};
use super::super::envelope::{ErrorBody, Failure, already_resolved};
use super::super::fields::{self, Fields};
use super::super::intake::{Parameters, Payload};
use super::wire::{self, DecisionRecord};
use super::{known, query};
use crate::app::App;
use crate::open::OPERATOR_ACTOR;
use axum::Json;
use axum::extract::{Path, State};
use probity_governance::command::{Operation, Reply, Resolution, Standing};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

/// Characters of a note or a justification.
const NOTE_CHARACTERS_MAX: usize = 2_000;

/// Routes of this group.
pub(in super::super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_decisions))
        .routes(routes!(resolve_decision))
}

/// Decisions, newest first.
#[derive(Serialize, ToSchema)]
pub(crate) struct DecisionRecords {
    decisions: Vec<DecisionRecord>,
}

/// One decision.
#[derive(Serialize, ToSchema)]
pub(crate) struct ResolvedDecision {
    decision: DecisionRecord,
}

/// A person's answer to a pending decision.
#[derive(Debug, PartialEq, ToSchema)]
pub(crate) struct ResolutionBody {
    /// approved or denied.
    #[schema(value_type = String)]
    status: bool,
    /// A remark.
    #[schema(max_length = 2000)]
    note: Option<String>,
    /// Why.
    #[schema(max_length = 2000)]
    justification: Option<String>,
}

impl ResolutionBody {
    fn read(mut fields: Fields) -> Result<Self, fields::Faults> {
        let body = Self {
            status: fields.required("status", answer),
            note: fields.optional("note", remark),
            justification: fields.optional("justification", remark),
        };
        fields.close(body)
    }

    fn translate(self, decision: Uuid) -> Resolution {
        Resolution {
            decision,
            grant: self.status,
            justification: self.justification,
            note: self.note,
            signature: None,
        }
    }
}

fn answer(raw: &str) -> Result<bool, String> {
    match fields::text(raw)?.as_str() {
        "approved" => Ok(true),
        "denied" => Ok(false),
        other => Err(fields::not_a_word(&["approved", "denied"], other)),
    }
}

fn remark(raw: &str) -> Result<String, String> {
    let text = fields::text(raw)?;
    let fits = text.chars().count() <= NOTE_CHARACTERS_MAX;
    if fits {
        Ok(text)
    } else {
        Err(format!(
            "String must contain at most {NOTE_CHARACTERS_MAX} character(s)"
        ))
    }
}

/// Decisions that wait for a person, or were answered by one.
#[utoipa::path(get, path = "/ops/api/decisions", tag = "operators", security(("operator" = [])),
    params(("status" = Option<String>, Query, description = "pending (when absent), approved, denied or expired"),
        ("tenant_id" = Option<String>, Query), ("workspace_id" = Option<String>, Query),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 500)),
    responses((status = 200, body = DecisionRecords), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody)))]
async fn list_decisions(
    State(app): State<App>,
    _: Operator,
    parameters: Parameters,
) -> Result<Json<DecisionRecords>, Failure> {
    let place = call::place(&app);
    parameters.within(place)?;
    let (filter, page) = query::of_operator(parameters.fields())?;
    app.settle(&app.config.tenant).await?;
    let (rows, _) = app
        .views
        .decisions()
        .list(&app.config.tenant, &filter, &page)
        .await?;
    let now = call::now();
    let decisions = rows
        .iter()
        .map(|row| wire::record(row, place, now))
        .collect::<Result<_, _>>()?;
    Ok(Json(DecisionRecords { decisions }))
}

/// Approves or denies a pending decision, for the very request that was asked, once.
#[utoipa::path(post, path = "/ops/api/decisions/{decision_id}/resolve", tag = "operators", security(("operator" = [])),
    params(("decision_id" = String, Path)), request_body = ResolutionBody,
    responses((status = 200, body = ResolvedDecision), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody),
        (status = 503, body = ErrorBody)))]
async fn resolve_decision(
    State(app): State<App>,
    _: Operator,
    Path(decision_id): Path<String>,
    payload: Payload,
) -> Result<Json<ResolvedDecision>, Failure> {
    let body = ResolutionBody::read(payload.fields()?)?;
    let case = known(&app, &decision_id).await?;
    let id = Uuid::try_parse(&case.row.id).map_err(|fault| Failure::corrupt(&fault))?;
    let operation = Operation::ResolveApproval(body.translate(id));
    let receipt = call::submit(&app, OPERATOR_ACTOR, operation).await?;
    if matches!(receipt.reply, Reply::Expired { .. }) {
        return Err(already_resolved(Standing::Expired));
    }
    let row = known(&app, &decision_id).await?.row;
    let decision = wire::record(&row, call::place(&app), call::now())?;
    Ok(Json(ResolvedDecision { decision }))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::ResolutionBody;
    use crate::dialects::clasper::fields::{Faults, Fields};
    use probity_schemas::body::Body;
    use serde_json::{Value, json};
    use uuid::Uuid;

    fn read(body: &Value) -> Result<ResolutionBody, Faults> {
        let body = Body::from_foreign(body.to_string().as_bytes()).unwrap();
        ResolutionBody::read(Fields::open(Some(&body)).unwrap())
    }

    #[test]
    fn a_persons_answer_is_yes_or_no() {
        let yes = read(&json!({"status": "approved", "note": "n", "justification": "j"}))
            .unwrap()
            .translate(Uuid::nil());
        assert_eq!(
            (yes.grant, yes.note.as_deref(), yes.justification.as_deref()),
            (true, Some("n"), Some("j"))
        );
        assert!(
            !read(&json!({"status": "denied"}))
                .unwrap()
                .translate(Uuid::nil())
                .grant
        );
        for bad in [
            json!({}),
            json!({"status": "maybe"}),
            json!({"status": true}),
            json!({"status": "approved", "note": "x".repeat(2_001)}),
        ] {
            assert!(read(&bad).is_err(), "{bad}");
        }
    }
}
