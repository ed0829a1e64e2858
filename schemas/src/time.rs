//! Time as a record writes it: UTC with exactly six digits of a second.
//!
//! No clock is read here. A [`Time`] is a whole number of microseconds since 1970-01-01T00:00:00Z.

use crate::error::FormatError;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// The only accepted form, with a zero for each digit.
const FORM: [u8; 27] = *b"0000-00-00T00:00:00.000000Z";

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
    /// The first time that a record can write: the year 0000.
    pub const MIN: Self = Self(-62_167_219_200_000_000);

    /// The last time that a record can write, a day before the year 10000.
    pub const MAX: Self = Self(253_402_207_199_999_999);

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
        let bytes: &[u8; FORM.len()] = text
            .as_bytes()
            .try_into()
            .map_err(|_| FormatError::BadTime)?;
        let has_form = bytes.iter().zip(FORM).fold(true, |so_far, (byte, form)| {
            so_far & (*byte == form || (form == b'0' && byte.is_ascii_digit()))
        });
        if !has_form {
            return Err(FormatError::BadTime);
        }
        // The shape bounds them: at most six digits, and the two of a field fit eight bits.
        let field =
            |from: usize| ((bytes[from] - b'0') * 10 + (bytes[from + 1] - b'0')).cast_signed();
        let digits = |from: usize, to: usize| {
            let digits = bytes[from..to].iter();
            digits.fold(0_i32, |number, digit| number * 10 + i32::from(digit - b'0'))
        };
        let year = i16::try_from(digits(0, 4)).map_err(|_| FormatError::BadTime)?;
        let (month, day) = (field(5), field(8));
        let (hour, minute, second) = (field(11), field(14), field(17));
        let nanosecond = digits(20, 26) * 1000;
        // A leap second has no microsecond of its own and is refused here.
        DateTime::new(year, month, day, hour, minute, second, nanosecond)
            .and_then(|civil| Offset::UTC.to_timestamp(civil))
            .map_err(|_| FormatError::BadTime)
            .and_then(Self::of)
    }

    /// Reads any RFC 3339 time, as callers write it; digits past the microsecond are dropped.
    ///
    /// # Errors
    /// [`FormatError::BadTime`] when it is no RFC 3339 time, or one that a record could not write.
    pub fn parse_rfc3339(text: &str) -> Result<Self, FormatError> {
        text.parse()
            .map_err(|_| FormatError::BadTime)
            .and_then(Self::of)
    }

    fn of(stamp: Timestamp) -> Result<Self, FormatError> {
        let time = Self(stamp.as_microsecond());
        if (Self::MIN..=Self::MAX).contains(&time) {
            Ok(time)
        } else {
            Err(FormatError::BadTime)
        }
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let writable = self.0.clamp(Self::MIN.0, Self::MAX.0);
        let stamp = Timestamp::from_microsecond(writable).unwrap_or(Timestamp::UNIX_EPOCH);
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
    fn what_is_read_can_be_written_and_read_again() {
        for (text, micros) in [
            ("0000-01-01T00:00:00Z", Some(Time::MIN.micros())),
            ("-000001-12-31T23:59:59.999999Z", None),
            ("-009999-01-02T12:00:00Z", None),
            ("9999-12-30T21:59:59.999999Z", Some(Time::MAX.micros())),
            ("9999-12-30T22:00:00Z", None),
            (
                "2026-11-22T10:11:12.0003459+01:00",
                Some(1_795_338_672_000_345),
            ),
        ] {
            let read = Time::parse_rfc3339(text).ok();
            assert_eq!(read.map(Time::micros), micros, "{text}");
            if let Some(time) = read {
                assert_eq!(Time::parse(&time.to_string()), Ok(time), "{text}");
            }
        }
    }

    #[test]
    fn a_time_past_the_ends_is_written_as_the_end() {
        for (micros, end) in [(i64::MIN, Time::MIN), (i64::MAX, Time::MAX)] {
            let text = Time::from_micros(micros).to_string();
            assert_eq!(Time::parse(&text), Ok(end), "{text}");
        }
    }

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
