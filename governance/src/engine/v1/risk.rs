//! The risk score: six parts of 0 to 100, weighted, in integers.
//!
//! Weights are hundredths and add up to 100, so the score is the weighted sum divided by 100, rounded half up. What the
//! caller declares can raise a part, never lower what the registry says: the adapter's class is the higher of both, and
//! so is the number of its capabilities.

use probity_schemas::event::decision::{Facts, Request, Risk};
use probity_schemas::vocabulary::{Origin, RiskClass, RiskLevel, Sensitivity, SkillState};
use serde_json::Value;

const PART_MAX: u32 = 100;

const TOOL_WEIGHT: u32 = 20;
const SKILL_WEIGHT: u32 = 20;
const MODEL_WEIGHT: u32 = 15;
const DATA_WEIGHT: u32 = 20;
const CUSTOM_WEIGHT: u32 = 10;
const ADAPTER_WEIGHT: u32 = 15;
const _: () = assert!(
    TOOL_WEIGHT + SKILL_WEIGHT + MODEL_WEIGHT + DATA_WEIGHT + CUSTOM_WEIGHT + ADAPTER_WEIGHT == 100
);

/// Thousandths; what a request that names no temperature is taken to run at.
const TEMPERATURE_DEFAULT_MILLI: u32 = 700;

/// Members of the context that the score reads. They cannot be withheld, or it could not be computed again.
pub const FLAGS: [&str; 2] = [EXTERNAL_NETWORK, ELEVATED_PRIVILEGES];
const EXTERNAL_NETWORK: &str = "external_network";
const ELEVATED_PRIVILEGES: &str = "elevated_privileges";

/// Parts of a tool's name that mean harm is at hand.
const DANGEROUS_NAMES: [&str; 7] = [
    "execute_code",
    "run_command",
    "delete_file",
    "send_email",
    "make_purchase",
    "modify_database",
    "admin_action",
];

/// Scores a request; `class` is the higher of the adapter's registered and declared class.
pub(super) fn score(facts: &Facts, context: &Value, class: Option<RiskClass>) -> Risk {
    let request = &facts.request;
    let (tool, skill, model) = (tool(request), skill(request), model(request));
    let (data, custom) = (
        data(request),
        part(count(request.flags.len()).saturating_mul(20)),
    );
    let registered = facts
        .adapter
        .as_ref()
        .map_or(0, |adapter| adapter.capabilities);
    let adapter = class.map_or(0, |class| adapter(request, context, class, registered));
    let sum = u32::from(tool) * TOOL_WEIGHT
        + u32::from(skill) * SKILL_WEIGHT
        + u32::from(model) * MODEL_WEIGHT
        + u32::from(data) * DATA_WEIGHT
        + u32::from(custom) * CUSTOM_WEIGHT
        + u32::from(adapter) * ADAPTER_WEIGHT;
    let score = part((sum + 50) / 100);
    Risk {
        adapter,
        custom,
        data,
        level: level(score),
        model,
        score,
        skill,
        tool,
    }
}

fn tool(request: &Request) -> u8 {
    let tools = request.tool_count.max(count(request.tools.len()));
    let dangerous = request
        .tools
        .iter()
        .filter(|name| DANGEROUS_NAMES.iter().any(|word| name.contains(word)));
    part(
        tools
            .saturating_mul(15)
            .saturating_add(count(dangerous.count()).saturating_mul(20)),
    )
}

fn skill(request: &Request) -> u8 {
    let base = match request.skill_state {
        Some(SkillState::Active) => 0,
        Some(SkillState::Approved) => 10,
        Some(SkillState::Tested) => 30,
        Some(SkillState::Draft) => 60,
        Some(SkillState::Deprecated) => 80,
        None => 50,
    };
    let tested = if request.skill_tested == Some(true) {
        20
    } else {
        0
    };
    let pinned = if request.skill_pinned == Some(true) {
        10
    } else {
        0
    };
    part(u32::saturating_sub(base, tested + pinned))
}

/// Half the temperature as a percentage, rounded half up.
fn model(request: &Request) -> u8 {
    let milli = request
        .temperature_milli
        .unwrap_or(TEMPERATURE_DEFAULT_MILLI);
    part(milli.saturating_add(10) / 20)
}

const fn data(request: &Request) -> u8 {
    match request.sensitivity {
        None | Some(Sensitivity::None) => 0,
        Some(Sensitivity::Low) => 20,
        Some(Sensitivity::Medium) => 40,
        Some(Sensitivity::High) => 70,
        Some(Sensitivity::Pii) => 100,
    }
}

fn adapter(request: &Request, context: &Value, class: RiskClass, registered: u32) -> u8 {
    let base = match class {
        RiskClass::Low => 10,
        RiskClass::Medium => 40,
        RiskClass::High => 70,
        RiskClass::Critical => 90,
    };
    let capabilities = count(request.capabilities.len())
        .max(registered)
        .saturating_mul(5)
        .min(30);
    let says = |flag: &str| context.get(flag).and_then(Value::as_bool).unwrap_or(false);
    let bought = request
        .provenance
        .as_ref()
        .is_some_and(|from| from.source == Some(Origin::Marketplace));
    let touches = if says(EXTERNAL_NETWORK) { 30 } else { 0 }
        + if says(ELEVATED_PRIVILEGES) { 40 } else { 0 }
        + if bought { 20 } else { 0 };
    part(base + capabilities + u32::min(touches, PART_MAX))
}

const fn level(score: u8) -> RiskLevel {
    match score {
        0..=24 => RiskLevel::Low,
        25..=49 => RiskLevel::Medium,
        50..=74 => RiskLevel::High,
        _ => RiskLevel::Critical,
    }
}

fn part(points: u32) -> u8 {
    // At most 100, so it fits.
    u8::try_from(points.min(PART_MAX)).unwrap_or(100)
}

fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
