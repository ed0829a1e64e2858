//! Keys of actors, and the signatures that records keep.
//!
//! A key is in force from the record that registers it to the one that revokes it. What a record's signature is over,
//! `crate::signature` and `crate::envelope` say.

use crate::body::Body;
use crate::time::Time;
use crate::vocabulary::{EnvelopeFault, KeyAlgorithm, KeyPurpose, PayloadType};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `key.registered.v1`: from here on this key speaks for an actor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyRegistered {
    /// For whom: a person (`user:…`), or a producer (`adapter:…`, `agent:…`).
    pub actor: String,
    /// What it signs with; follows from the key.
    pub alg: KeyAlgorithm,
    /// The public key: base64 of its DER SubjectPublicKeyInfo.
    pub key: String,
    /// SHA-256 of that DER, lower-case hexadecimal.
    pub keyid: String,
    /// A name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// What it may sign.
    pub purpose: KeyPurpose,
    /// The version of the adapter that it is for; absent: every version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// `key.revoked.v1`: from here on it does not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyRevoked {
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A person's own signature under an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AnswerSignature {
    /// How it was made: `ed25519` or `ES256`. A word that a reader does not know is newer than the reader.
    pub alg: String,
    /// The signed answer is void after this time.
    pub expires: Time,
    /// The key: SHA-256 of its DER, lower-case hexadecimal.
    pub keyid: String,
    /// The signature, base64.
    pub sig: String,
}

/// What became of a producer's signature under a report. A report without one says nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReportSignature {
    /// There was one, and it does not stand: the report is no more than a report without.
    Fault(EnvelopeFault),
    /// It stands, and here it is.
    Verified(Box<ReportProof>),
}

/// A producer's signature that stands, with all that it is over: whoever has the record can check it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportProof {
    /// The producer's version.
    pub adapter_version: String,
    /// How it was made: `ed25519` or `ES256`. A word that a reader does not know is newer than the reader.
    pub alg: String,
    /// When, by the producer's clock, as it wrote it.
    pub issued_at: String,
    /// The key: base64 of its DER SubjectPublicKeyInfo.
    pub key: String,
    /// The report as the producer sent it.
    pub payload: Body,
    /// What it is.
    pub payload_type: PayloadType,
    /// The signature, base64.
    pub sig: String,
}
