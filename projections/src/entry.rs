//! A record as views read it: decoded once for all of them, and owned, so that a batch can be decoded and folded off the
//! threads that answer requests.

use probity_ledger::store::StoredRecord;
use probity_schemas::error::FormatError;
use probity_schemas::event::Event;
use probity_schemas::hash::Hash;
use probity_schemas::record::Record;
use probity_schemas::subject::Subject;
use probity_schemas::time::Time;

/// A decoded record.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its position in the log.
    pub sequence: u64,
    /// Its leaf hash.
    pub leaf: Hash,
    /// The leaf hash of the record before.
    pub previous: Hash,
    /// When it was recorded.
    pub time: Time,
    /// Who caused it.
    pub actor: String,
    /// The stream it belongs to.
    pub subject: Subject,
    /// Which API it came through.
    pub surface: String,
    /// The workspace; absent means the tenant's default one.
    pub workspace: Option<String>,
    /// CloudEvents `correlationid`.
    pub correlation: Option<String>,
    /// What happened.
    pub event: Event,
}

impl Entry {
    /// Reads a stored record.
    ///
    /// # Errors
    /// As [`Record::parse_canonical`] and [`Record::event`].
    pub fn decode(stored: &StoredRecord) -> Result<Self, FormatError> {
        let record = Record::parse_canonical(&stored.line)?;
        let event = record.event()?;
        let envelope = record.envelope;
        Ok(Self {
            sequence: record.sequence,
            leaf: record.leaf,
            previous: envelope.previous,
            time: envelope.time,
            actor: envelope.actor.into_owned(),
            subject: Subject::parse(&envelope.subject)?,
            surface: envelope.surface.into_owned(),
            workspace: envelope.workspace.map(Into::into),
            correlation: envelope.correlationid.map(Into::into),
            event,
        })
    }

    /// The decision whose stream the record belongs to.
    #[must_use]
    pub fn decision(&self) -> Option<&str> {
        (self.subject.thing() == "decision").then(|| self.subject.id())
    }

    /// The adapter that caused it, under its own id; another actor under its whole name.
    #[must_use]
    pub fn reporter(&self) -> String {
        self.actor
            .strip_prefix("adapter:")
            .map_or_else(|| self.actor.clone(), decoded)
    }
}

/// Undoes the percent-encoding of a caller's own id.
pub(crate) fn decoded(id: &str) -> String {
    let mut bytes = Vec::with_capacity(id.len());
    let mut rest = id.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = match tail {
            [high, low, after @ ..] if *first == b'%' => hex(*high)
                .zip(hex(*low))
                .map(|(high, low)| (high * 16 + low, after)),
            _ => None,
        };
        let (byte, after) = escaped.unwrap_or((*first, tail));
        bytes.push(byte);
        rest = after;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::decoded;
    use probity_schemas::subject::Subject;

    #[test]
    fn an_encoded_id_is_read_back() {
        for id in ["plain", "a b", "100%", "%41", "ü/ö", "a\nb"] {
            let subject = Subject::new("adapter", id).unwrap();
            assert_eq!(decoded(subject.id()), id);
        }
        assert_eq!(decoded("%zz%4"), "%zz%4");
    }
}
