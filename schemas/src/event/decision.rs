//! A decision and what becomes of it: made, approved or denied by a person, used, expired, and its outcome.
//!
//! `decision.made` carries everything `decide` read, so that a judge can decide again. Fields stand in key order.

use crate::body::Body;
use crate::event::key::{AnswerSignature, ReportSignature};
use crate::hash::Hash;
use crate::time::Time;
use crate::vocabulary::{
    ConditionResult, ConsumedBy, Effect, ExpiredPart, Mode, Origin, OutcomeStatus, Reason,
    RiskClass, RiskLevel, Role, Sensitivity, SkillState, Verdict,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// `decision.made.v1`: what was asked, what was known, what was decided and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DecisionMade {
    /// Present when a person must decide.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<ApprovalNeeded>,
    /// Version of the rules that decided.
    pub engine: u32,
    /// Words for people.
    pub explanation: String,
    /// Everything the decision read.
    pub facts: Facts,
    /// What an allowed act may use; for a pending one, what it will get.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<Grant>,
    /// The policies that matched, in the order they were weighed; the first of the winners is marked by `winner`.
    pub matched: Vec<MatchedPolicy>,
    /// SHA-256 over the leaf hashes of the `policy.published` records in force, in byte order of subject.
    pub policyset: Hash,
    /// Why the verdict is not a plain allow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// The risk score and its parts.
    pub risk: Risk,
    /// The verdict.
    pub verdict: Verdict,
    /// The policy whose effect was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub winner: Option<String>,
    /// How the conditions stood that looked at withheld values, in the order in which they were judged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub withheld: Vec<WithheldResult>,
}

/// How a condition stood that looked at a value which the record holds as a digest only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WithheldResult {
    /// The field it looks at.
    pub field: String,
    /// Its policy.
    pub policy: String,
    /// How it stood.
    pub result: ConditionResult,
}

/// What a pending decision waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApprovalNeeded {
    /// After this time nobody can approve it.
    pub expires: Time,
    /// The role that can.
    pub role: Role,
}

/// What an allowed act may use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// The capabilities.
    pub capabilities: Vec<String>,
    /// Micro-USD at most.
    pub cost_micros_max: u64,
    /// How long the grant holds once given, in seconds.
    pub seconds: u32,
    /// Steps at most.
    pub steps_max: u32,
}

/// A policy that matched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MatchedPolicy {
    /// Its effect.
    pub effect: Effect,
    /// Its explanation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explanation: Option<String>,
    /// Its name.
    pub id: String,
    /// Fields that could not be judged and therefore counted against the requester.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unjudged: Vec<String>,
}

/// A risk score and its parts, each 0 to 100.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Risk {
    /// How dangerous the adapter is, and what its request touches.
    pub adapter: u8,
    /// The caller's own flags.
    pub custom: u8,
    /// How sensitive the data is.
    pub data: u8,
    /// The band of the score.
    pub level: RiskLevel,
    /// How freely the model runs.
    pub model: u8,
    /// The weighted sum.
    pub score: u8,
    /// How mature the skill is.
    pub skill: u8,
    /// How many tools, and which.
    pub tool: u8,
}

/// Everything a decision read, besides the policies in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    /// What the registry says of the adapter; absent when it knows none of that name, or none was named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adapter: Option<AdapterFacts>,
    /// Seconds a pending decision waits.
    pub approval_seconds: u32,
    /// What is left of the budget; absent when none is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<BudgetFacts>,
    /// Seconds a grant holds.
    pub grant_seconds: u32,
    /// The mode in force.
    pub mode: Mode,
    /// The request as the rules see it.
    pub request: Request,
    /// SHA-256 of the 32 bytes of `salt` followed by the canonical request.
    pub request_digest: Hash,
    /// Roles of the actor.
    pub roles: Vec<Role>,
    /// 32 random bytes, base64. Without it the digest would let a reader guess a request that is withheld.
    pub salt: Hash,
    /// Template values from the server's configuration.
    pub templates: BTreeMap<String, String>,
    /// The time the decision was made; equals the record's own.
    pub time: Time,
}

