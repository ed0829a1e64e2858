//! Names inside a log: tenants, subjects, actors.
//!
//! A subject is `<thing>/<id>`. An id that we make is a UUID; a caller's own id is percent-encoded where it leaves
//! the unreserved set of RFC 3986 (plus `:` and `@`), so that no space or line feed can enter a sorted list of subjects.

use crate::error::FormatError;
use crate::limits::{SUBJECT_BYTES_MAX, TENANT_BYTES_MAX};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::fmt::Write as _;
use uuid::Uuid;

/// Things whose stream carries state; a reported observation may not name one (DESIGN, section 3).
pub const RESERVED_THINGS: [&str; 12] = [
    "log",
    "decision",
    "policy",
    "adapter",
    "agent",
    "budget",
    "credential",
    "key",
    "signer",
    "setting",
    "hold",
    "erasure",
];

/// A log's owner: `[a-z0-9][a-z0-9._-]{0,62}`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tenant(String);

impl Tenant {
    /// Reads a tenant's name.
    ///
    /// # Errors
    /// [`FormatError::BadTenant`] outside the grammar.
    pub fn parse(text: &str) -> Result<Self, FormatError> {
        if is_tenant(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(FormatError::BadTenant)
        }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a text is a tenant's name.
#[must_use]
pub fn is_tenant(text: &str) -> bool {
    let plain = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = text.as_bytes();
    bytes.first().is_some_and(plain)
        && bytes.len() <= TENANT_BYTES_MAX
        && bytes
            .iter()
            .all(|byte| plain(byte) || b"._-".contains(byte))
}

/// The stream a record belongs to, `<thing>/<id>`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Subject(String);

impl Subject {
    /// The subject of a thing under a caller's own id, encoded where need be.
    ///
    /// # Errors
    /// [`FormatError::BadSubject`] when the id is empty or too long once encoded.
    pub fn new(thing: &str, id: &str) -> Result<Self, FormatError> {
        let mut text = String::with_capacity(thing.len() + id.len() + 1);
        text.push_str(thing);
        text.push('/');
        for byte in id.bytes() {
            if is_plain(byte) {
                text.push(char::from(byte));
            } else {
                let _ = write!(text, "%{byte:02X}");
            }
        }
        Self::parse(&text)
    }

    /// The subject of a thing whose id we made.
    #[must_use]
    pub fn of(thing: &'static str, id: Uuid) -> Self {
        Self(format!("{thing}/{id}"))
    }

    /// Reads a subject.
    ///
    /// # Errors
    /// [`FormatError::BadSubject`] outside the grammar.
    pub fn parse(text: &str) -> Result<Self, FormatError> {
        if is_subject(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(FormatError::BadSubject)
        }
    }

    /// The whole text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part before the slash.
    #[must_use]
    pub fn thing(&self) -> &str {
        self.0.split_once('/').map_or("", |(thing, _)| thing)
    }

    /// The part after the slash, still encoded.
    #[must_use]
    pub fn id(&self) -> &str {
        self.0.split_once('/').map_or("", |(_, id)| id)
    }
}

/// Whether a text is a well-formed subject.
#[must_use]
pub fn is_subject(text: &str) -> bool {
    let Some((thing, id)) = cut(text, b'/') else {
        return false;
    };
    text.len() <= SUBJECT_BYTES_MAX
        && !thing.is_empty()
        && thing
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'-')
        && !id.is_empty()
        && id
            .bytes()
            .all(|byte| is_plain(byte) || byte == b'%' || byte == b'/')
}

/// Whether a text is a well-formed actor: `system`, or `<kind>:<id>` with the kinds of DESIGN, section 3.
#[must_use]
pub fn is_actor(text: &str) -> bool {
    if text == "system" {
        return true;
    }
    let Some((kind, id)) = cut(text, b':') else {
        return false;
    };
    text.len() <= SUBJECT_BYTES_MAX
        && ["adapter", "agent", "user"].contains(&kind)
        && !id.is_empty()
        && id.bytes().all(|byte| is_plain(byte) || byte == b'%')
}

/// What stands before and after the first `mark`, which is ASCII: names are short, and searching by characters costs more than
/// looking at each byte.
pub(crate) fn cut(text: &str, mark: u8) -> Option<(&str, &str)> {
    let at = text.bytes().position(|byte| byte == mark)?;
    Some((&text[..at], &text[at + 1..]))
}

/// An actor's name from a kind and a caller's own id, encoded like a subject.
///
/// # Errors
/// [`FormatError::BadSubject`] when the id is empty or too long.
pub fn actor(kind: &str, id: &str) -> Result<String, FormatError> {
    let encoded = Subject::new("actor", id)?;
    let text = format!("{kind}:{}", encoded.id());
    if is_actor(&text) {
        Ok(text)
    } else {
        Err(FormatError::BadSubject)
    }
}

const fn is_plain(byte: u8) -> bool {
    PLAIN[byte as usize]
}

const PLAIN: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        table[byte as usize] =
            byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'~' | b':' | b'@' | b'-');
        byte += 1;
    }
    table
};

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Subject {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

impl schemars::JsonSchema for Subject {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Subject".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^[a-z-]+/.+$" })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::{Subject, Tenant, actor, is_actor};

    #[test]
    fn a_callers_id_is_encoded() {
        assert_eq!(
            Subject::new("adapter", "a b\n/ü").unwrap().as_str(),
            "adapter/a%20b%0A%2F%C3%BC"
        );
        assert!(Subject::new("adapter", "").is_err());
        assert!(Subject::new("adapter", &"x".repeat(2000)).is_err());
        assert_eq!(actor("user", "Ann Lee").unwrap(), "user:Ann%20Lee");
        assert!(!is_actor("robot:1") && !is_actor("user:") && is_actor("system"));
    }

    #[test]
    fn tenants_follow_their_grammar() {
        for good in ["local", "0", "a.b-c_d"] {
            assert!(Tenant::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "-a", "A", "a/b", "ä", &"a".repeat(64)] {
            assert!(Tenant::parse(bad).is_err(), "{bad}");
        }
    }
}
