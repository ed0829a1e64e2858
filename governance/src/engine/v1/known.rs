//! What a decision knows: the facts, with the request's context parsed once, and each field by its name.
//!
//! A field's name is one of the plain names below, or a dotted path into `context`, `provenance` or `metadata`. A plain
//! name that is none of these cannot be judged; a path that leads nowhere is a field that is absent.

use super::{paths, risk, sight};
use crate::settings::{TEMPLATE_TENANT, TEMPLATE_WORKSPACE};
use probity_schemas::body::Body;
use probity_schemas::disclosure::{holds_digest, mentions_digests};
use probity_schemas::event::decision::{Facts, Risk};
use probity_schemas::policy::{Condition, Operator};
use probity_schemas::vocabulary::RiskClass;
use serde::Serialize;
use serde_json::Value;
use std::borrow::Cow;
use std::cell::OnceCell;

/// Segments that never match: in other languages they reach an object's own machinery.
pub(super) const FORBIDDEN_SEGMENTS: [&str; 3] = ["__proto__", "prototype", "constructor"];

/// The facts, ready to be looked at.
pub(super) struct Known<'a> {
    /// The facts.
    pub(super) facts: &'a Facts,
    /// The risk, computed from them.
    pub(super) risk: Risk,
    /// The higher of the adapter's registered and declared class.
    pub(super) risk_class: Option<RiskClass>,
    /// Where relative paths begin, if that can be said.
    pub(super) working_directory: Option<String>,
    context: Value,
    metadata: OnceCell<Value>,
    /// Whether digests may stand in either.
    pub(super) has_digests: bool,
}

