//! A body somebody else wrote: canonical JSON text that is kept byte for byte.
//!
//! Not a tree: a body is checked and brought into canonical form once, at the edge, and from then on it is text
//! that is written into the record as it stands. What reads it (a policy condition, a view) parses it for itself.

use crate::canonical::{self, CanonicalError, CanonicalFault};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use std::fmt;

/// Canonical JSON (RFC 8785) of a foreign value. Equality is equality of the bytes.
#[derive(Clone)]
pub struct Body(Box<RawValue>);

impl Body {
    /// Brings foreign JSON into canonical form.
    ///
    /// # Errors
    /// [`CanonicalError`] when the text is not JSON, or holds what canonical JSON cannot carry without loss.
    pub fn from_foreign(json: &[u8]) -> Result<Self, CanonicalError> {
        Self::from_canonical(canonical::canonicalize(json)?)
    }

    /// Takes text that already is canonical.
    ///
    /// # Errors
    /// [`CanonicalError`] when it is not.
    pub fn from_canonical(text: String) -> Result<Self, CanonicalError> {
        canonical::check(text.as_bytes())?;
        RawValue::from_string(text)
            .map(Self)
            .map_err(|_| CanonicalError {
                offset: 0,
                fault: CanonicalFault::UnexpectedByte,
            })
    }

    /// The canonical text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.get()
    }

    /// Whether the value is a JSON object.
    #[must_use]
    pub fn is_object(&self) -> bool {
        self.as_str().starts_with('{')
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl PartialEq for Body {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Body {}

impl Serialize for Body {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// Reads a part of a line whose canonical form was checked as a whole; the text is taken as it stands.
impl<'de> Deserialize<'de> for Body {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(Self)
    }
}

impl schemars::JsonSchema for Body {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Body".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "description": "Any JSON value, as its author reported it." })
    }
}
