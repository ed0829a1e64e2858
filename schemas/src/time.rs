//! Time as a record writes it: UTC with exactly six digits of a second.
//!
//! No clock is read here. A [`Time`] is a whole number of microseconds since 1970-01-01T00:00:00Z.

use crate::error::FormatError;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// Length of the only accepted form, `YYYY-MM-DDTHH:MM:SS.ffffffZ`.
const TIME_BYTES: usize = 27;

/// Microseconds since the Unix epoch.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    rkyv::Archive,
    rkyv::Serialize,
    rkyv::Deserialize,
)]
pub struct Time(i64);

impl Time {
    /// From microseconds since the epoch.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the epoch.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Milliseconds since the epoch, rounded down.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// This time and `seconds` more, saturating.
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1_000_000)))
    }

    /// The UTC day, `YYYY-MM-DD`.
    #[must_use]
    pub fn day(self) -> String {
        self.to_string().chars().take(10).collect()
    }

    /// Reads the one accepted form.
    ///
    /// # Errors
    /// [`FormatError::BadTime`] for anything else, a valid RFC 3339 time in another form included.
    pub fn parse(text: &str) -> Result<Self, FormatError> {
        let bad = || FormatError::BadTime;
        let bytes = text.as_bytes();
        let shaped = bytes.len() == TIME_BYTES
            && bytes.iter().enumerate().all(|(at, byte)| match at {
                4 | 7 => *byte == b'-',
                10 => *byte == b'T',
                13 | 16 => *byte == b':',
                19 => *byte == b'.',
                26 => *byte == b'Z',
                _ => byte.is_ascii_digit(),
            });
        // Second 60 would be accepted and moved by the library: a leap second has no microsecond of its own.
        if !shaped || &bytes[17..19] == b"60" {
            return Err(bad());
        }
        let stamp: Timestamp = text.parse().map_err(|_| bad())?;
        Ok(Self(stamp.as_microsecond()))
    }

    /// Reads any RFC 3339 time, as callers write it; digits past the microsecond are dropped.
    ///
    /// # Errors
    /// [`FormatError::BadTime`] when it is no RFC 3339 time.
    pub fn parse_rfc3339(text: &str) -> Result<Self, FormatError> {
        let stamp: Timestamp = text.parse().map_err(|_| FormatError::BadTime)?;
        Ok(Self(stamp.as_microsecond()))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stamp = Timestamp::from_microsecond(self.0).unwrap_or(Timestamp::MIN);
        write!(f, "{stamp:.6}")
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

impl schemars::JsonSchema for Time {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Time".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z$",
            "description": "UTC, always six digits of a second."
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Time;

    #[test]
    fn one_form_is_read_and_written() {
        let text = "2026-11-22T10:11:12.000345Z";
        assert_eq!(
            Time::parse(text).map(|time| time.to_string()).as_deref(),
            Ok(text)
        );
        for bad in [
            "2026-11-22T10:11:12Z",
            "2026-11-22T10:11:12.345Z",
            "2026-11-22t10:11:12.000345z",
            "2026-11-22T10:11:12.000345+00",
            "2026-02-30T10:11:12.000345Z",
            "2026-11-22T24:00:00.000000Z",
            "2026-12-31T23:59:60.000000Z",
            "",
        ] {
            assert!(Time::parse(bad).is_err(), "{bad} was accepted");
        }
    }
}