/// What a field holds. Written as JSON it is the value, or null where there is none.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Field<'a> {
    /// Nothing.
    Absent,
    /// Nobody knows a field of this name.
    Unknown,
    /// A text.
    Text(&'a str),
    /// A whole number.
    Int(i64),
    /// Several texts.
    Texts(&'a [String]),
    /// Something of the caller's own.
    Json(&'a Value),
}

impl<'a> Known<'a> {
    pub(super) fn of(facts: &'a Facts) -> Self {
        let request = &facts.request;
        let bodies = [request.context.as_ref(), request.metadata.as_ref()];
        let has_digests = bodies.into_iter().flatten().any(mentions_digests);
        Self::on(
            facts,
            parse(request.context.as_ref()),
            OnceCell::new(),
            has_digests,
        )
    }

    /// The same facts with other values in their places.
    pub(super) fn opened(&self, context: Value, metadata: Value) -> Self {
        Self::on(
            self.facts,
            context,
            OnceCell::from(metadata),
            self.has_digests,
        )
    }

    fn on(facts: &'a Facts, context: Value, metadata: OnceCell<Value>, has_digests: bool) -> Self {
        let request = &facts.request;
        let registered = facts.adapter.as_ref().map(|adapter| adapter.risk_class);
        let risk_class = registered.max(request.risk_class);
        let working_directory =
            text_at(&context, &["exec", "cwd"]).and_then(|cwd| paths::normalise(cwd, None));
        Self {
            facts,
            risk: risk::score(facts, &context, risk_class),
            risk_class,
            working_directory: working_directory.map(Cow::into_owned),
            context,
            metadata,
            has_digests,
        }
    }

    /// The context, and the metadata, as values.
    pub(super) fn bodies(&self) -> (&Value, &Value) {
        (&self.context, self.metadata())
    }

    /// Whether a withheld value may lie where a condition looks.
    pub(super) fn is_withheld(&self, condition: &Condition) -> bool {
        if !self.has_digests {
            return false;
        }
        let by_path = matches!(condition.operator, Operator::AllUnder | Operator::AnyUnder);
        let here = match condition.field.split_once('.') {
            None => condition.field == "context" && holds_digest(&self.context),
            Some(("context", "targets.paths")) => {
                let listed = self.target_paths().is_some_and(Value::is_array);
                listed && self.target_paths().is_some_and(holds_digest)
                    || sight::is_withheld(&self.context, "targets.paths")
            }
            Some(("context", path)) => sight::is_withheld(&self.context, path),
            Some(("metadata", path)) => sight::is_withheld(self.metadata(), path),
            _ => false,
        };
        // Relative paths begin at the working directory.
        here || by_path && sight::is_withheld(&self.context, "exec.cwd")
    }

    fn metadata(&self) -> &Value {
        self.metadata
            .get_or_init(|| parse(self.facts.request.metadata.as_ref()))
    }

    /// The workspace of the request, the default one included.
    pub(super) fn workspace(&self) -> &'a str {
        self.template(TEMPLATE_WORKSPACE).unwrap_or_default()
    }

    /// The value of a template.
    pub(super) fn template(&self, name: &str) -> Option<&'a str> {
        self.facts.templates.get(name).map(String::as_str)
    }

    /// What the field of this name holds.
    pub(super) fn field(&self, name: &str) -> Field<'_> {
        let request = &self.facts.request;
        match name {
            "action" | "tool" => Field::Text(&request.action),
            "actor" => texts(request.requester.as_ref().or(request.agent.as_ref())),
            "adapter" | "adapter_id" => texts(request.adapter.as_ref()),
            "adapter_risk_class" => word(self.risk_class.map(RiskClass::as_str)),
            "agent" | "agent_id" => texts(request.agent.as_ref()),
            "agent_role" => texts(request.agent_role.as_ref()),
            "capability" => Field::Texts(&request.capabilities),
            "cost_micros" => Field::Int(
                request
                    .cost_micros
                    .map_or(0, |cost| i64::try_from(cost).unwrap_or(i64::MAX)),
            ),
            "environment" => texts(request.environment.as_ref()),
            "intent" => texts(request.intent.as_ref()),
            "resource" => texts(request.resource.as_ref()),
            "risk_level" => Field::Text(self.risk.level.as_str()),
            "risk_score" => Field::Int(i64::from(self.risk.score)),
            "sensitivity" => word(request.sensitivity.map(|word| word.as_str())),
            "skill" => texts(request.skill.as_ref()),
            "skill_state" => word(request.skill_state.map(|word| word.as_str())),
            "tenant_id" => word(self.template(TEMPLATE_TENANT)),
            "tool_group" => texts(request.tool_group.as_ref()),
            "workspace_id" => Field::Text(self.workspace()),
            "context" => json(Some(&self.context)),
            _ => self.dotted(name),
        }
    }

    fn dotted(&self, name: &str) -> Field<'_> {
        let Some((root, path)) = name.split_once('.') else {
            return Field::Unknown;
        };
        let provenance = self.facts.request.provenance.as_ref();
        match (root, path) {
            ("context", "targets.paths") => json(self.target_paths()),
            ("context", _) => json(at(&self.context, path)),
            ("metadata", _) => json(at(self.metadata(), path)),
            ("provenance", "source") => word(
                provenance
                    .and_then(|from| from.source)
                    .map(|word| word.as_str()),
            ),
            ("provenance", "publisher") => {
                texts(provenance.and_then(|from| from.publisher.as_ref()))
            }
            ("provenance", "artifact_hash") => {
                texts(provenance.and_then(|from| from.artifact_hash.as_ref()))
            }
            _ => Field::Absent,
        }
    }

    /// Targets that are a plain list are paths.
    fn target_paths(&self) -> Option<&Value> {
        let targets = self.context.get("targets")?;
        if targets.is_array() {
            Some(targets)
        } else {
            targets.get("paths")
        }
    }
}

fn texts(text: Option<&String>) -> Field<'_> {
    word(text.map(String::as_str))
}

fn word(text: Option<&str>) -> Field<'_> {
    text.map_or(Field::Absent, Field::Text)
}

fn json(value: Option<&Value>) -> Field<'_> {
    match value {
        None | Some(Value::Null) => Field::Absent,
        Some(Value::String(text)) => Field::Text(text),
        Some(value) => Field::Json(value),
    }
}

fn parse(body: Option<&Body>) -> Value {
    body.and_then(|body| serde_json::from_str(body.as_str()).ok())
        .unwrap_or(Value::Null)
}

fn at<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    path.split('.').try_fold(value, |value, segment| {
        if FORBIDDEN_SEGMENTS.contains(&segment) {
            None
        } else {
            value.as_object()?.get(segment)
        }
    })
}

fn text_at<'v>(value: &'v Value, path: &[&str]) -> Option<&'v str> {
    path.iter()
        .try_fold(value, |value, segment| value.get(segment))?
        .as_str()
}
