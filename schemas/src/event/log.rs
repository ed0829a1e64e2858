//! What a log says of itself: its opening, its restoration after a loss, its settings, its exports.

use crate::hash::Hash;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `log.opened.v1`: record 0 of every log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LogOpened {
    /// Version of the rules in force.
    pub engine: u32,
    /// Version of the record format: 1.
    pub format: u32,
    /// 16 random bytes, lower-case hexadecimal.
    pub log_id: String,
    /// The log's origin; also the record's `source` and the name of the signer's key.
    pub origin: String,
    /// The signer's verifier key (C2SP signed-note vkey). A judge never takes its key from here.
    pub signer: String,
    /// The tenant.
    pub tenant: String,
}

impl LogOpened {
    /// The type's name.
    pub const TYPE: &str = "log.opened.v1";
}

/// `log.restored.v1`: signed records were lost, and from here on this is another log with another origin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LogRestored {
    /// The newest checkpoint that was signed before the loss, whole.
    pub lost_checkpoint: String,
    /// The new origin, ending in its generation.
    pub origin: String,
    /// The origin before.
    pub previous_origin: String,
    /// The root of the records that were left.
    pub root: Hash,
    /// The verifier key of the new origin.
    pub signer: String,
    /// How many records were left.
    pub size: u64,
}

impl LogRestored {
    /// The type's name.
    pub const TYPE: &str = "log.restored.v1";
}

/// `setting.changed.v1`: a setting that decisions depend on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SettingChanged {
    /// Its name, e.g. `mode`, `approval.seconds`, `template.workspace.root`.
    pub name: String,
    /// Its value; absent when it was taken away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// `bundle.exported.v1`: a bundle was made through the API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BundleExported {
    /// How many records it holds.
    pub count: u64,
    /// The sequence of its first record.
    pub first: u64,
    /// The size of the checkpoint that covers it.
    pub size: u64,
}
