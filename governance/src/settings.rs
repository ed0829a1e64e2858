//! The settings that decisions depend on: their names, their defaults, and what values they take.
//!
//! A setting is a record like any other. A value that its name does not take is refused when it is set; should a
//! record hold one all the same, the default is in force and the judge names the record.

use crate::limits::{SETTING_BYTES_MAX, SKEW_SECONDS_MAX, WINDOW_SECONDS_MAX};
use crate::personal;
use probity_schemas::vocabulary::{Mode, SignatureMode};
use std::collections::BTreeMap;

/// How a request is treated that no policy speaks of.
pub const MODE: &str = "mode";
/// Seconds a decision waits for a person.
pub const APPROVAL_SECONDS: &str = "approval.seconds";
/// Seconds a grant holds once given.
pub const GRANT_SECONDS: &str = "grant.seconds";
/// Whether people must sign their answers themselves: `required` or `optional`, the default.
pub const APPROVAL_SIGNATURE: &str = "approval.signature";
/// Whether producers must sign their reports: `off`, `warn` (the default) or `enforce`.
pub const TELEMETRY_SIGNATURE: &str = "telemetry.signature";
/// Seconds by which a producer's clock may differ from the ledger's.
pub const TELEMETRY_SKEW_SECONDS: &str = "telemetry.skew.seconds";
/// The workspace of those who name none.
pub const WORKSPACE_DEFAULT: &str = "workspace.default";
/// Beginning of the names of template values, e.g. `template.workspace.root`.
pub const TEMPLATE_PREFIX: &str = "template.";

/// Beginning of the names of settings that say what is personal in a kind of report, e.g. `personal.mail`.
pub const PERSONAL_PREFIX: &str = "personal.";

/// The templates that are filled from the log itself and cannot be set.
pub const TEMPLATE_TENANT: &str = "tenant.id";
/// Likewise.
pub const TEMPLATE_WORKSPACE: &str = "workspace.id";

const REQUIRED: &str = "required";
const OPTIONAL: &str = "optional";
const APPROVAL_SECONDS_DEFAULT: u32 = 3_600;
const GRANT_SECONDS_DEFAULT: u32 = 900;
const SKEW_SECONDS_DEFAULT: u32 = 300;
const WORKSPACE_DEFAULT_VALUE: &str = "local";

/// Why a setting is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingFault {
    /// The name is empty, too long, or holds more than `a-z 0-9 . _ -`.
    #[error("a setting's name is made of a-z 0-9 . _ -")]
    Name,
    /// The value is too long.
    #[error("a setting's value has at most {SETTING_BYTES_MAX} bytes")]
    TooLong,
    /// Not a mode.
    #[error("the mode is permissive, guarded or strict")]
    Mode,
    /// Not a number of seconds.
    #[error("seconds are a whole number from 1 to {WINDOW_SECONDS_MAX}")]
    Seconds,
    /// Neither `required` nor `optional`.
    #[error("{APPROVAL_SIGNATURE} is required or optional")]
    ApprovalSignature,
    /// Not pointers to personal values and to the id of whom they are about.
    #[error(
        "{PERSONAL_PREFIX}<kind> is {{\"person\": POINTER, \"pointers\": [POINTER, …]}}, each a JSON Pointer"
    )]
    Personal,
    /// Not a mode of signatures.
    #[error("{TELEMETRY_SIGNATURE} is off, warn or enforce")]
    TelemetrySignature,
    /// Not a number of seconds that clocks may differ by.
    #[error("{TELEMETRY_SKEW_SECONDS} is a whole number from 1 to {SKEW_SECONDS_MAX}")]
    Skew,
    /// The template's value comes from the log itself.
    #[error("{TEMPLATE_TENANT} and {TEMPLATE_WORKSPACE} come from the log and cannot be set")]
    Reserved,
}

/// Whether a setting of this name takes this value; a setting can always be taken away.
///
/// # Errors
/// The [`SettingFault`] that says why not.
pub fn check(name: &str, value: Option<&str>) -> Result<(), SettingFault> {
    let plain =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte);
    if name.is_empty() || name.len() > SETTING_BYTES_MAX || !name.bytes().all(plain) {
        return Err(SettingFault::Name);
    }
    let Some(value) = value else { return Ok(()) };
    if value.len() > SETTING_BYTES_MAX {
        return Err(SettingFault::TooLong);
    }
    match name {
        MODE => Mode::parse(value).map(|_| ()).ok_or(SettingFault::Mode),
        APPROVAL_SECONDS | GRANT_SECONDS => seconds(value).map(|_| ()).ok_or(SettingFault::Seconds),
        APPROVAL_SIGNATURE if [REQUIRED, OPTIONAL].contains(&value) => Ok(()),
        APPROVAL_SIGNATURE => Err(SettingFault::ApprovalSignature),
        TELEMETRY_SIGNATURE => SignatureMode::parse(value)
            .map(|_| ())
            .ok_or(SettingFault::TelemetrySignature),
        TELEMETRY_SKEW_SECONDS => skew(value).map(|_| ()).ok_or(SettingFault::Skew),
        _ => match name.strip_prefix(TEMPLATE_PREFIX) {
            Some(TEMPLATE_TENANT | TEMPLATE_WORKSPACE) => Err(SettingFault::Reserved),
            None if name.starts_with(PERSONAL_PREFIX) => personal::check(value),
            _ => Ok(()),
        },
    }
}