/// What the registry says of an adapter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AdapterFacts {
    /// How many capabilities it registered.
    pub capabilities: u32,
    /// Whether it is switched on.
    pub enabled: bool,
    /// Its class.
    pub risk_class: RiskClass,
}

/// What is left of a budget.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BudgetFacts {
    /// Whether its period is over, or has not begun.
    pub expired: bool,
    /// Whether it refuses or only warns.
    pub hard: bool,
    /// Micro-USD left; negative when overspent.
    pub remaining_micros: i64,
}

/// A request as the rules see it. Absent fields were not stated.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// What is to be done: the tool, or the kind of action.
    pub action: String,
    /// The adapter that asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adapter: Option<String>,
    /// The agent's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// The agent's role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_role: Option<String>,
    /// Capabilities asked for.
    pub capabilities: Vec<String>,
    /// The caller's context, an object; personal values stand in it as digests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<Body>,
    /// Estimated cost, micro-USD.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_micros: Option<u64>,
    /// The most it may cost, micro-USD.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_micros_max: Option<u64>,
    /// Capabilities that the credential carries; absent when it does not limit them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_capabilities: Option<Vec<String>>,
    /// The environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The caller's id of the execution.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution: Option<String>,
    /// The caller's own risk flags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<String>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intent: Option<String>,
    /// Anything else the caller reports about its agent; personal values stand in it as digests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Body>,
    /// The caller asked to override the rules; it has no effect, and that it asked is kept.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub override_ignored: bool,
    /// Where the code comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provenance: Option<Provenance>,
    /// Whether the requester's own system says that it is entitled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rbac_allowed: Option<bool>,
    /// On whose behalf, by the caller's word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requester: Option<String>,
    /// What it is done to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// The class the caller declares; it can raise the registry's, never lower it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk_class: Option<RiskClass>,
    /// How sensitive the data is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sensitivity: Option<Sensitivity>,
    /// The skill's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skill: Option<String>,
    /// Whether the skill's version is pinned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skill_pinned: Option<bool>,
    /// How mature the skill is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skill_state: Option<SkillState>,
    /// Whether the skill is tested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skill_tested: Option<bool>,
    /// Steps at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps_max: Option<u32>,
    /// Sampling temperature in thousandths.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature_milli: Option<u32>,
    /// How many tools may be used.
    pub tool_count: u32,
    /// The group the tool belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_group: Option<String>,
    /// The tools that may be used.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<String>,
    /// The workspace the request was made in; equals the record's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace: Option<String>,
}

/// Where the code behind a request comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// A digest of the artifact, as stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_hash: Option<String>,
    /// Who published it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publisher: Option<String>,
    /// Where it comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Origin>,
}

/// `decision.expired.v1`: time ran out before a person decided, or before the grant was used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DecisionExpired {
    /// When it ran out.
    pub expired: Time,
    /// What ran out.
    pub part: ExpiredPart,
}

/// `approval.granted.v1`: a person allows the very request of the decision, once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApprovalGranted {
    /// The grant is void after this time.
    pub expires: Time,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub justification: Option<String>,
    /// A remark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The digest of the request, from the decision.
    pub request_digest: Hash,
    /// The role by which the person was entitled.
    pub role: Role,
    /// The person's own signature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<AnswerSignature>,
}

/// `approval.denied.v1`: a person refuses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApprovalDenied {
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub justification: Option<String>,
    /// A remark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The digest of the request, from the decision.
    pub request_digest: Hash,
    /// The role by which the person was entitled.
    pub role: Role,
    /// The person's own signature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<AnswerSignature>,
}

/// `grant.consumed.v1`: the grant is used up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GrantConsumed {
    /// By what.
    pub by: ConsumedBy,
    /// The digest of the request, from the decision.
    pub request_digest: Hash,
}

/// `outcome.recorded.v1`: how the allowed act ended, as its doer reports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OutcomeRecorded {
    /// What the doer adds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Body>,
    /// The doer's name for the event.
    pub event: String,
    /// The doer's id of the execution.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution: Option<String>,
    /// Words for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// When, by the doer's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurred: Option<Time>,
    /// What became of the doer's signature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<ReportSignature>,
    /// How it ended.
    pub status: OutcomeStatus,
    /// The doer's id of the trace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
}
