//! Forgetting a person, and what forbids it.
//!
//! None of these records says who the person is. What stands for a person (`person`: 32 hexadecimal digits) was drawn at random
//! and is tied to an id only by the person's key, which an erasure destroys.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `personal.erased.v1`: the disclosures of one person, and the key that opened them, are destroyed, and attachments that
/// belong to the person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PersonalErased {
    /// Attachments whose content was destroyed, by name, ascending.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<String>,
    /// The legal basis, in words.
    pub basis: String,
    /// How many disclosures there were.
    pub disclosures: u64,
    /// What stood for the person; absent when nothing was held of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
}

/// `erasure.refused.v1`: a person was to be forgotten, and a legal hold forbade it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ErasureRefused {
    /// The legal basis that was named, in words.
    pub basis: String,
    /// The hold, by its name.
    pub hold: String,
    /// What stands for the person; absent when nothing is held of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
}

/// `hold.set.v1`: from here on this person, or nobody in this log, is erased.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HoldSet {
    /// Its name.
    pub id: String,
    /// What stands for the person it is about; absent when it is about everybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// Why, in words.
    pub reason: String,
}

/// `hold.lifted.v1`: the hold forbids nothing any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HoldLifted {
    /// Its name.
    pub id: String,
    /// Why, in words.
    pub reason: String,
}
