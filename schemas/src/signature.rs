//! What actors sign, so that nobody who holds the log's key can speak for them. This says which bytes are signed and
//! checks them; it signs nothing.
//!
//! A person's answer is signed as DSSE: the pre-authentication encoding of the payload type and the payload.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use crate::actor_key::ActorKey;
use crate::hash::Hash;
use crate::time::Time;

/// The payload type of an answer's signature.
pub const APPROVAL_TYPE: &str = "application/vnd.probity.approval.v1+json";

/// The bytes that a DSSE signature is over.
#[must_use]
pub fn pre_authentication(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!(
        "DSSEv1 {} {payload_type} {} ",
        payload_type.len(),
        payload.len()
    );
    [head.as_bytes(), payload].concat()
}

/// What a person signs: this answer, to this very decision, of this log, in time. Its JSON is canonical.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ApprovalStatement<'a> {
    /// Which answer.
    pub action: Answer,
    /// Leaf hash of the `decision.made` record, and so of everything the decision says.
    pub decision: Hash,
    /// After this time the answer is void.
    pub expires: Time,
    /// The log's id.
    pub log: &'a str,
    /// The log's origin.
    pub origin: &'a str,
}

/// A person's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// The act may go on.
    Approve,
    /// It may not.
    Deny,
}

impl ApprovalStatement<'_> {
    /// The bytes that are signed.
    #[must_use]
    pub fn message(&self) -> Vec<u8> {
        // Words, texts and hashes only: writing them to memory cannot fail.
        let payload = serde_json::to_vec(self).unwrap_or_default();
        pre_authentication(APPROVAL_TYPE, &payload)
    }
}

/// Whether a signature, in the standard base64 of a record, is this key's over the message.
#[must_use]
pub fn is_signed(key: &ActorKey, message: &[u8], signature: &str) -> bool {
    STANDARD
        .decode(signature)
        .is_ok_and(|signature| key.verify(message, &signature))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::{Answer, ApprovalStatement, pre_authentication};
    use crate::hash::Hash;
    use crate::time::Time;

    #[test]
    fn the_encoding_is_that_of_the_standard() {
        assert_eq!(
            pre_authentication("http://example.com/HelloWorld", b"hello world"),
            b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
        );
    }

    #[test]
    fn an_answer_is_canonical_json() {
        let statement = ApprovalStatement {
            action: Answer::Approve,
            decision: Hash::EMPTY,
            expires: Time::parse("2026-11-23T03:00:00.000000Z").unwrap(),
            log: "00112233445566778899aabbccddeeff",
            origin: "ledger.example/\u{fc}\"",
        };
        let payload = "{\"action\":\"approve\",\"decision\":\"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\",\
            \"expires\":\"2026-11-23T03:00:00.000000Z\",\"log\":\"00112233445566778899aabbccddeeff\",\
            \"origin\":\"ledger.example/\u{fc}\\\"\"}";
        crate::canonical::check(payload.as_bytes()).unwrap();
        let head = format!(
            "DSSEv1 40 application/vnd.probity.approval.v1+json {} ",
            payload.len()
        );
        assert_eq!(
            String::from_utf8(statement.message()).unwrap(),
            head + payload
        );
    }
}
