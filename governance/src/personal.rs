//! Which values of a body are personal: those that come named with it, and those a setting names for its kind.
//!
//! The setting `personal.<kind>` holds JSON: `{"person": POINTER, "pointers": [POINTER, …]}`. `person` leads to the id of whom the
//! values are about; it is personal itself. The kind is that of an observation, or the type of what else is reported or asked, without
//! its version: `decision.made`, `outcome.recorded`, `audit.ingested`, `violation.ingested`. Not here: taking the values out, and keeping what opens them.

use crate::command::Personal;
use crate::settings::{PERSONAL_PREFIX, SettingFault};
use probity_schemas::body::Body;
use probity_schemas::limits::{POINTER_BYTES_MAX, POINTERS_MAX};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// A body does not say whose the values in it are that a setting makes personal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the setting {setting} expects the person's id, a text, at {pointer}")]
pub struct PersonMissing {
    /// The setting.
    pub setting: String,
    /// Where the id is expected.
    pub pointer: String,
}

/// What is personal in a kind of report.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    person: String,
    pointers: Vec<String>,
}

/// The personal values of a body: those it came with, and those that the setting of its kind names. What a setting names and the
/// body does not have is passed over.
///
/// # Errors
/// [`PersonMissing`].
pub fn marks(
    settings: &BTreeMap<String, String>,
    kind: &str,
    body: &Body,
    own: Vec<Personal>,
) -> Result<Vec<Personal>, PersonMissing> {
    let mut personal = own;
    let setting = setting_of(kind);
    let rule = settings.get(&setting).and_then(|value| read(value));
    let body = serde_json::from_str::<Value>(body.as_str());
    let (Some(rule), Ok(body)) = (rule, body) else {
        return Ok(personal);
    };
    let named = rule.pointers.iter().chain([&rule.person]);
    let named: Vec<&String> = named
        .filter(|pointer| body.pointer(pointer).is_some())
        .filter(|pointer| personal.iter().all(|own| own.pointer != **pointer))
        .collect();
    if named.is_empty() {
        return Ok(personal);
    }
    let person = body.pointer(&rule.person).and_then(Value::as_str);
    let person = person.ok_or_else(|| PersonMissing {
        setting: setting.clone(),
        pointer: rule.person.clone(),
    })?;
    personal.extend(named.into_iter().map(|pointer| Personal {
        pointer: pointer.clone(),
        person: person.to_owned(),
    }));
    Ok(personal)
}

/// The setting that says what is personal in a kind of report.
#[must_use]
pub fn setting_of(kind: &str) -> String {
    format!("{PERSONAL_PREFIX}{kind}")
}

/// Whether a text is such a setting's value.
pub(crate) fn check(value: &str) -> Result<(), SettingFault> {
    read(value).map(drop).ok_or(SettingFault::Personal)
}

fn read(value: &str) -> Option<Rule> {
    let rule: Rule = serde_json::from_str(value).ok()?;
    let sound = is_pointer(&rule.person)
        && rule.pointers.iter().all(|pointer| is_pointer(pointer))
        && rule.pointers.len() < POINTERS_MAX
        && !rule.pointers.contains(&rule.person);
    sound.then_some(rule)
}

fn is_pointer(text: &str) -> bool {
    let escaped = |(at, _)| matches!(text.as_bytes().get(at + 1), Some(b'0' | b'1'));
    text.starts_with('/') && text.len() <= POINTER_BYTES_MAX && text.match_indices('~').all(escaped)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    const RULE: &str = r#"{"person": "/customer/id", "pointers": ["/customer/mail", "/note"]}"#;

    fn found(body: &str, own: &[(&str, &str)]) -> Result<Vec<(String, String)>, PersonMissing> {
        let settings = BTreeMap::from([("personal.mail".to_owned(), RULE.to_owned())]);
        let personal = own.iter().map(|(pointer, person)| Personal {
            pointer: (*pointer).to_owned(),
            person: (*person).to_owned(),
        });
        let body = Body::from_foreign(body.as_bytes()).unwrap();
        let found = marks(&settings, "mail", &body, personal.collect())?.into_iter();
        Ok(found.map(|one| (one.pointer, one.person)).collect())
    }

    #[test]
    fn a_setting_names_values_and_the_body_says_whose_they_are() {
        let pair = |pointer: &str, person: &str| (pointer.to_owned(), person.to_owned());
        let whole = r#"{"customer": {"id": "c-1", "mail": "a@b"}, "note": "x", "other": 1}"#;
        let all = [
            pair("/customer/mail", "c-1"),
            pair("/note", "c-1"),
            pair("/customer/id", "c-1"),
        ];
        assert_eq!(found(whole, &[]).unwrap(), all);
        let own = found(whole, &[("/note", "c-2")]).unwrap();
        assert_eq!(own, [pair("/note", "c-2"), all[0].clone(), all[2].clone()]);
        assert_eq!(found(r#"{"other": 1}"#, &[]).unwrap(), []);
        for nobody in [
            r#"{"note": "x"}"#,
            r#"{"note": "x", "customer": {"id": 7}}"#,
        ] {
            assert_eq!(found(nobody, &[]).unwrap_err().pointer, "/customer/id");
        }
    }

    #[test]
    fn what_is_no_rule_is_refused() {
        for bad in [
            "",
            "[]",
            r#"{"person": "/id"}"#,
            r#"{"person": "id", "pointers": []}"#,
            r#"{"person": "/id", "pointers": ["/a~2"]}"#,
            r#"{"person": "/id", "pointers": ["/id"]}"#,
            r#"{"person": "/id", "pointers": [], "more": 1}"#,
        ] {
            assert_eq!(check(bad), Err(SettingFault::Personal), "{bad}");
        }
        assert_eq!(check(RULE), Ok(()));
    }
}
