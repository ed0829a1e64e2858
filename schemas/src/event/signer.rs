//! Changes of the key that signs a log's checkpoints, and what became of one that was stolen.
//!
//! The first key is named by record 0, and by a restoration. All records here stand on one stream, `signer/<log id>`, so that
//! their links show that none of them is missing. How a reader follows them is in FORMAT.md, section 12.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `signer.rotated.v1`: from here on another key signs. The checkpoint right after this record carries the signatures of both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SignerRotated {
    /// The key id of the key before, 8 hexadecimal digits.
    pub previous: String,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The new verifier key (C2SP signed-note vkey), of the same name. A judge believes it for the signature of the key before.
    pub signer: String,
}

/// `signer.compromised.v1`: what this key, which signs no more, signed over more than so many records is not to be trusted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SignerCompromised {
    /// The verifier key.
    pub key: String,
    /// The size of the last checkpoint that is still to be trusted; 0 for none.
    pub last_trusted_size: u64,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}
