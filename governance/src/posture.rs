//! Posture: how far the policies in force govern what an adapter can do. A pure function of the directory.

use crate::policy::is_fallback;
use crate::settings;
use crate::state::Directory;
use probity_schemas::policy::{Operator, Policy, Scalar, SubjectKind};
use probity_schemas::vocabulary::Mode;

/// How far an adapter is governed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posture {
    /// The mode in force.
    pub mode: Mode,
    /// What the mode and the fallback come to.
    pub status: PostureStatus,
    /// Whether a fallback policy is published.
    pub fallback_present: bool,
    /// Whether one is switched on.
    pub fallback_enabled: bool,
    /// Policies that are switched on and hold in the workspace.
    pub policy_count: usize,
    /// The adapter's tools that some policy speaks of.
    pub covered: Vec<String>,
    /// The adapter's other tools.
    pub uncovered: Vec<String>,
}

/// How far the rules bind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PostureStatus {
    /// Strict, or guarded with a fallback.
    Enforced,
    /// Guarded without a fallback: what no policy speaks of is refused outright.
    Degraded,
    /// Permissive.
    Disabled,
}

impl PostureStatus {
    /// The word as it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enforced => "enforced",
            Self::Degraded => "degraded",
            Self::Disabled => "disabled",
        }
    }
}

/// The posture of an adapter in a workspace; an adapter that is not registered has no tools.
#[must_use]
pub fn posture(directory: &Directory, adapter: &str, workspace: Option<&str>) -> Posture {
    let workspace = workspace.unwrap_or_else(|| settings::workspace_default(&directory.settings));
    let here = |policy: &&Policy| {
        policy
            .scope
            .workspace
            .as_deref()
            .is_none_or(|wanted| wanted == workspace)
    };
    let policies: Vec<&Policy> = directory
        .policies
        .values()
        .map(|in_force| &in_force.policy)
        .filter(here)
        .collect();
    let enabled: Vec<&Policy> = policies
        .iter()
        .copied()
        .filter(|policy| policy.enabled)
        .collect();
    let fallback_enabled = enabled.iter().any(|policy| is_fallback(policy));
    let tools = directory
        .adapters
        .get(adapter)
        .map_or(&[][..], |adapter| &adapter.tool_capabilities);
    let (covered, uncovered) = tools
        .iter()
        .cloned()
        .partition(|tool| is_covered(tool, &enabled));
    Posture {
        mode: directory.mode(),
        status: match directory.mode() {
            Mode::Strict => PostureStatus::Enforced,
            Mode::Guarded if fallback_enabled => PostureStatus::Enforced,
            Mode::Guarded => PostureStatus::Degraded,
            Mode::Permissive => PostureStatus::Disabled,
        },
        fallback_present: policies.iter().any(|policy| is_fallback(policy)),
        fallback_enabled,
        policy_count: enabled.len(),
        covered,
        uncovered,
    }
}

fn is_covered(tool: &str, policies: &[&Policy]) -> bool {
    let tool = normal_name(tool);
    policies.iter().any(|policy| {
        let mut named = policy
            .conditions
            .iter()
            .filter(|condition| condition.field == "tool")
            .peekable();
        let speaks_of_tools = policy.subject.kind == SubjectKind::Tool;
        match &policy.subject.name {
            Some(name) if speaks_of_tools => normal_name(name) == tool,
            None if speaks_of_tools && named.peek().is_none() => true,
            _ => named.any(|condition| names(condition.operator, &condition.values, &tool)),
        }
    })
}

fn names(operator: Operator, values: &[Scalar], tool: &str) -> bool {
    values.iter().any(|value| {
        let Scalar::Text(text) = value else {
            return false;
        };
        let name = normal_name(text);
        match operator {
            Operator::Eq | Operator::In => name == tool,
            Operator::Prefix => {
                let rest = tool.strip_prefix(name.trim_end_matches('.'));
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            }
            _ => false,
        }
    })
}

/// `send-mail`, `send_mail` and `send.mail` are one tool.
fn normal_name(name: &str) -> String {
    name.trim().replace(['-', '_'], ".")
}
