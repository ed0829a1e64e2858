//! A policy as a record keeps it: one normal form, whatever surface it came through.
//!
//! Evaluation lives in the crate of the rules. A condition is a field, an operator and the values it accepts; all
//! conditions of a policy must hold. Numbers are integers (money in micro-USD).

use crate::vocabulary::Effect;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A rule about requests.
#[derive(
    Clone,
    Debug,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    JsonSchema,
    rkyv::Archive,
    rkyv::Serialize,
    rkyv::Deserialize,
)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// All of them must hold; in the order of their fields.
    pub conditions: Vec<Condition>,
    /// What the policy asks for when it matches.
    pub effect: Effect,
    /// A policy that is switched off never matches.
    pub enabled: bool,
    /// Words for the people who read the decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explanation: Option<String>,
    /// The policy's name, unique in the log.
    pub id: String,
    /// Higher wins.
    pub precedence: i32,
    /// Where the policy holds.
    pub scope: Scope,
    /// What kind of thing the policy speaks of.
    pub subject: PolicySubject,
}

/// Where a policy holds; absent means everywhere.
#[derive(
    Clone,
    Debug,
    Default,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    JsonSchema,
    rkyv::Archive,
    rkyv::Serialize,
    rkyv::Deserialize,
)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// Only requests of this environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// Only requests of this workspace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace: Option<String>,
}

/// What a policy speaks of; without a name, of all of that kind.
#[derive(
    Clone,
    Debug,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    JsonSchema,
    rkyv::Archive,
    rkyv::Serialize,
    rkyv::Deserialize,
)]
#[serde(deny_unknown_fields)]
pub struct PolicySubject {
    /// The kind.
    pub kind: SubjectKind,
    /// The name of one of that kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// The kinds a policy can speak of.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    JsonSchema,
    rkyv::Archive,
    rkyv::Serialize,
    rkyv::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum SubjectKind {
    /// The adapter that asks.
    Adapter,
    /// The tool to be used.
    Tool,
    /// The state of the skill behind the request.
    Skill,
    /// The environment.
    Environment,
    /// The risk level.
    Risk,
    /// Any request; the cost is in the conditions.
    Cost,
    /// The agent, by id or by role.
    Agent,
}

/// One condition of a policy.
#[derive(
    Clone,
    Debug,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    JsonSchema,
    rkyv::Archive,
    rkyv::Serialize,
    rkyv::Deserialize,
)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// The field, dotted where it lies deeper, e.g. `context.exec.argv0`.
    pub field: String,
    /// How the field is compared.
    pub operator: Operator,
    /// What it is compared with: exactly one value, but for `in`, `all_under` and `any_under`.
    pub values: Vec<Scalar>,
}

/// How a field is compared.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    JsonSchema,
    rkyv::Archive,
    rkyv::Serialize,
    rkyv::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Operator {
    /// Every path lies at or below one of the values.
    AllUnder,
    /// Some path lies at or below one of the values.
    AnyUnder,
    /// A number not below the value.
    AtLeast,
    /// A number not above the value.
    AtMost,
    /// Equal.
    Eq,
    /// Present (value `true`) or absent (value `false`).
    Exists,
    /// Equal to one of the values.
    In,
    /// A text that begins with the value.
    Prefix,
}

/// A value that a condition compares with.
#[derive(
    Clone,
    Debug,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    JsonSchema,
    rkyv::Archive,
    rkyv::Serialize,
    rkyv::Deserialize,
)]
#[serde(untagged)]
pub enum Scalar {
    /// true or false.
    Bool(bool),
    /// A whole number within ±(2^53−1).
    Int(i64),
    /// A text, possibly with `{{name}}` templates.
    Text(String),
}