/// The mode in force.
#[must_use]
pub fn mode(settings: &BTreeMap<String, String>) -> Mode {
    settings
        .get(MODE)
        .and_then(|text| Mode::parse(text))
        .unwrap_or(Mode::Guarded)
}

/// Seconds a decision waits for a person.
#[must_use]
pub fn approval_seconds(settings: &BTreeMap<String, String>) -> u32 {
    settings
        .get(APPROVAL_SECONDS)
        .and_then(|text| seconds(text))
        .unwrap_or(APPROVAL_SECONDS_DEFAULT)
}

/// Seconds a grant holds once given.
#[must_use]
pub fn grant_seconds(settings: &BTreeMap<String, String>) -> u32 {
    settings
        .get(GRANT_SECONDS)
        .and_then(|text| seconds(text))
        .unwrap_or(GRANT_SECONDS_DEFAULT)
}

/// Whether people must sign their answers themselves.
#[must_use]
pub fn is_approval_signed(settings: &BTreeMap<String, String>) -> bool {
    settings
        .get(APPROVAL_SIGNATURE)
        .is_some_and(|value| value == REQUIRED)
}

/// Whether producers must sign their reports.
#[must_use]
pub fn telemetry_signature(settings: &BTreeMap<String, String>) -> SignatureMode {
    settings
        .get(TELEMETRY_SIGNATURE)
        .and_then(|text| SignatureMode::parse(text))
        .unwrap_or(SignatureMode::Warn)
}

/// Seconds by which a producer's clock may differ from the ledger's, by the value that was set.
#[must_use]
pub fn skew_seconds(set: Option<&str>) -> u32 {
    set.and_then(skew).unwrap_or(SKEW_SECONDS_DEFAULT)
}

/// The workspace of those who name none.
#[must_use]
pub fn workspace_default(settings: &BTreeMap<String, String>) -> &str {
    settings
        .get(WORKSPACE_DEFAULT)
        .map_or(WORKSPACE_DEFAULT_VALUE, String::as_str)
}

/// The template values that are set, by template name.
pub fn templates(settings: &BTreeMap<String, String>) -> impl Iterator<Item = (&str, &str)> {
    settings
        .range(TEMPLATE_PREFIX.to_owned()..)
        .map_while(|(name, value)| {
            name.strip_prefix(TEMPLATE_PREFIX)
                .map(|name| (name, value.as_str()))
        })
}

fn skew(text: &str) -> Option<u32> {
    seconds(text).filter(|seconds| *seconds <= SKEW_SECONDS_MAX)
}

fn seconds(text: &str) -> Option<u32> {
    let number = text
        .parse()
        .ok()
        .filter(|number| (1..=WINDOW_SECONDS_MAX).contains(number))?;
    (text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0')).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_checked_by_name() {
        for (name, value, expected) in [
            ("mode", "strict", Ok(())),
            ("mode", "lenient", Err(SettingFault::Mode)),
            ("approval.seconds", "60", Ok(())),
            ("approval.seconds", "0", Err(SettingFault::Seconds)),
            ("approval.seconds", "060", Err(SettingFault::Seconds)),
            ("grant.seconds", "+60", Err(SettingFault::Seconds)),
            ("grant.seconds", "2592001", Err(SettingFault::Seconds)),
            ("approval.signature", "required", Ok(())),
            (
                "approval.signature",
                "yes",
                Err(SettingFault::ApprovalSignature),
            ),
            ("telemetry.signature", "enforce", Ok(())),
            (
                "telemetry.signature",
                "on",
                Err(SettingFault::TelemetrySignature),
            ),
            ("telemetry.skew.seconds", "3600", Ok(())),
            ("telemetry.skew.seconds", "3601", Err(SettingFault::Skew)),
            ("template.workspace.root", "/ws", Ok(())),
            ("template.tenant.id", "other", Err(SettingFault::Reserved)),
            (
                "template.workspace.id",
                "other",
                Err(SettingFault::Reserved),
            ),
            ("Mode", "strict", Err(SettingFault::Name)),
            ("", "x", Err(SettingFault::Name)),
        ] {
            assert_eq!(check(name, Some(value)), expected, "{name} = {value}");
        }
        assert_eq!(check("mode", None), Ok(()));
        assert_eq!(
            check("x", Some(&"y".repeat(SETTING_BYTES_MAX + 1))),
            Err(SettingFault::TooLong)
        );
    }

    #[test]
    fn defaults_hold_where_nothing_or_nonsense_is_set() {
        let none = BTreeMap::new();
        assert_eq!(
            (mode(&none), approval_seconds(&none), grant_seconds(&none)),
            (Mode::Guarded, 3600, 900)
        );
        let bad = [
            ("mode", "open"),
            ("approval.seconds", "-1"),
            ("template.a", "1"),
            ("tempo", "2"),
        ];
        let bad = bad
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
        assert_eq!((mode(&bad), approval_seconds(&bad)), (Mode::Guarded, 3600));
        assert_eq!(templates(&bad).collect::<Vec<_>>(), [("a", "1")]);
    }
}
